import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { decodeJwt } from 'jose';
import WebSocket from 'ws';
import { followFeed } from '../../src/client/index.js';
import { readConfig } from '../../src/config/config.js';
import { engine } from '../support/database.js';
import { documentedSettings } from '../support/documented-settings.mts';
import { openEvents } from '../support/event-stream.js';
import { followers } from '../support/followers.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import {
  GLOBAL_ADMINISTRATOR,
  type IdentityProvider,
  type Person,
  SERVICE_CLIENT_ID,
  startIdentityProvider,
} from '../support/identity-provider.mts';
import { metricOf } from '../support/metrics.js';
import { aCustomer } from '../support/shop.js';
import { until } from '../support/until.js';

const PARTNER = '8d2f0a6e-1c44-4b58-9d3a-77d0f6c2ab10';
const VIEWER = '{ viewer { userPrincipalName roles noRolesReason tenantId } }';

/** A gateway with the settings that the document gives. */
async function gatewayFor(provider: IdentityProvider, heading: string, changed: Record<string, string> = {}) {
  const { auth } = readConfig({
    SIGNING_SECRET: 'a secret of the tests, long enough for them',
    PRODUCT_KEY_SECRETS: `test:${Buffer.alloc(32).toString('base64')}`,
    ...documentedSettings(heading, provider.url),
    ...changed,
  });
  return startTestGateway({ config: { auth } });
}

const viewerOf = async (gateway: TestGateway, token: string) => {
  const { status, data, errors } = await gateway.run(VIEWER, {}, { token });
  return status === 200 ? data.viewer : [status, errors?.[0].message];
};

const now = () => Math.floor(Date.now() / 1_000);

