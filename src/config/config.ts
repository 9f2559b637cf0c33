import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from './config-error.js';
import { localSecrets } from './local-secrets.js';
import type { NatsAddress } from './nats-config.js';

/** What reads of analysts get: connections of their own, so that they never take the front end's, and a time limit. */
export interface AnalystLimits {
  poolSize: number;
  statementTimeoutMs: number;
}

/** Where rows are kept: a PostgreSQL server, or PostgreSQL inside the process (PGlite). */
export type DatabaseConfig =
  | {
      kind: 'server';
      url: string;
      poolSize: number;
      statementTimeoutMs: number;
      analysts?: AnalystLimits;
      /** A streaming replica of it, for reads of analysts while it is at most `maxLagMs` behind. */
      replica?: { url: string; maxLagMs: number } | undefined;
    }
  | { kind: 'embedded'; dataDir: string };

/** Who issues the tokens: an identity provider, or the gateway itself outside production. */
export type AuthConfig =
  | { kind: 'jwks'; jwksUrl: URL; issuer: string; audience: string; partnerTenantId: string | null }
  | { kind: 'demo'; partnerTenantId: string };

/** Everything that can be set, in domain words. Built once by `readConfig`. */
export interface Config {
  production: boolean;
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** Base of the addresses given to clients; null: the address that the server listens on. */
  publicUrl: string | null;
  dataDir: string;
  database: DatabaseConfig;
  auth: AuthConfig;
  /** HMAC secret of quotes, download links, upload addresses, cursors and demo tokens. */
  signingSecret: Uint8Array;
  /** AES-256 keys of product keys at rest, by key id; new ones are encrypted with the first one. */
  productKeySecrets: { keyId: string; secret: Uint8Array }[];
  /** Folder with installation images, `PRODUCT/SKU/VERSION/LANGUAGE/ARCHITECTURE`; null: demonstration images. */
  downloadsDir: string | null;
  /** How long the local provider takes to confirm a cancellation; at most 15 minutes (rule 17). */
  fulfilmentDelayMs: number;
  /** How often the feed's reader looks for what other processes committed. */
  feedPollMs: number;
  /** NATS JetStream between the database and the feeds of many gateways; null: each polls the database. */
  nats: NatsAddress | null;
  /** How often a quiet stream tells its cursor. */
  feedCheckpointMs: number;
  /** How often WebSockets are pinged; one that has not answered by the next ping is released. */
  socketPingMs: number;
  /** From which age on the log names a transaction that holds the feed back, in milliseconds. */
  horizonWarnMs: number;
  /** How often the sealer looks for entries to seal. */
  sealIntervalMs: number;
  /** How long a stopping process waits for what runs. */
  drainTimeoutMs: number;
  /** Demonstration data is loaded into an empty database. */
  demoData: boolean;
  /** `npm start` runs it: then a shell of npm's is the parent process. */
  startedByNpm: boolean;
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
}

/** The partner's tenant in demo tokens. Invented. */
export const DEMO_PARTNER_TENANT_ID = '5b1d0c7e-0000-4000-8000-00000000c500';

const FIFTEEN_MINUTES_MS = 15 * 60_000;
const whole = (what: string, minimum: number, maximum: number) => {
  const error = `must be ${what} from ${minimum} to ${maximum}`;
  return z.coerce.number({ error }).int({ error }).min(minimum, { error }).max(maximum, { error });
};
const milliseconds = (fallback: number, minimum: number, maximum: number) =>
  whole('a whole number of milliseconds', minimum, maximum).default(fallback);
const oneOf = <Value extends string>(...values: [Value, ...Value[]]) =>
  z.enum(values, { error: `must be one of: ${values.join(', ')}` });

