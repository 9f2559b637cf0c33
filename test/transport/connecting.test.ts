import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKeyPair, SignJWT } from 'jose';
import WebSocket from 'ws';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { jwksAuth } from '../support/jwks-auth.js';

const ANNA = 'anna@partner.example';
const ELSEWHERE = `A token is taken from "authorization" or "headers.authorization" in connection_init's payload, nowhere else.`;

/** Opens a socket with that payload: who it is then of, or how it is closed. */
async function comeIn(
  gateway: Pick<TestGateway, 'url'>,
  payload: unknown,
  { path = '/graphql', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<string | { code: number; reason: string }> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, ['graphql-transport-ws'], { headers });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
    socket.on('message', (data) => {
      const { type, payload: answer } = JSON.parse(String(data));
      if (type === 'connection_ack')
        socket.send('{"id":"1","type":"subscribe","payload":{"query":"{ viewer { userPrincipalName } }"}}');
      if (type !== 'next') return;
      resolve(answer.data.viewer.userPrincipalName);
      socket.terminate();
    });
  });
}

describe(`connecting, on ${engine}`, () => {
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    gateway = await startTestGateway();
    token = await gateway.token('GLOBAL_ADMIN', { user: ANNA });
  });
  afterAll(() => gateway.stop());

  describe('connection_init', () => {
    test.each<[string, (value: string) => unknown]>([
      ['authorization', (authorization) => ({ authorization })],
      ['Authorization', (Authorization) => ({ Authorization })],
      ['AUTHORIZATION', (AUTHORIZATION) => ({ AUTHORIZATION })],
      ['headers.authorization', (authorization) => ({ headers: { authorization } })],
      ['Headers.Authorization', (Authorization) => ({ Headers: { Authorization } })],
      ['both, the same', (authorization) => ({ authorization, headers: { authorization } })],
      ['one, the other empty', (authorization) => ({ authorization: '', headers: { authorization } })],
      ['beside what it is called elsewhere', (authorization) => ({ authorization, token: 'another', apiKey: 7 })],
    ])('takes a token in %s', async (_where, payload) => {
      expect(await comeIn(gateway, payload(`Bearer ${token}`))).toBe(ANNA);
    });

    test.each<[string, (token: string) => unknown]>([
      ['authToken', (authToken) => ({ authToken })],
      ['token', (given) => ({ token: given })],
      ['access_token', (access_token) => ({ access_token })],
      ['an opaque x-auth-token', () => ({ 'X-Auth-Token': '7f9c' })],
      ['headers.token', (given) => ({ headers: { token: given } })],
      ['context.headers', (given) => ({ context: { headers: { Authorization: `Bearer ${given}` } } })],
      ['a name of its own', (given) => ({ mine: given })],
      ['a list', (given) => ({ mine: ['a', [`Bearer ${given}`]] })],
      ['a list of a name', () => ({ token: ['opaque'] })],
      ['another place, with authorization empty', (given) => ({ authorization: '', token: given })],
      ['a depth of hundreds', (given) => JSON.parse(`${'{"a":'.repeat(500)}"${given}"${'}'.repeat(500)}`)],
    ])('refuses a token in %s with words, instead of taking its sender for nobody', async (_where, payload) => {
      expect(await comeIn(gateway, payload(token))).toEqual({ code: 4401, reason: ELSEWHERE });
    });

    test('refuses two that contradict each other, and one that is no text', async () => {
      const other = `Bearer ${await gateway.token('GLOBAL_ADMIN', { user: 'other@partner.example' })}`;
      const authorization = `Bearer ${token}`;
      for (const payload of [
        { authorization, headers: { authorization: other } },
        { authorization, Authorization: other },
      ])
        expect(await comeIn(gateway, payload)).toEqual({ code: 4401, reason: expect.stringContaining('twice') });
      for (const wrong of [7, true, [authorization], { token: authorization }])
        expect(await comeIn(gateway, { authorization: wrong })).toEqual({
          code: 4401,
          reason: expect.stringContaining('must be a text'),
        });
    });

    test('without a token is of nobody', async () => {
      const payloads = [
        undefined,
        {},
        { authorization: '' },
        { authorization: null },
        { headers: {} },
        { headers: 'none' },
      ];
      for (const payload of [
        ...payloads,
        { clientName: 'dashboard', version: '1.2.3', token: '', nested: { a: [1, null] } },
      ])
        expect(await comeIn(gateway, payload)).toBe('anonymous');
    });
  });

  test('a handshake may bear the header, as requests do; a token in its address is refused with words', async () => {
    expect(await comeIn(gateway, {}, { headers: { authorization: `Bearer ${token}` } })).toBe(ANNA);
    const other = await gateway.token('GLOBAL_ADMIN', { user: 'other@partner.example' });
    const headers = { authorization: `Bearer ${other}` };
    expect(await comeIn(gateway, { authorization: `Bearer ${token}` }, { headers })).toBe(ANNA);
    for (const name of ['access_token', 'token', 'mine'])
      expect(await comeIn(gateway, {}, { path: `/graphql?${name}=${token}` })).toEqual({
        code: 4401,
        reason: ELSEWHERE,
      });
    expect(await comeIn(gateway, {}, { path: '/graphql?client=dashboard' })).toBe('anonymous');
  });

  test('the scheme is in any case, with one blank behind it or more; anything else is refused', async () => {
    const over = async (authorization: string) =>
      new Promise<string | number>((resolve, reject) => {
        const headers = { 'content-type': 'application/json', authorization };
        const sent = request(`${gateway.url}/graphql`, { method: 'POST', headers }, async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve(
            response.statusCode === 200 ? JSON.parse(text).data.viewer.userPrincipalName : (response.statusCode ?? 0),
          );
        });
        sent.once('error', reject).end('{"query":"{ viewer { userPrincipalName } }"}');
      });
    for (const scheme of ['Bearer ', 'bearer ', 'BEARER ', 'Bearer  ', 'Bearer      ']) {
      expect([scheme, await over(`${scheme}${token}`)]).toEqual([scheme, ANNA]);
      expect([scheme, await comeIn(gateway, { authorization: `${scheme}${token}` })]).toEqual([scheme, ANNA]);
    }
    for (const wrong of [
      `Bearer${token}`,
      `Bearer\t${token}`,
      `Bearer ${token} x`,
      `Basic ${token}`,
      token,
      'Bearer',
      'Bearer undefined',
    ]) {
      expect([wrong, await over(wrong)]).toEqual([wrong, 401]);
      expect([wrong, await comeIn(gateway, { authorization: wrong })]).toMatchObject([wrong, { code: 4401 }]);
    }
  });
});

