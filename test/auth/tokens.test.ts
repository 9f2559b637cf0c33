import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { rememberTokens } from '../../src/auth/token-cache.js';
import type { Authenticate } from '../../src/auth/tokens.js';
import { anonymous, type Viewer } from '../../src/auth/viewer.js';
import { DEMO_PARTNER_TENANT_ID } from '../../src/config/auth-config.js';
import { ViewerDocument } from '../generated/graphql.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { jwksAuth } from '../support/jwks-auth.js';
import { aCustomer } from '../support/shop.js';
import { until } from '../support/until.js';

const later = () => Math.floor(Date.now() / 1_000) + 3_600;

/** A token signed by whoever has the key. */
function sign(claims: JWTPayload, key: CryptoKey | Uint8Array, header: { alg: string; kid?: string }): Promise<string> {
  return new SignJWT(claims).setProtectedHeader(header).sign(key);
}

describe(`demo tokens, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const ask = (authorization: string) =>
    fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ query: '{ viewer { userPrincipalName } }' }),
    });
  const claims = {
    iss: 'csp-graph-demo',
    aud: 'csp-graph',
    sub: 'anna',
    roles: ['ADMIN_AGENT'],
    tid: DEMO_PARTNER_TENANT_ID,
    exp: later(),
  };
  const signed = (changed: JWTPayload) =>
    sign(JSON.parse(JSON.stringify({ ...claims, ...changed })), gateway.gateway.services.config.signingSecret, {
      alg: 'HS256',
    });

  test('without a token the viewer is anonymous, with no roles; with one it is who the token says', async () => {
    const anonymous = await gateway.run(ViewerDocument, {}, null);
    expect(anonymous.data.viewer).toEqual({
      userPrincipalName: 'anonymous',
      roles: [],
      tenantId: null,
      expiresAt: null,
    });
    const { data } = await gateway.run(
      ViewerDocument,
      {},
      { token: await signed({ upn: 'Anna@Partner.example', iat: claims.exp - 3_600 }) },
    );
    expect(data.viewer).toEqual({
      userPrincipalName: 'anna@partner.example',
      roles: ['ADMIN_AGENT'],
      tenantId: DEMO_PARTNER_TENANT_ID,
      expiresAt: new Date(claims.exp * 1_000).toISOString(),
    });
  });

  test('a field that needs a token says so to who sends none', async () => {
    const { status, data, errors } = await gateway.run('{ orders { totalCount } viewer { roles } }', {}, null);
    expect([status, data]).toEqual([200, { orders: null, viewer: { roles: [] } }]);
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining('Authorization: Bearer'),
        path: ['orders'],
        extensions: { code: 'UNAUTHENTICATED', coordinate: 'Query.orders' },
      },
    ]);
  });

  test('a token that does not hold is refused with 401, whatever is asked', async () => {
    const good = await signed({});
    const [head, body] = good.split('.');
    const refused = {
      'no bearer': good,
      basic: 'Basic YTpi',
      'not a JWT': 'Bearer nonsense',
      'two tokens': `Bearer ${good}, Bearer ${good}`,
      expired: `Bearer ${await signed({ exp: 1 })}`,
      'without exp': `Bearer ${await signed({ exp: undefined as never })}`,
      'without sub': `Bearer ${await signed({ sub: undefined as never })}`,
      'sub that is a number': `Bearer ${await signed({ sub: 5 as never })}`,
      'empty sub': `Bearer ${await signed({ sub: '' })}`,
      'a NUL in sub': `Bearer ${await signed({ sub: 'an\0na' })}`,
      'a line break in upn': `Bearer ${await signed({ upn: 'anna\nadmin' })}`,
      'exp beyond every calendar': `Bearer ${await signed({ exp: 1e15 })}`,
      'a life of a year': `Bearer ${await signed({ exp: later() + 365 * 86_400 })}`,
      'iat ahead of time': `Bearer ${await signed({ iat: later() - 1_800 })}`,
      'foreign audience': `Bearer ${await signed({ aud: 'another-api' })}`,
      'foreign issuer': `Bearer ${await signed({ iss: 'somebody' })}`,
      'not yet valid': `Bearer ${await signed({ nbf: later() })}`,
      'foreign key': `Bearer ${await sign(claims, new Uint8Array(32), { alg: 'HS256' })}`,
      unsigned: `Bearer ${new UnsecuredJWT(claims).encode()}`,
      'signature cut': `Bearer ${head}.${body}.`,
      'tenant that is no GUID': `Bearer ${await signed({ tid: 'contoso' })}`,
      'CUSTOMER_ADMIN without a tenant': `Bearer ${await signed({ roles: ['CUSTOMER_ADMIN'], tid: undefined })}`,
      'roles of a customer and of the partner': `Bearer ${await signed({ roles: ['CUSTOMER_ADMIN', 'ADMIN_AGENT'] })}`,
      'a link’s token': `Bearer ${await sign({ ...claims, aud: 'csp-graph:download' }, gateway.gateway.services.config.signingSecret, { alg: 'HS256' })}`,
    };
    for (const [what, authorization] of Object.entries(refused)) {
      const response = await ask(authorization);
      const { data, errors } = (await response.json()) as {
        data?: unknown;
        errors: { extensions: { code: string } }[];
      };
      expect([what, response.status, data, errors.map((error) => error.extensions.code)]).toEqual([
        what,
        401,
        undefined,
        ['UNAUTHENTICATED'],
      ]);
    }
    expect((await ask(`Bearer ${good}`)).status).toBe(200);
  });

  test('the same tokens open no socket: 4401 to stay away, 4403 to come back where one has expired', async () => {
    for (const [token, code] of [
      ['nonsense', 4401],
      [await signed({ exp: 1 }), 4403],
      [await signed({ aud: 'another-api' }), 4401],
    ] as const) {
      const stream = await gateway.subscribe('{ viewer { roles } }', {}, { token });
      await expect(stream.next()).rejects.toMatchObject({ code });
    }
  });

  test('roles that we do not know, or that are no text, count for nothing', async () => {
    for (const roles of [['Administrator', 'toString', '__proto__'], [['ADMIN_AGENT']], { 0: 'ADMIN_AGENT' }, null]) {
      const token = await signed({ roles: roles as never });
      const { data } = await gateway.run(ViewerDocument, {}, { token });
      expect(data.viewer.roles).toEqual([]);
      const refused = await gateway.run('{ orders { totalCount } }', {}, { token });
      expect(refused.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    }
    const twice = await gateway.run(
      ViewerDocument,
      {},
      { token: await signed({ roles: ['ADMIN_AGENT', 'ADMIN_AGENT'] }) },
    );
    expect(twice.data.viewer.roles).toEqual(['ADMIN_AGENT']);
  });

  test('several roles of the partner add up', async () => {
    const token = await signed({ roles: ['REPORT_VIEWER', 'ACCOUNT_ADMIN'] });
    const { data, errors } = await gateway.run(
      '{ orders { totalCount } activity { totalCount } invoices { totalCount } }',
      {},
      { token },
    );
    expect(data).toMatchObject({ orders: {}, activity: {}, invoices: null });
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', coordinate: 'Query.invoices' } }]);
  });
});

describe('tokens that were checked before', () => {
  const viewer: Viewer = { ...anonymous, userPrincipalName: 'anna' };
  const counting = (expiresAt: number) => {
    const asked: string[] = [];
    const authenticate: Authenticate = async (authorization) => {
      asked.push(authorization ?? '');
      if (authorization === 'bad') throw new Error('bad');
      return { ...viewer, validUntil: expiresAt };
    };
    return { asked, authenticate };
  };

  test('are believed for a minute, and never past their expiry', async () => {
    let time = 0;
    const { asked, authenticate } = counting(90_000);
    const remembering = rememberTokens(authenticate, () => time);
    for (time of [0, 59_999, 60_000, 89_999, 90_000, 90_001]) await remembering('a');
    expect(asked).toHaveLength(4);
  });

  test('are each their own, and those that do not hold are asked for each time', async () => {
    const { asked, authenticate } = counting(90_000);
    const remembering = rememberTokens(authenticate, () => 0);
    await remembering('a');
    await remembering('A');
    await remembering('a');
    for (let times = 0; times < 2; times += 1) await expect(remembering('bad')).rejects.toThrow('bad');
    expect(asked).toEqual(['a', 'A', 'bad', 'bad']);
  });

  test('are forgotten, the oldest first, where there are more than a thousand', async () => {
    const { asked, authenticate } = counting(90_000);
    const remembering = rememberTokens(authenticate, () => 0);
    for (let index = 0; index <= 1_000; index += 1) await remembering(String(index));
    await remembering('1000');
    await remembering('0');
    expect(asked).toHaveLength(1_002);
  });
});

describe(`tokens of an identity provider, on ${engine}`, () => {
  const issuer = 'https://login.example/tenant/v2.0';
  const audience = 'api://csp-graph';
  const partnerTenantId = randomUUID();
  let provider: Server;
  let status = 200;
  let keySet: () => object[];
  let gateway: TestGateway;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  const claims = {
    iss: issuer,
    aud: audience,
    sub: 'anna',
    scp: 'access',
    roles: ['ADMIN_AGENT'],
    tid: partnerTenantId,
    exp: later(),
  };
  beforeAll(async () => {
    keys = await generateKeyPair('RS256', { extractable: true });
    const published = { ...(await exportJWK(keys.publicKey)), kid: 'one', use: 'sig' };
    keySet = () => [published];
    provider = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: keySet() }));
    });
    await new Promise<void>((resolve) => {
      provider.listen(0, '127.0.0.1', resolve);
    });
    const jwksUrl = new URL(`http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`);
    gateway = await startTestGateway({
      config: {
        auth: jwksAuth([{ issuer, jwksUrl }], { audiences: [audience], partnerTenantId }),
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    provider.closeAllConnections();
    provider.close();
  });

  const asked = async (token: string) => {
    const answer = await gateway.run(ViewerDocument, {}, { token });
    return answer.status === 200 ? answer.data.viewer.roles : [answer.status, answer.errors?.[0].extensions.code];
  };
  const signed = (changed: JWTPayload, header = { alg: 'RS256', kid: 'one' }) =>
    sign(JSON.parse(JSON.stringify({ ...claims, ...changed })), keys.privateKey, header);
  const refused = [401, 'UNAUTHENTICATED'];

  test('out of reach: the caller is not told that the token is bad, and need not sign in again', async () => {
    status = 503;
    const answer = await gateway.run(ViewerDocument, {}, { token: await signed({}) });
    status = 200;
    expect([answer.status, answer.errors?.[0].extensions]).toEqual([503, { code: 'UNAVAILABLE', retryAfter: 1 }]);
    expect(answer.headers.get('retry-after')).toBe('1');
    // Asked again once the second is over, whoever asks.
    await until('the provider is in reach', async () => (await asked(await signed({})))[0] === 'ADMIN_AGENT');
    expect(await asked(await signed({}))).toEqual(['ADMIN_AGENT']);
  });

  test('a good one counts, over HTTP and over a socket; the user is upn, else preferred_username, else sub', async () => {
    const upn = { upn: 'Anna@Partner.example', preferred_username: 'other@partner.example' };
    for (const [names, userPrincipalName] of [
      [upn, 'anna@partner.example'],
      [{ preferred_username: 'Other@Partner.example' }, 'other@partner.example'],
      [{}, 'anna'],
    ] as const) {
      const token = await signed(names);
      expect((await gateway.run(ViewerDocument, {}, { token })).data.viewer).toMatchObject({
        userPrincipalName,
        roles: ['ADMIN_AGENT'],
        tenantId: partnerTenantId,
      });
    }
    const stream = await gateway.subscribe('{ viewer { roles } }', {}, { token: await signed({}) });
    expect((await stream.next()).data.viewer.roles).toEqual(['ADMIN_AGENT']);
    await stream.end();
  });

  test('wrong issuer, audience, time, claims, key or algorithm: 401', async () => {
    const publicKey = new TextEncoder().encode(await exportSPKI(keys.publicKey));
    const stranger = await generateKeyPair('RS256');
    const demo = await gateway.token('GLOBAL_ADMIN');
    const bad: Record<string, string> = {
      issuer: await signed({ iss: 'https://login.example/other' }),
      audience: await signed({ aud: 'api://other' }),
      expired: await signed({ exp: 1 }),
      'no exp': await signed({ exp: undefined as never }),
      'no sub': await signed({ sub: undefined as never }),
      'not yet': await signed({ nbf: later() }),
      'HS256 with the public key': await sign(claims, publicKey, { alg: 'HS256', kid: 'one' }),
      'a stranger’s key under a known id': await sign(claims, stranger.privateKey, { alg: 'RS256', kid: 'one' }),
      'a key that is not there': await signed({}, { alg: 'RS256', kid: 'two' }),
      unsigned: new UnsecuredJWT(claims).encode(),
      'a demo token': demo,
      'RS512, which is not among ours': await sign(claims, (await generateKeyPair('RS512')).privateKey, {
        alg: 'RS512',
        kid: 'one',
      }),
    };
    for (const [what, token] of Object.entries(bad))
      expect([what, ...(await asked(token))]).toEqual([what, ...refused]);
  });

  test('roles of the partner count in tokens of the partner’s tenant only; CUSTOMER_ADMIN in those of any other', async () => {
    const customer = await aCustomer(gateway);
    expect(await asked(await signed({ tid: customer.tenantId }))).toEqual([]);
    expect(await asked(await signed({ tid: undefined }))).toEqual([]);
    expect(await asked(await signed({ tid: partnerTenantId.toUpperCase() }))).toEqual(['ADMIN_AGENT']);
    const token = await signed({ roles: ['CUSTOMER_ADMIN'], tid: customer.tenantId.toUpperCase() });
    expect(await asked(token)).toEqual(['CUSTOMER_ADMIN']);
    const { data } = await gateway.run('{ customers { nodes { id } } }', {}, { token });
    expect(data.customers.nodes).toEqual([{ id: customer.id }]);
    // In any tenant one of the two counts, never both.
    const both = ['CUSTOMER_ADMIN', 'REPORT_VIEWER'];
    expect(await asked(await signed({ roles: both }))).toEqual(['REPORT_VIEWER']);
    expect(await asked(await signed({ roles: both, tid: customer.tenantId }))).toEqual(['CUSTOMER_ADMIN']);
  });

  test('a key set may hold several keys, of the kinds RS256, PS256 and ES256', async () => {
    const before = keySet();
    const pairs = await Promise.all(['PS256', 'ES256'].map((alg) => generateKeyPair(alg, { extractable: true })));
    const added = await Promise.all(pairs.map(({ publicKey }) => exportJWK(publicKey)));
    keySet = () => [...before, ...added.map((key, index) => ({ ...key, kid: `more ${index}` }))];
    const fresh = await startTestGateway({ config: { auth: gateway.gateway.services.config.auth } });
    const tokens = await Promise.all([
      signed({}),
      ...pairs.map(({ privateKey }, index) =>
        sign(claims, privateKey, { alg: ['PS256', 'ES256'][index] as string, kid: `more ${index}` }),
      ),
    ]);
    const answers = await Promise.all(tokens.map((token) => fresh.run(ViewerDocument, {}, { token })));
    await fresh.stop();
    expect(answers.map(({ status: code }) => code)).toEqual([200, 200, 200]);
  });
});
