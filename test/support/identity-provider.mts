import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

/** Entra ID's directory role of every tenant's own Global Administrator. */
export const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';
/** A service that acts by itself. */
export const SERVICE_CLIENT_ID = '7be1c9a4-0d35-4f72-9c3b-5a1de0f8b433';
const SERVICE_SECRET = 'the secret of the service';
const DAY = 86_400;
const REDIRECT_URI = 'http://127.0.0.1:1/signed-in';
const RESOURCE = 'api://csp-graph';

/** What the providers differ in. The ids are those of `docs/operating.md`. */
const kinds = {
  entra: {
    mount: '/organizations/v2.0',
    keys: '/common/discovery/v2.0/keys',
    /** The gateway's application. In tokens of version 1 the audience is what was asked for, in those of 2 its id. */
    audiences: { 1: RESOURCE, 2: '0f2c1b5e-58a4-4d8c-9f0e-6b7f0a4c1d11' },
    /** The application of the playground and the dashboard. */
    pages: 'c5a7b2de-3f41-4b6c-8a51-2f9f6d0e7a22',
    scope: `${RESOURCE}/access`,
    write: likeEntra,
  },
  keycloak: {
    mount: '/realms/csp',
    keys: '/realms/csp/protocol/openid-connect/certs',
    audiences: { 1: 'csp-graph', 2: 'csp-graph' },
    pages: 'csp-graph-pages',
    scope: 'access',
    write: likeKeycloak,
  },
};

/** Somebody who can sign in, and what the provider says of them beside what it says of all. */
export interface Person {
  tenantId: string;
  claims: Record<string, unknown>;
}

/** What a provider is started with. */
export interface IdentityProviderOptions {
  /** Whose tokens it issues like. */
  like: 'entra' | 'keycloak';
  /** What they enter as their name leads to them. */
  people: Record<string, Person>;
  /** Where the service is registered. */
  serviceTenantId: string;
  /** Seconds that an access token is good. */
  life?: number;
}

/** A provider that is running. */
export interface IdentityProvider {
  url: string;
  /** Where people sign in; below it lies `.well-known`. */
  authority: string;
  jwksUrl: string;
  /** Entra ID's version of the tokens: the application's manifest says it. */
  version: 1 | 2;
  /** Seconds that an access token is good. */
  life: number;
  /** Nothing but errors is answered while it is. */
  isDown: boolean;
  /** What is answered in the place of the key set; null: the key set. */
  keysInstead: string | null;
  /** Times that the key set was asked for. */
  asked: number;
  /** Lets the pages of a gateway sign people in: `http://127.0.0.1:4000`. */
  allow(gatewayUrl: string): Promise<void>;
  /** Puts a new key in the place of the old one. */
  rotate(): Promise<void>;
  /** Signs somebody in by authorization code and PKCE, and answers what the token endpoint did. */
  signIn(login: string): Promise<{ access_token: string; id_token: string; refresh_token?: string }>;
  /** The token of the service, by its secret. */
  serviceToken(): Promise<string>;
  stop(): Promise<void>;
}

const newKey = async () => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: randomUUID(), use: 'sig', alg: 'RS256' };
};

/**
 * A real OpenID provider (oidc-provider) on this machine that writes its access tokens as Entra ID or Keycloak do. Like
 * Entra ID's `organizations` it signs in the people of many tenants, each with the issuer of their own.
 */
