import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { jwksAuth } from '../support/jwks-auth.js';

describe('the pages', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  /** What the pages are told, asked with these headers. */
  const told = (headers: Record<string, string>, url = gateway.url) =>
    new Promise<{ demoTokens: { role: string; token: string }[]; signIn: unknown; advice: string | null }>(
      (resolve, reject) => {
        request(`${url}/playground/config.json`, { headers }, (response) => {
          text(response).then((body) => resolve(JSON.parse(body)), reject);
        })
          .on('error', reject)
          .end();
      },
    );

  test.each(['127.0.0.1:4000', '127.8.9.10', 'localhost:4000', 'LOCALHOST', '[::1]:4000'])(
    'a browser of this machine that asks for %s gets demo tokens',
    async (host) => {
      const { demoTokens, advice } = await told({ host });
      expect(demoTokens).toHaveLength(10);
      expect(advice).toBeNull();
    },
  );

  test('they are good for no longer than a token may be', async () => {
    const { auth } = gateway.gateway.services.config;
    const brief = await startTestGateway({ config: { auth: { ...auth, maxTokenLifeMs: 60_000 } } });
    const [{ token, role }] = (await told({}, brief.url)).demoTokens as [{ token: string; role: string }];
    const { data } = await brief.run('{ viewer { roles } }', {}, { token });
    expect(data.viewer.roles).toEqual([role]);
    await brief.stop();
  });

  test.each([
    ['a name that was made to lead here (DNS rebinding)', { host: 'attacker.example:4000' }],
    ['a name that only begins like ours', { host: 'localhost.attacker.example' }],
    ['an address that only begins like ours', { host: '127.0.0.1.attacker.example' }],
    ['an address of the network', { host: '192.168.1.20:4000' }],
    ['a proxy of this machine, for somebody else', { host: '127.0.0.1:4000', 'x-forwarded-for': '203.0.113.7' }],
    ['a proxy that says it in RFC 7239', { host: '127.0.0.1:4000', forwarded: 'for=203.0.113.7' }],
  ])('%s gets none, and is told where to make one', async (_, headers) => {
    const { demoTokens, advice } = await told(headers);
    expect(demoTokens).toEqual([]);
    expect(advice).toContain('npm run --silent token');
  });

  test('with an identity provider they offer its sign-in and may connect to it alone, or ask for a token', async () => {
    const auth = jwksAuth([{ issuer: 'https://login.example/v2.0', jwksUrl: new URL('https://login.example/keys') }]);
    const signIn = { clientId: 'pages', authority: 'https://login.example/v2.0', scopes: 'openid profile' };
    const offering = await startTestGateway({ config: { auth: { ...auth, signIn } } });
    expect(await told({ host: 'graph.example.com' }, offering.url)).toMatchObject({
      demoTokens: [],
      signIn,
      advice: null,
    });
    for (const path of ['/', '/live', '/signed-in']) {
      const answer = await fetch(`${offering.url}${path}`, { headers: { accept: 'text/html' } });
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect([path, answer.status, policy.match(/https:\/\/[^ ;]+/g)]).toEqual([path, 200, ['https://login.example']]);
      expect(policy).toContain("script-src 'self';");
    }
    await offering.stop();
    const asking = await startTestGateway({ config: { auth } });
    expect(await told({}, asking.url)).toMatchObject({
      demoTokens: [],
      signIn: null,
      advice: expect.stringContaining('Paste'),
    });
    await asking.stop();
  });
});