describe(`Entra ID’s tokens, of a real OpenID provider, with the documented settings, on ${engine}`, () => {
  const people: Record<string, Person> = {
    'anna@partner.example': { tenantId: PARTNER, claims: { roles: ['CSP.AdminAgent'] } },
    'gloria@partner.example': {
      tenantId: PARTNER,
      claims: { roles: ['CSP.GlobalAdmin'], wids: [GLOBAL_ADMINISTRATOR] },
    },
    'nobody@partner.example': { tenantId: PARTNER, claims: { roles: ['CSP.Visitor', 'CSP.Guest'] } },
  };
  let provider: IdentityProvider;
  let gateway: TestGateway;
  let customer: Awaited<ReturnType<typeof aCustomer>>;
  beforeAll(async () => {
    provider = await startIdentityProvider({ like: 'entra', people, serviceTenantId: PARTNER });
    gateway = await gatewayFor(provider, 'Entra ID');
    customer = await aCustomer(gateway);
    const { tenantId } = customer;
    // Administrators of a customer give out the API's roles in their own tenant too.
    people['admin@customer.example'] = {
      tenantId,
      claims: { roles: ['CSP.AdminAgent'], wids: [GLOBAL_ADMINISTRATOR] },
    };
    people['user@customer.example'] = { tenantId, claims: { roles: ['CSP.AdminAgent'] } };
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
  });
  afterEach(() => {
    provider.version = 2;
  });
  const signIn = async (login: string, claims?: Record<string, unknown>) => {
    if (claims)
      people['changed@partner.example'] = { tenantId: PARTNER, claims: { roles: ['CSP.AdminAgent'], ...claims } };
    return (await provider.signIn(claims ? 'changed@partner.example' : login)).access_token;
  };
  const changed = (claims: Record<string, unknown>) => signIn('', claims);

  test.each([1, 2] as const)('version %d: the partner’s people come in from the partner’s tenant', async (version) => {
    provider.version = version;
    const token = await signIn('anna@partner.example');
    expect(decodeJwt(token)).toMatchObject({ ver: `${version}.0`, tid: PARTNER });
    expect(await viewerOf(gateway, token)).toEqual({
      userPrincipalName: 'anna@partner.example',
      roles: ['ADMIN_AGENT'],
      noRolesReason: null,
      tenantId: PARTNER,
    });
  });

  test.each([1, 2] as const)(
    'version %d: a customer’s Global Administrator comes in from their own',
    async (version) => {
      provider.version = version;
      const token = await signIn('admin@customer.example');
      expect(await viewerOf(gateway, token)).toMatchObject({ roles: ['CUSTOMER_ADMIN'], tenantId: customer.tenantId });
      const { data } = await gateway.run('{ customers { nodes { id } } }', {}, { token });
      expect(data.customers.nodes).toEqual([{ id: customer.id }]);
      const stream = await gateway.subscribe(VIEWER, {}, { token });
      expect((await stream.next()).data.viewer.roles).toEqual(['CUSTOMER_ADMIN']);
      await stream.end();
    },
  );

  test('the partner’s own Global Administrator is no customer’s', async () => {
    expect(await viewerOf(gateway, await signIn('gloria@partner.example'))).toMatchObject({ roles: ['GLOBAL_ADMIN'] });
  });

  test('one person’s tokens of both versions are of one person: a request is not done twice', async () => {
    const input = {
      idempotencyKey: 'sent-with-both',
      customerId: customer.id,
      topic: 'CSP Purchase/Refund on behalf of customers',
      impact: 'MINIMAL',
      title: 'title',
      description: 'description',
      contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
    };
    const submit = async (version: 1 | 2) => {
      provider.version = version;
      const { data } = await gateway.run(
        `mutation ($input: SubmitSupportRequestInput!) {
          submitSupportRequest(input: $input) { ... on SubmitSupportRequestSuccess { supportRequest { id } } } }`,
        { input },
        { token: await signIn('anna@partner.example') },
      );
      return data.submitSupportRequest.supportRequest.id;
    };
    expect(await submit(1)).toBe(await submit(2));
  });

  test('an issuer is checked against the token’s tenant', async () => {
    const foreign = await changed({ tid: customer.tenantId });
    expect(await viewerOf(gateway, foreign)).toEqual([401, expect.stringContaining('issuer')]);
    const nameless = await changed({ tid: undefined });
    expect(await viewerOf(gateway, nameless)).toEqual([401, expect.stringContaining('issuer')]);
  });

  test('an application that acts by itself has its own roles and is called by its id', async () => {
    const token = await provider.serviceToken();
    expect(await viewerOf(gateway, token)).toMatchObject({
      userPrincipalName: SERVICE_CLIENT_ID,
      roles: ['REPORT_VIEWER'],
    });
  });

  test('a token that gives no role says why, to its viewer and once in the log', async () => {
    const reason =
      'The claim "roles" gives no role here: it holds "CSP.Visitor", "CSP.Guest". The token has no claim "wids".';
    for (let times = 0; times < 2; times += 1) {
      const token = await signIn('nobody@partner.example');
      expect(await viewerOf(gateway, token)).toMatchObject({ roles: [], noRolesReason: reason });
    }
    const token = await signIn('user@customer.example');
    const elsewhere = 'ADMIN_AGENT counts only in tokens of the partner’s tenant.';
    expect(await viewerOf(gateway, token)).toMatchObject({ roles: [], noRolesReason: elsewhere });
    const told = gateway.log.filter((line) => line.includes('a token gives no role'));
    expect(told.map((line) => JSON.parse(line).reason)).toEqual([reason, elsewhere]);
    expect(told.join()).not.toContain('eyJ');
  });

  test('groups that Entra ID left out are said to be left out', async () => {
    const grouped = await gatewayFor(provider, 'Entra ID', { AUTH_ROLES: 'groups=4f1c:ADMIN_AGENT' });
    expect(await viewerOf(grouped, await changed({ groups: ['4f1c'] }))).toMatchObject({ roles: ['ADMIN_AGENT'] });
    const overage = await changed({ _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: '…' } } });
    expect(await viewerOf(grouped, overage)).toMatchObject({ noRolesReason: expect.stringContaining('left out') });
    await grouped.stop();
  });

  test('clocks may be 60 s apart, in both directions', async () => {
    for (const claims of [{ exp: now() - 40 }, { nbf: now() + 40 }, { iat: now() + 40 }]) {
      const token = await changed(claims);
      expect(await viewerOf(gateway, token)).toMatchObject({ roles: ['ADMIN_AGENT'] });
      const stream = await gateway.subscribe(VIEWER, {}, { token });
      expect((await stream.next()).data.viewer.roles).toEqual(['ADMIN_AGENT']);
      await stream.end();
    }
    for (const [claims, why] of [
      [{ exp: now() - 61 }, 'expired'],
      [{ nbf: now() + 120 }, '"nbf"'],
      [{ iat: now() + 120 }, '"iat"'],
    ] as const)
      expect(await viewerOf(gateway, await changed(claims))).toEqual([401, expect.stringContaining(why)]);
  });

  test('claims are judged like input: 401, and which claim', async () => {
    for (const [claims, why] of [
      [{ sub: 5 }, '"sub" must be a text'],
      [{ sub: '' }, '"sub" must not be empty'],
      [{ sub: 'a\0b' }, '"sub" must not have control characters'],
      [{ sub: 'a'.repeat(256) }, '"sub" must have at most 255 characters'],
      [{ oid: { a: 1 } }, '"oid" must be a text'],
      [{ preferred_username: 'a\nb' }, '"preferred_username" must not have control characters'],
      [{ azp: '\ud800' }, '"azp" must be well-formed Unicode'],
      [{ exp: 1e15 }, 'good for too long'],
      [{ exp: '1e3' }, '"exp"'],
      [{ iat: -1 }, '"iat" must not be before 1970'],
      [{ exp: now() + 90_000 }, 'good for too long'],
    ] as const)
      expect([why, await viewerOf(gateway, await changed(claims))]).toEqual([why, [401, expect.stringContaining(why)]]);
    // A name that is not there is a name that is not there.
    expect(await viewerOf(gateway, await changed({ upn: null, unique_name: '' }))).toMatchObject({
      userPrincipalName: 'changed@partner.example',
    });
  });
});