export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const { mount, keys, pages, scope } = kinds[options.like];
  let serve: (request: IncomingMessage, response: ServerResponse) => void;
  const server = createServer((request, response) => {
    const path = request.url === keys ? `${mount}/jwks` : (request.url ?? '');
    if (request.url === keys) running.asked += 1;
    if (request.url === keys && running.keysInstead !== null) return void response.end(running.keysInstead);
    if (running.isDown) return void response.writeHead(503).end('the provider is down');
    if (!path.startsWith(`${mount}/`)) return void response.writeHead(404).end();
    request.url = path.slice(mount.length);
    Object.assign(request, { originalUrl: path });
    serve(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const gateways: string[] = [];
  const kept = new Map<string, Record<string, unknown>>();
  const running: IdentityProvider = {
    url,
    authority: `${url}${mount}`,
    jwksUrl: `${url}${keys}`,
    version: 2,
    life: options.life ?? 3_600,
    isDown: false,
    keysInstead: null,
    asked: 0,
    allow: async (gatewayUrl) => {
      gateways.push(gatewayUrl);
      await running.rotate();
    },
    rotate: async () => {
      serve = openProvider({ running, options, gateways, key: await newKey(), kept });
    },
    signIn: (login) =>
      signIn(running.authority, login, { client_id: pages, scope: `openid profile offline_access ${scope}` }),
    serviceToken: async () => {
      const basic = Buffer.from(`${SERVICE_CLIENT_ID}:${encodeURIComponent(SERVICE_SECRET)}`).toString('base64');
      const body = new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE, scope });
      const { access_token } = await tokenOf(running.authority, body, { authorization: `Basic ${basic}` });
      return access_token as string;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  await running.rotate();
  return running;
}

interface Opened {
  running: IdentityProvider;
  options: IdentityProviderOptions;
  gateways: string[];
  key: object;
  kept: Map<string, Record<string, unknown>>;
}

/** An oidc-provider with one key. What it keeps lies beside its instances, so that a new key ends no session. */
function openProvider({ running, options, gateways, key, kept }: Opened) {
  const { people } = options;
  const kind = kinds[options.like];
  const personOf = (login: string) => people[login];
  const provider: Provider = new Provider(running.authority, {
    jwks: { keys: [key] },
    cookies: { keys: ['a key of the tests'] },
    clients: [
      {
        client_id: kind.pages,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [REDIRECT_URI, ...gateways.map((url) => `${url}/signed-in`)],
        post_logout_redirect_uris: gateways.map((url) => `${url}/`),
      },
      {
        client_id: SERVICE_CLIENT_ID,
        client_secret: SERVICE_SECRET,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    scopes: ['openid', 'offline_access', 'profile'],
    adapter: (kind: string) => keptIn(kept, kind),
    claims: { profile: ['preferred_username'] },
    ttl: {
      AccessToken: () => running.life,
      ClientCredentials: () => running.life,
      ...Object.fromEntries(['IdToken', 'Interaction', 'Session', 'Grant', 'RefreshToken'].map((kind) => [kind, DAY])),
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: askWhetherToLeave },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: kind.scope,
          audience: kind.audiences[running.version],
          accessTokenFormat: 'jwt',
        }),
      },
    },
    clientBasedCORS: () => true,
    issueRefreshToken: (_ctx: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    findAccount: (_ctx: unknown, login: string) =>
      personOf(login) && {
        accountId: login,
        claims: () => ({ sub: login, preferred_username: login, ...(personOf(login) as Person).claims }),
      },
    loadExistingGrant: async (ctx: GrantContext) => {
      const grant = new provider.Grant({
        accountId: ctx.oidc.session.accountId,
        clientId: ctx.oidc.client.clientId,
      });
      grant.addOIDCScope('openid profile offline_access');
      grant.addResourceScope(RESOURCE, kind.scope);
      await grant.save();
      return grant;
    },
    interactions: {
      url: (_ctx: unknown, { uid }: { uid: string }) => `${new URL(running.authority).pathname}/sign-in/${uid}`,
    },
    formats: {
      customizers: {
        jwt: (_ctx: unknown, { accountId }: { accountId?: string }, parts: TokenParts) => {
          const person = accountId === undefined ? null : (personOf(accountId) as Person);
          const said = { person, tenantId: person?.tenantId ?? options.serviceTenantId, running };
          kind.write(parts, said);
        },
      },
    },
  });
  const handle = provider.callback();
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith('/sign-in/')) void askForName(provider, request, response);
    else handle(request, response);
  };
}

/** Where a provider keeps its sessions, codes and grants. */
function keptIn(kept: Map<string, Record<string, unknown>>, kind: string) {
  const find = async (id: string) => kept.get(`${kind} ${id}`);
  return {
    find,
    findByUid: async (uid: string) =>
      [...kept.values()].find((value) => value['kind'] === kind && value['uid'] === uid),
    upsert: async (id: string, value: object) => void kept.set(`${kind} ${id}`, { ...value, kind }),
    consume: async (id: string) =>
      void Object.assign((await find(id)) ?? {}, { consumed: Math.floor(Date.now() / 1_000) }),
    destroy: async (id: string) => void kept.delete(`${kind} ${id}`),
    revokeByGrantId: async (grantId: string) => {
      for (const [key, value] of kept) if (value['grantId'] === grantId) kept.delete(key);
    },
  };
}