describe(`connecting while no key set is in reach, on ${engine}`, () => {
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    const issuer = 'https://login.example/';
    gateway = await startTestGateway({
      config: {
        // Nothing listens there, and nothing ever did.
        auth: jwksAuth([{ issuer, jwksUrl: new URL('http://127.0.0.1:1/keys') }], { audiences: ['csp-graph'] }),
      },
    });
    const { privateKey } = await generateKeyPair('RS256');
    token = await new SignJWT({ scp: 'access', roles: ['GLOBAL_ADMIN'] })
      .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience('csp-graph')
      .setSubject('anna')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey);
  });
  afterAll(() => gateway.stop());

  test('every door says to come back: 503 with Retry-After, 1013 over WebSocket', async () => {
    const post = { method: 'POST', body: '{"query":"subscription { activity { __typename } }"}' };
    const doors: [string, RequestInit][] = [
      ['/graphql', { ...post, body: '{"query":"{ viewer { roles } }"}' }],
      ['/graphql?query={viewer{roles}}', { headers: { 'apollo-require-preflight': '1' } }],
      ['/graphql/stream', { ...post, headers: { accept: 'text/event-stream' } }],
      ['/exports/activity.csv', {}],
      ['/exports/activity.jsonl?manifest=1', {}],
      ['/schema.graphql', {}],
    ];
    for (const [path, init] of doors) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...init.headers };
      const response = await fetch(`${gateway.url}${path}`, { ...init, headers });
      expect([path, response.status, Number(response.headers.get('retry-after'))]).toEqual([
        path,
        503,
        expect.any(Number),
      ]);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
    }
    expect(await comeIn(gateway, { authorization: `Bearer ${token}` })).toEqual({
      code: 1013,
      reason: expect.stringContaining('identity provider'),
    });
    expect(gateway.log.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  });
});