describe(`Keycloak’s tokens, of a real OpenID provider, with the documented settings, on ${engine}`, () => {
  const people: Record<string, Person> = {
    anna: { tenantId: PARTNER, claims: { realm_access: { roles: ['offline_access', 'csp-admin-agent'] } } },
  };
  let provider: IdentityProvider;
  let gateway: TestGateway;
  beforeAll(async () => {
    provider = await startIdentityProvider({ like: 'keycloak', people, serviceTenantId: PARTNER });
    // As where the API and the pages are one client: an ID token has the right audience too.
    gateway = await gatewayFor(provider, 'Keycloak', { AUTH_AUDIENCE: 'csp-graph,csp-graph-pages' });
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
  });

  test('roles of the realm, the tenant of a mapper, several audiences', async () => {
    const { access_token: token } = await provider.signIn('anna');
    expect(decodeJwt(token)).toMatchObject({ aud: ['csp-graph', 'account'], typ: 'Bearer' });
    expect(await viewerOf(gateway, token)).toMatchObject({
      userPrincipalName: 'anna',
      roles: ['ADMIN_AGENT'],
      tenantId: PARTNER,
    });
    expect(await viewerOf(gateway, await provider.serviceToken())).toMatchObject({
      userPrincipalName: `service-account-${SERVICE_CLIENT_ID}`,
      roles: ['REPORT_VIEWER'],
    });
  });

  test('groups of a customer’s administrators', async () => {
    const customer = await aCustomer(gateway);
    people['admin'] = { tenantId: customer.tenantId, claims: { groups: ['/customers/admins'] } };
    const { access_token: token } = await provider.signIn('admin');
    expect(await viewerOf(gateway, token)).toMatchObject({ roles: ['CUSTOMER_ADMIN'], tenantId: customer.tenantId });
  });

  test('a realm for each tenant has its own keys: none signs for another', async () => {
    const admin = { tenantId: '2b0f6d1e-93c4-4a77-8f2e-6f1f4c0e9a01', claims: { groups: ['/customers/admins'] } };
    // Whoever runs the other realm writes into its tokens what they like.
    const forged = { iss: provider.authority, realm_access: { roles: ['csp-global-admin'] } };
    const others = { admin, forger: { tenantId: PARTNER, claims: forged } };
    const other = await startIdentityProvider({ like: 'keycloak', people: others, serviceTenantId: admin.tenantId });
    const both = await gatewayFor(provider, 'Keycloak', {
      AUTH_ISSUER: `${provider.authority},${other.authority}`,
      AUTH_JWKS_URL: `${provider.jwksUrl},${other.jwksUrl}`,
      AUTH_AUTHORITY: provider.authority,
    });
    expect(await viewerOf(both, (await provider.signIn('anna')).access_token)).toMatchObject({
      roles: ['ADMIN_AGENT'],
    });
    expect(await viewerOf(both, (await other.signIn('admin')).access_token)).toMatchObject({
      roles: ['CUSTOMER_ADMIN'],
    });
    const [status] = (await viewerOf(both, (await other.signIn('forger')).access_token)) as [number];
    expect(status).toBe(401);
    await both.stop();
    await other.stop();
  });

  test('an ID token is no access token, though it has issuer, key and audience', async () => {
    const { id_token: token } = await provider.signIn('anna');
    expect(decodeJwt(token)).toMatchObject({ iss: provider.authority, aud: 'csp-graph-pages' });
    const refused = [401, expect.stringContaining('it is an ID token')];
    expect(await viewerOf(gateway, token)).toEqual(refused);
    people['odd'] = { tenantId: PARTNER, claims: { typ: 'Refresh' } };
    const { access_token: refresh } = await provider.signIn('odd');
    expect(await viewerOf(gateway, refresh)).toEqual([401, expect.stringContaining('of another kind')]);
    people['odd'] = { tenantId: PARTNER, claims: { typ: undefined, scope: undefined } };
    const { access_token: silent } = await provider.signIn('odd');
    expect(await viewerOf(gateway, silent)).toEqual([401, expect.stringContaining('nothing in it says so')]);
  });
});