interface GrantContext {
  oidc: { session: { accountId: string }; client: { clientId: string } };
}
interface TokenParts {
  header?: Record<string, unknown>;
  payload: Record<string, unknown>;
}

/** What is written into a token. */
interface Said {
  /** Null: the service acts by itself. */
  person: Person | null;
  tenantId: string;
  running: IdentityProvider;
}

/** Entra ID: header `typ: JWT`, `scp` as one text, `azp` (v2) or `appid` (v1), `oid` beside a pairwise `sub`. */
function likeEntra(parts: TokenParts, { person, tenantId, running: { url, version } }: Said): void {
  const { scope, client_id: client, sub, ...rest } = parts.payload;
  parts.header = { typ: 'JWT' };
  parts.payload = {
    ...rest,
    iss: version === 2 ? `${url}/${tenantId}/v2.0` : `${url}/${tenantId}/`,
    tid: tenantId,
    ver: `${version}.0`,
    nbf: rest['iat'],
    ...(version === 2 ? { azp: client, azpacr: '0' } : { appid: client, appidacr: '0' }),
    ...(person
      ? {
          scp: String(scope).split('/').at(-1),
          sub: `pairwise ${sub}`,
          oid: sub,
          [version === 2 ? 'preferred_username' : 'upn']: sub,
        }
      : { sub: client, oid: client, roles: ['CSP.Reports'] }),
    ...person?.claims,
  };
}

/** Keycloak: `typ` in the payload, roles of the realm in an object, several audiences. */
function likeKeycloak(parts: TokenParts, { person, tenantId }: Said): void {
  const { client_id: client, sub, scope, ...rest } = parts.payload;
  parts.header = { typ: 'JWT' };
  parts.payload = {
    ...rest,
    typ: 'Bearer',
    aud: [rest['aud'], 'account'],
    azp: client,
    sub,
    scope: ['openid', 'profile', scope].join(' '),
    preferred_username: person ? sub : `service-account-${client}`,
    tenant_id: tenantId,
    realm_access: { roles: person ? ['offline_access'] : ['offline_access', 'csp-reports'] },
    ...person?.claims,
  };
}

/** The page on which somebody says that they really want to sign out. */
function askWhetherToLeave(ctx: { body: string }, form: string): void {
  ctx.body = pageOf('Sign out', `${form}<button form="op.logoutForm" name="logout" value="yes">Yes, sign out</button>`);
}

/** A page without anything from elsewhere. */
function pageOf(title: string, body: string): string {
  return `<!doctype html><html lang="en"><title>${title}</title><link rel="icon" href="data:,">${body}</html>`;
}

/** The page on which somebody says who they are; nobody is asked for a password. */
async function askForName(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') {
    const accountId = new URLSearchParams(await text(request)).get('login');
    return provider.interactionFinished(request, response, { login: { accountId } });
  }
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(
    pageOf(
      'Sign in',
      '<form method="post"><label>Who are you? <input name="login" autofocus required></label> <button>Sign in</button></form>',
    ),
  );
}

/** Signs somebody in as a browser would, with its cookies, and trades the code for tokens. */
async function signIn(authority: string, login: string, client: { client_id: string; scope: string }) {
  const verifier = randomUUID() + randomUUID();
  const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))).toString('base64url');
  const cookies = new Map<string, string>();
  const visit = async (address: string, init: RequestInit = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(address, { ...init, headers: { ...init.headers, cookie }, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string];
      cookies.set(name, value);
    }
    return new URL(answer.headers.get('location') ?? address, address).href;
  };
  const asked = new URLSearchParams({
    ...client,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    nonce: randomUUID(),
  });
  const form = await visit(`${authority}/auth?${asked}`);
  const resumed = await visit(form, { method: 'POST', body: new URLSearchParams({ login }) });
  const back = new URL(await visit(resumed));
  const code = back.searchParams.get('code');
  if (!code) throw new Error(`the provider did not give a code: ${back.search}`);
  return tokenOf(
    authority,
    new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: client.client_id,
      redirect_uri: REDIRECT_URI,
      code,
      code_verifier: verifier,
    }),
  );
}

async function tokenOf(authority: string, body: URLSearchParams, headers: Record<string, string> = {}) {
  const answer = await fetch(`${authority}/token`, { method: 'POST', body, headers });
  const told = (await answer.json()) as { access_token: string; id_token: string; refresh_token?: string };
  if (!answer.ok) throw new Error(`the token endpoint answered ${answer.status}: ${JSON.stringify(told)}`);
  return told;
}
