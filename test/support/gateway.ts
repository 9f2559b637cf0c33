import { type Client, createClient } from 'graphql-ws';
import pino from 'pino';
import WebSocket from 'ws';
import { demoIdentity } from '../../src/auth/demo-identities.js';
import type { Role } from '../../src/auth/role.js';
import { signDemoToken } from '../../src/auth/tokens.js';
import { DEMO_PARTNER_TENANT_ID } from '../../src/config/auth-config.js';
import { type Bounds, defaultBounds } from '../../src/config/bounds.js';
import type { Config } from '../../src/config/config.js';
import type { CostConfig } from '../../src/config/cost-config.js';
import { defaultJobs, type JobsConfig } from '../../src/config/jobs-config.js';
import { type Gateway, type GatewayOptions, startGateway } from '../../src/server/start-gateway.js';
import type { TypedDocumentString } from '../generated/graphql.js';
import { type TestDatabase, testDatabase } from './database.js';

/** A role, or a whole token. */
export type Caller = Role | { token: string };

/** An answer over HTTP. */
// biome-ignore lint/suspicious/noExplicitAny: untyped documents answer untyped data
export interface Answer<Data = any> {
  status: number;
  data: Data;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  errors: any[] | undefined;
  headers: Headers;
}

/** A gateway under test, reached as users reach it. */
export interface TestGateway {
  url: string;
  gateway: Gateway;
  /** Lines of its log so far. */
  log: string[];
  token(role: Role, options?: { domain?: string; tenantId?: string; ttl?: string; user?: string }): Promise<string>;
  /** POSTs an operation; `as` is a role, a whole token, or null for anonymous. */
  run<Data, Variables>(
    document: TypedDocumentString<Data, Variables>,
    variables: Variables,
    as?: Caller | null,
  ): Promise<Answer<Data>>;
  run(document: string, variables?: Record<string, unknown>, as?: Caller | null): Promise<Answer>;
  /** Subscribes over graphql-transport-ws; `next` answers the following message. */
  subscribe(
    document: TypedDocumentString<unknown, never> | string,
    variables?: Record<string, unknown>,
    as?: Caller,
  ): Promise<TestStream>;
  /** Runs SQL on its database. */
  sql<Row = Record<string, unknown>>(statement: string, parameters?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

/** Messages of a subscription, pulled by the test. */
export interface TestStream {
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as clients do
  next(): Promise<any>;
  /** The next message of that type, leaving others behind. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  nextOf(typename: string): Promise<any>;
  end(): Promise<void>;
  client: Client;
  closed: Promise<{ code: number; reason: string }>;
}

/** Costs that no test meets by the way: those about costs set their own. */
export const testCosts: CostConfig = {
  operation: { everybody: 1_000_000, byRole: new Map() },
  perMinute: { everybody: 100_000_000, byRole: new Map() },
  refusedAttempts: 1_000,
  refusedLinks: 1_000,
  uploadBudget: 100_000,
};

/** Jobs whose failures are tried again in a second, for as long as a test may take. */
export const testJobs: JobsConfig = { ...defaultJobs(), pollMs: 100, retryDelayMaxMs: 1_000, attempts: 1_000 };

/** Starts a gateway on a database and port of its own. */
export async function startTestGateway(
  options: GatewayOptions & { config?: Partial<Config>; bounds?: Partial<Bounds>; database?: TestDatabase } = {},
): Promise<TestGateway> {
  const database = options.database ?? (await testDatabase());
  const log: string[] = [];
  const config: Config = {
    production: false,
    host: '127.0.0.1',
    port: 0,
    publicUrl: null,
    trustedProxies: [],
    corsOrigins: [],
    admin: { listen: null, token: null },
    dataDir: '/nonexistent',
    database: database.config,
    auth: { kind: 'demo', partnerTenantId: DEMO_PARTNER_TENANT_ID, maxTokenLifeMs: 86_400_000 },
    cost: testCosts,
    limiter: { kind: 'database' },
    signingSecret: new TextEncoder().encode('a secret of the tests, long enough for them'),
    productKeySecrets: [{ keyId: 'test', secret: new Uint8Array(32).fill(7) }],
    downloadsDir: null,
    fileScan: null,
    downloadsStore: null,
    fulfilmentDelayMs: 0,
    purchaseDelayMs: 0,
    // Tests have clocks of their own, by which months are not over that are by the database's.
    monthCloseDays: 36_500,
    jobs: testJobs,
    partnerCenter: null,
    feedPollMs: 20,
    feedCheckpointMs: 30_000,
    socketPingMs: 12_000,
    horizonWarnMs: 10_000,
    sealIntervalMs: 600_000,
    nats: null,
    bounds: { ...defaultBounds(), ...options.bounds },
    drainTimeoutMs: 5_000,
    demoData: false,
    trustedDocuments: null,
    introspection: 'everybody',
    playground: true,
    startedByNpm: false,
    logLevel: 'info',
    ...options.config,
  };
  const gateway = await startGateway(config, {
    ...options,
    pglite: database.pglite,
    log: pino({ level: config.logLevel }, { write: (line: string) => void log.push(line) }),
  });
  const token: TestGateway['token'] = async (role, { domain, tenantId, ttl = '1h', user } = {}) => {
    const identity = demoIdentity(
      role,
      DEMO_PARTNER_TENANT_ID,
      domain ? { domain, tenantId: tenantId as string } : undefined,
    );
    return signDemoToken(
      { ...identity, userPrincipalName: user ?? identity.userPrincipalName },
      ttl,
      config.signingSecret,
    );
  };
  const bearer = async (as: Caller | null) =>
    as === null ? undefined : `Bearer ${typeof as === 'string' ? await token(as) : as.token}`;

  return {
    url: gateway.url,
    gateway,
    log,
    token,
    run: async (document: unknown, variables: unknown = {}, as: Caller | null = 'GLOBAL_ADMIN') => {
      const authorization = await bearer(as);
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
        body: JSON.stringify({ query: String(document), variables }),
      });
      const body = (await response.json()) as Pick<Answer, 'data' | 'errors'>;
      return { status: response.status, headers: response.headers, data: body.data, errors: body.errors };
    },
    subscribe: async (document, variables = {}, as = 'GLOBAL_ADMIN') =>
      openStream(gateway.url, String(document), variables, await bearer(as)),
    sql: async <Row>(statement: string, parameters: unknown[] = []) =>
      gateway.services.orm.em.fork().execute<Row[]>(statement, parameters),
    stop: async () => {
      await gateway.stop();
      await database.drop();
    },
  };
}

async function openStream(
  url: string,
  query: string,
  variables: Record<string, unknown>,
  authorization: string | undefined,
): Promise<TestStream> {
  let close: (event: { code: number; reason: string }) => void;
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    close = resolve;
  });
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: authorization ? { authorization } : {},
    lazy: true,
    retryAttempts: 0,
    on: { closed: (event) => close(event as { code: number; reason: string }) },
  });
  const messages = client.iterate<Record<string, unknown>>({ query, variables });
  const next = async () => {
    const { value, done } = await messages.next();
    return done ? undefined : value;
  };
  return {
    client,
    closed,
    next,
    nextOf: async (typename) => {
      for (;;) {
        const message = await next();
        if (!message) throw new Error(`the stream ended before ${typename}`);
        if (message.errors) throw new Error(JSON.stringify(message.errors));
        const [payload] = Object.values(message.data ?? {}) as { __typename: string }[];
        if (payload?.__typename === typename) return payload;
      }
    },
    end: async () => {
      await messages.return?.();
      await client.dispose();
    },
  };
}