const POSTGRES_FORM = 'must look like postgres://user@host:5432/database, with what is special in a password as %XX';
/** An address that cannot be read is never shown: its password would be in it. */
const postgresUrl = (advice = '') =>
  z.string().refine((url) => /^postgres(ql)?:\/\//.test(url) && URL.canParse(url), { error: POSTGRES_FORM + advice });
const NATS_SHAPE = 'must look like nats://host:4222 or tls://host:4222, several joined by commas';

const settings = z.object({
  // A closed list: behind a slip such as "prod" the gateway would hand out demo tokens.
  NODE_ENV: oneOf('development', 'test', 'production').default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: whole('a port number', 0, 65_535).default(4000),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) address such as https://graph.example.com' })
    .optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  DATABASE_URL: postgresUrl('; leave it out for the embedded database').optional(),
  DATABASE_REPLICA_URL: postgresUrl().optional(),
  REPLICA_MAX_LAG_MS: milliseconds(10_000, 100, 600_000),
  DATABASE_POOL_SIZE: whole('a whole number of connections', 2, 500).default(10),
  STATEMENT_TIMEOUT_MS: milliseconds(15_000, 0, 600_000),
  ANALYST_POOL_SIZE: whole('a whole number of connections', 1, 100).default(3),
  ANALYST_STATEMENT_TIMEOUT_MS: milliseconds(15_000, 1, 600_000),
  AUTH_JWKS_URL: z.url({ error: 'must be the address of the identity provider’s key set' }).optional(),
  AUTH_ISSUER: z.string().min(1).optional(),
  AUTH_AUDIENCE: z.string().min(1).optional(),
  PARTNER_TENANT_ID: z.uuid({ error: 'must be the GUID of the partner’s tenant' }).optional(),
  SIGNING_SECRET: z
    .string()
    .min(32, 'must have at least 32 characters; make one with: openssl rand -base64 48')
    .optional(),
  PRODUCT_KEY_SECRETS: z
    .string()
    .regex(
      /^[\w-]+:[A-Za-z0-9+/]{43}=(,[\w-]+:[A-Za-z0-9+/]{43}=)*$/,
      'must be ID:BASE64 pairs of 32-byte keys joined by commas, the one for new keys first; make a key with: openssl rand -base64 32',
    )
    .optional(),
  DOWNLOADS_DIR: z.string().min(1).optional(),
  FULFILMENT_DELAY_MS: milliseconds(2_000, 0, FIFTEEN_MINUTES_MS),
  FEED_POLL_MS: milliseconds(100, 5, 10_000),
  FEED_CHECKPOINT_MS: milliseconds(30_000, 100, 30_000),
  SOCKET_PING_MS: milliseconds(12_000, 100, 600_000),
  HORIZON_WARN_MS: milliseconds(10_000, 0, 3_600_000),
  SEAL_INTERVAL_MS: milliseconds(5_000, 5, 600_000),
  NATS_URL: z
    .string()
    .regex(/^(nats|tls):\/\/[^,\s]+(,(nats|tls):\/\/[^,\s]+)*$/, NATS_SHAPE)
    .refine((url) => url.split(',').every((address) => URL.canParse(address)), { error: NATS_SHAPE })
    .optional(),
  NATS_STREAM_MAX_AGE_MS: milliseconds(3_600_000, 1_000, 30 * 86_400_000),
  NATS_STREAM_MAX_BYTES: whole('a whole number of bytes', 65_536, 2 ** 40).default(256 * 1024 * 1024),
  DRAIN_TIMEOUT_MS: milliseconds(10_000, 0, 600_000),
  DEMO_DATA: oneOf('true', 'false').optional(),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'silent').optional(),
  npm_lifecycle_event: z.string().optional(),
});