describe(`the key set of a real OpenID provider, on ${engine}`, () => {
  const people = { gloria: { tenantId: PARTNER, claims: { realm_access: { roles: ['csp-global-admin'] } } } };
  const HOUR_MS = 3_600_000;
  let provider: IdentityProvider;
  let gateway: TestGateway;
  let aheadMs = 0;
  const realNow = Date.now;
  beforeAll(async () => {
    provider = await startIdentityProvider({ like: 'keycloak', people, serviceTenantId: PARTNER });
  });
  afterAll(() => provider.stop());
  beforeEach(async () => {
    // Key sets and what is remembered age by it.
    Date.now = () => realNow() + aheadMs;
    gateway = await gatewayFor(provider, 'Keycloak');
  });
  afterEach(async () => {
    Date.now = realNow;
    Object.assign(provider, { isDown: false, keysInstead: null });
    aheadMs = 0;
    await gateway.stop();
  });
  const signIn = async () => (await provider.signIn('gloria')).access_token;
  const ask = (token: string) => gateway.run(VIEWER, {}, { token });
  const isOutage = (line: string) => line.includes('is out of reach; known keys stay good');
  const backInReach = (token: string) =>
    until('the key set is in reach again', async () => {
      expect((await ask(token)).status).toBe(200);
      return gateway.log.some((line) => line.includes('is in reach again'));
    });
  const overEvents = async (token: string) => {
    const events = await openEvents(gateway, { query: 'subscription { activity { __typename } }', as: { token } });
    const told = [events.status, events.headers['retry-after'] !== undefined];
    events.end();
    return told;
  };
  const closing = async (token: string) => {
    const stream = await gateway.subscribe(VIEWER, {}, { token });
    const next = stream.next();
    await expect(next).rejects.toBeDefined();
    return stream.closed.then(({ code, reason }) => ({ code, reason }));
  };

  test('a new key is fetched when a token first names it', async () => {
    expect((await ask(await signIn())).status).toBe(200);
    await provider.rotate();
    const before = provider.asked;
    const tokens = await Promise.all([signIn(), signIn(), signIn()]);
    expect((await Promise.all(tokens.map(ask))).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(provider.asked).toBe(before + 1);
  });

  test('an outage of any length ends nothing for tokens whose key is known, and is told once', async () => {
    const token = await signIn();
    expect((await ask(token)).status).toBe(200);
    provider.isDown = true;
    for (aheadMs of [HOUR_MS, 2 * HOUR_MS, 72 * HOUR_MS]) expect((await ask(token)).status).toBe(200);
    expect(await metricOf(gateway, 'csp_graph_key_set_failures')).toBeGreaterThan(0);
    expect(await metricOf(gateway, 'csp_graph_key_set_age_seconds')).toBeGreaterThan(71 * 3_600);
    expect(gateway.log.filter(isOutage)).toHaveLength(1);
    provider.isDown = false;
    aheadMs += HOUR_MS;
    await backInReach(token);
    expect(await metricOf(gateway, 'csp_graph_key_set_failures')).toBe(0);
  });

  test('a key that is not known during an outage: 503 with Retry-After, 1013 over WebSocket, one fetch, and back', async () => {
    expect((await ask(await signIn())).status).toBe(200);
    await provider.rotate();
    const token = await signIn();
    provider.isDown = true;
    const before = provider.asked;
    const answers = await Promise.all([ask(token), ask(token), ask(token)]);
    for (const { status, headers, errors } of answers) {
      expect([status, Number(headers.get('retry-after'))]).toEqual([503, errors?.[0].extensions.retryAfter]);
      expect(errors?.[0].extensions).toEqual({ code: 'UNAVAILABLE', retryAfter: 1 });
    }
    expect(await overEvents(token)).toEqual([503, true]);
    expect(await closing(token)).toEqual({ code: 1013, reason: expect.stringContaining('identity provider') });
    expect(provider.asked).toBeLessThanOrEqual(before + 2);
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: Number.POSITIVE_INFINITY,
      retryWait: () => new Promise((resolve) => setImmediate(resolve)),
    });
    const message = client.iterate({ query: VIEWER }).next();
    provider.isDown = false;
    expect((await message).value).toMatchObject({ data: { viewer: { roles: ['GLOBAL_ADMIN'] } } });
    await client.dispose();
    expect((await ask(token)).status).toBe(200);
  });

  test('a key that the provider no longer lists: 401 that a new token mends, 4403 over WebSocket, as one that expired', async () => {
    const token = await signIn();
    await provider.rotate();
    const { status, errors } = await ask(token);
    expect([status, errors?.[0].extensions]).toEqual([401, { code: 'UNAUTHENTICATED', expired: true }]);
    expect(await closing(token)).toEqual({ code: 4403, reason: expect.stringContaining('Get a new one') });
    const good = await signIn();
    expect((await ask(good)).status).toBe(200);
    // Who follows the feed comes back with a new one by himself, over either transport.
    for (const name of ['graphql-ws', 'graphql-sse']) {
      const tokens = [token, good];
      const { subscribe, dispose } = (followers[name] as (typeof followers)[string])(
        gateway.url,
        () => tokens.shift() ?? good,
      );
      for await (const message of followFeed(subscribe, { retryWait: () => 4 })) {
        expect(message.__typename).toBe('FeedCaughtUp');
        break;
      }
      expect([name, tokens]).toEqual([name, []]);
      await dispose();
    }
  });

  test('a key that is withdrawn counts no longer once the set has aged', async () => {
    const token = await signIn();
    expect((await ask(token)).status).toBe(200);
    await provider.rotate();
    expect((await ask(token)).status).toBe(200);
    aheadMs = 700_000;
    expect((await ask(token)).status).toBe(401);
  });

  test('a key that is another issuer’s own signs for nobody else', async () => {
    const token = await signIn();
    const [key] = (await (await fetch(provider.jwksUrl)).json()).keys;
    for (const [issuer, status] of [
      [provider.authority, 200],
      [`${provider.url}/realms/{tenantid}`, 200],
      [`${provider.url}/realms/other`, 401],
    ] as const) {
      provider.keysInstead = JSON.stringify({ keys: [{ ...key, issuer }] });
      aheadMs += HOUR_MS;
      expect([issuer, (await ask(token)).status]).toEqual([issuer, status]);
    }
  });

  test('unknown keys do not have the set fetched over and over', async () => {
    const token = await signIn();
    await provider.rotate();
    const good = await signIn();
    expect((await ask(good)).status).toBe(200);
    const before = provider.asked;
    for (let times = 0; times < 5; times += 1) expect((await ask(token)).status).toBe(401);
    expect(provider.asked).toBe(before + 1);
  });

  test.each([
    ['no JSON', '<html>maintenance</html>'],
    ['no keys', '{"keys":[]}'],
    ['no key set', '{"error":"maintenance"}'],
    ['too much', `{"keys":[{"kty":"RSA","n":"${'A'.repeat(2 ** 20)}"}]}`],
  ])('an answer that is %s takes the place of no good set', async (_, answer) => {
    const token = await signIn();
    expect((await ask(token)).status).toBe(200);
    provider.keysInstead = answer;
    aheadMs = HOUR_MS;
    expect((await ask(token)).status).toBe(200);
    expect(gateway.log.filter(isOutage)).toHaveLength(1);
    provider.keysInstead = null;
    aheadMs += HOUR_MS;
    await backInReach(token);
  });
});