/**
 * Reads the settings of the environment. The only place that does.
 * Outside production, secrets that are not set are made once and kept in `DATA_DIR/secrets.json` (mode 600).
 * @throws {ConfigError} naming every wrong setting and what to do.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ...contradictions(given),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);

  const values = parsed.data;
  const production = values.NODE_ENV === 'production';
  const dataDir = resolve(values.DATA_DIR);
  const kept = values.SIGNING_SECRET && values.PRODUCT_KEY_SECRETS ? null : localSecrets(dataDir);
  return {
    production,
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL?.replace(/\/$/, '') ?? null,
    dataDir,
    database: values.DATABASE_URL
      ? {
          kind: 'server',
          url: values.DATABASE_URL,
          replica: values.DATABASE_REPLICA_URL
            ? { url: values.DATABASE_REPLICA_URL, maxLagMs: values.REPLICA_MAX_LAG_MS }
            : undefined,
          poolSize: values.DATABASE_POOL_SIZE,
          statementTimeoutMs: values.STATEMENT_TIMEOUT_MS,
          analysts: {
            poolSize: values.ANALYST_POOL_SIZE,
            statementTimeoutMs: values.ANALYST_STATEMENT_TIMEOUT_MS,
          },
        }
      : { kind: 'embedded', dataDir: join(dataDir, 'postgres') },
    auth:
      values.AUTH_JWKS_URL !== undefined
        ? {
            kind: 'jwks',
            jwksUrl: new URL(values.AUTH_JWKS_URL),
            issuer: values.AUTH_ISSUER as string,
            audience: values.AUTH_AUDIENCE as string,
            partnerTenantId: values.PARTNER_TENANT_ID ?? null,
          }
        : { kind: 'demo', partnerTenantId: values.PARTNER_TENANT_ID ?? DEMO_PARTNER_TENANT_ID },
    signingSecret: new TextEncoder().encode(values.SIGNING_SECRET ?? kept?.signingSecret),
    productKeySecrets: parseProductKeySecrets(values.PRODUCT_KEY_SECRETS ?? kept?.productKeySecrets ?? ''),
    downloadsDir: values.DOWNLOADS_DIR ? resolve(values.DOWNLOADS_DIR) : null,
    fulfilmentDelayMs: values.FULFILMENT_DELAY_MS,
    feedPollMs: values.FEED_POLL_MS,
    nats: values.NATS_URL
      ? { url: values.NATS_URL, maxAgeMs: values.NATS_STREAM_MAX_AGE_MS, maxBytes: values.NATS_STREAM_MAX_BYTES }
      : null,
    feedCheckpointMs: values.FEED_CHECKPOINT_MS,
    socketPingMs: values.SOCKET_PING_MS,
    horizonWarnMs: values.HORIZON_WARN_MS,
    sealIntervalMs: values.SEAL_INTERVAL_MS,
    drainTimeoutMs: values.DRAIN_TIMEOUT_MS,
    demoData: values.DEMO_DATA ? values.DEMO_DATA === 'true' : !values.DATABASE_URL,
    startedByNpm: values.npm_lifecycle_event === 'start',
    logLevel: values.LOG_LEVEL ?? (production ? 'info' : 'warn'),
  };
}

/** What is wrong with settings beside one another, each right by itself. */
function contradictions(given: Record<string, string | undefined>): string[] {
  const problems: string[] = [];
  const jwksGiven = [given['AUTH_JWKS_URL'], given['AUTH_ISSUER'], given['AUTH_AUDIENCE']].filter(Boolean).length;
  if (jwksGiven !== 0 && jwksGiven !== 3)
    problems.push('AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE: set all three or none');
  const folder = given['DOWNLOADS_DIR'];
  if (folder && !existsSync(folder))
    problems.push(`DOWNLOADS_DIR: ${folder} does not exist; create it or leave the setting out`);
  if (given['DATABASE_REPLICA_URL'] && !given['DATABASE_URL'])
    problems.push('DATABASE_REPLICA_URL: needs DATABASE_URL, of which it is a replica');
  if (given['NATS_URL'] && !given['DATABASE_URL'])
    problems.push('NATS_URL: needs DATABASE_URL; the embedded database is one process’s own');
  if (given['NODE_ENV'] !== 'production') return problems;

  if (jwksGiven === 0)
    problems.push(
      'AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE: production needs an identity provider; demo tokens are off there',
    );
  if (!given['DATABASE_URL'])
    problems.push('DATABASE_URL: production needs a PostgreSQL server; the embedded database is for trying out');
  if (!given['SIGNING_SECRET'])
    problems.push('SIGNING_SECRET: required in production; make one with: openssl rand -base64 48');
  if (!given['PRODUCT_KEY_SECRETS'])
    problems.push(
      'PRODUCT_KEY_SECRETS: required in production; ID:BASE64 of a 32-byte key, made with: echo "k1:$(openssl rand -base64 32)"',
    );
  if (given['DEMO_DATA'] === 'true') problems.push('DEMO_DATA: not in production');
  return problems;
}

function parseProductKeySecrets(text: string): Config['productKeySecrets'] {
  return text.split(',').map((pair) => {
    const [keyId = '', secret = ''] = pair.split(':');
    return { keyId, secret: Buffer.from(secret, 'base64') };
  });
}
