import { join, resolve } from 'node:path';
import { Role } from '../domain/role.js';
import { type AuthConfig, authConfigOf } from './auth-config.js';
import { type Bounds, boundsOf } from './bounds.js';
import { ConfigError } from './config-error.js';
import { contradictions } from './contradictions.js';
import type { CostConfig, LimiterConfig } from './cost-config.js';
import type { FileScanConfig } from './file-scan-config.js';
import { type JobsConfig, jobsOf, withPatience } from './jobs-config.js';
import { localSecrets } from './local-secrets.js';
import type { NatsAddress } from './nats-config.js';
import { type PartnerCenterConfig, partnerCenterOf } from './partner-center-config.js';
import { readSecretFiles } from './secret-files.js';
import { settings } from './settings.js';
import { ANONYMOUS, type TrustedDocumentsConfig } from './trusted-documents-config.js';

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
      /** How long a use case waits for what another transaction holds; 0 or left out: as long as a statement may run. */
      lockTimeoutMs?: number;
      analysts?: AnalystLimits;
      /** A streaming replica of it, for reads of analysts while it is at most `maxLagMs` behind. */
      replica?: { url: string; maxLagMs: number } | undefined;
    }
  | { kind: 'embedded'; dataDir: string; statementTimeoutMs?: number };

/** An S3-compatible store, and who the gateway is there: it needs to read objects, and nothing else. */
export interface DownloadStoreConfig {
  /** What lies before the key of an object: `https://HOST/BUCKET/PREFIX`. */
  url: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** Who may see the schema, each as far as the roles may use it. */
export type IntrospectionPolicy = 'everybody' | 'signed-in' | 'nobody';

/** Where operators ask for health and metrics. */
export interface AdminConfig {
  /** A listener of its own; null: they are served beside everything else. */
  listen: { host: string; port: number } | null;
  /** What is asked of whoever wants them; null: nothing. */
  token: string | null;
}

/** Everything that can be set, in domain words. Built once by `readConfig`. */
export interface Config {
  production: boolean;
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** Base of the addresses given to clients; null: the address that the server listens on. */
  publicUrl: string | null;
  /** Proxies whose word on who asks, by which host, is taken: addresses, ranges, or names of proxy-addr. */
  trustedProxies: string[];
  /** Origins whose pages may ask, beside the gateway's own. */
  corsOrigins: string[];
  admin: AdminConfig;
  dataDir: string;
  database: DatabaseConfig;
  auth: AuthConfig;
  /** What operations may cost, and refused attempts. */
  cost: CostConfig;
  /** Where processes share what users have spent. */
  limiter: LimiterConfig;
  /** HMAC secret of quotes, download links, upload addresses, cursors and demo tokens. */
  signingSecret: Uint8Array;
  /** AES-256 keys of product keys at rest, by key id; new ones are encrypted with the first one. */
  productKeySecrets: { keyId: string; secret: Uint8Array }[];
  /** Folder with installation images, `PRODUCT/SKU/VERSION/LANGUAGE/ARCHITECTURE`; null: demonstration images. */
  downloadsDir: string | null;
  /** Who judges files of support requests before anybody may download them; null: nobody does. */
  fileScan: FileScanConfig | null;
  /** S3-compatible store with the same layout, which sends images itself; null: none. */
  downloadsStore: DownloadStoreConfig | null;
  /** How long the local provider takes to confirm a cancellation; at most 15 minutes (rule 17). */
  fulfilmentDelayMs: number;
  /** How long it takes to confirm a purchase; 0: it confirms at once, in the purchase's own transaction. */
  purchaseDelayMs: number;
  /** How many days after its end a month is closed, by the clock of the database. */
  monthCloseDays: number;
  /** How work that waits for somebody is done. */
  jobs: JobsConfig;
  /** The partner's tenant of Microsoft Partner Center; null: none. */
  partnerCenter: PartnerCenterConfig | null;
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
  /** What callers may hold, and how long they may take. */
  bounds: Bounds;
  /** How long a stopping process waits for what runs. */
  drainTimeoutMs: number;
  /** Demonstration data is loaded into an empty database. */
  demoData: boolean;
  /** Documents that are trusted, and who runs only those; null: everybody runs any. */
  trustedDocuments: TrustedDocumentsConfig | null;
  /** Who is answered introspection and `/schema.graphql`, and is told names that are like a wrong one. */
  introspection: IntrospectionPolicy;
  /** Whether `/` is the playground for browsers. */
  playground: boolean;
  /** `npm start` runs it: then a shell of npm's is the parent process. */
  startedByNpm: boolean;
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
}

/**
 * Reads the settings of the environment. The only place that does.
 * Outside production, secrets that are not set are made once and kept in `DATA_DIR/secrets.json` (mode 600).
 * @throws {ConfigError} naming every wrong setting and what to do.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const files = readSecretFiles(given);
  const parsed = settings.safeParse(withPatience(files.values));
  const problems = [
    ...files.problems,
    ...(parsed.error?.issues ?? []).map((issue) => problemOf(issue, files.paths)),
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
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    corsOrigins: values.CORS_ORIGINS ?? [],
    admin: {
      listen:
        values.ADMIN_PORT === undefined ? null : { host: values.ADMIN_HOST ?? values.HOST, port: values.ADMIN_PORT },
      token: values.ADMIN_TOKEN ?? null,
    },
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
          lockTimeoutMs: values.LOCK_TIMEOUT_MS,
          analysts: {
            poolSize: values.ANALYST_POOL_SIZE,
            statementTimeoutMs: values.ANALYST_STATEMENT_TIMEOUT_MS,
          },
        }
      : { kind: 'embedded', dataDir: join(dataDir, 'postgres'), statementTimeoutMs: values.STATEMENT_TIMEOUT_MS },
    auth: authConfigOf(values),
    cost: {
      operation: values.COST_LIMIT,
      perMinute: values.COST_BUDGET,
      refusedAttempts: values.REFUSED_ATTEMPTS_BUDGET,
      refusedLinks: values.REFUSED_LINKS_BUDGET,
      uploadBudget: values.UPLOAD_BUDGET,
    },
    limiter: values.REDIS_URL ? { kind: 'redis', url: values.REDIS_URL } : { kind: 'database' },
    signingSecret: new TextEncoder().encode(values.SIGNING_SECRET ?? kept?.signingSecret),
    productKeySecrets: parseProductKeySecrets(values.PRODUCT_KEY_SECRETS ?? kept?.productKeySecrets ?? ''),
    downloadsDir: values.DOWNLOADS_DIR ? resolve(values.DOWNLOADS_DIR) : null,
    fileScan: values.SUPPORT_FILE_SCAN
      ? { scanner: values.SUPPORT_FILE_SCAN, timeoutMs: values.SUPPORT_FILE_SCAN_TIMEOUT_MS }
      : null,
    downloadsStore: values.DOWNLOADS_STORE_URL
      ? {
          url: values.DOWNLOADS_STORE_URL.replace(/\/$/, ''),
          region: values.DOWNLOADS_STORE_REGION,
          accessKeyId: values.DOWNLOADS_STORE_ACCESS_KEY_ID ?? '',
          secretAccessKey: values.DOWNLOADS_STORE_SECRET_ACCESS_KEY ?? '',
        }
      : null,
    fulfilmentDelayMs: values.FULFILMENT_DELAY_MS,
    purchaseDelayMs: values.PURCHASE_DELAY_MS,
    monthCloseDays: values.MONTH_CLOSE_DAYS,
    jobs: jobsOf(values),
    partnerCenter: partnerCenterOf(values),
    feedPollMs: values.FEED_POLL_MS,
    nats: values.NATS_URL
      ? { url: values.NATS_URL, maxAgeMs: values.NATS_STREAM_MAX_AGE_MS, maxBytes: values.NATS_STREAM_MAX_BYTES }
      : null,
    feedCheckpointMs: values.FEED_CHECKPOINT_MS,
    socketPingMs: values.SOCKET_PING_MS,
    horizonWarnMs: values.HORIZON_WARN_MS,
    sealIntervalMs: values.SEAL_INTERVAL_MS,
    bounds: boundsOf(values),
    drainTimeoutMs: values.DRAIN_TIMEOUT_MS,
    demoData: values.DEMO_DATA ? values.DEMO_DATA === 'true' : !values.DATABASE_URL,
    trustedDocuments: values.TRUSTED_DOCUMENTS
      ? {
          paths: values.TRUSTED_DOCUMENTS,
          roles: (values.TRUSTED_DOCUMENTS_ROLES ?? [
            ...Object.values(Role),
            ANONYMOUS,
          ]) as TrustedDocumentsConfig['roles'],
        }
      : null,
    introspection: introspectionOf(values.INTROSPECTION ?? (production ? 'signed-in' : 'true')),
    playground: values.PLAYGROUND ? values.PLAYGROUND === 'true' : !production,
    startedByNpm: values.npm_lifecycle_event === 'start',
    logLevel: values.LOG_LEVEL ?? (production ? 'info' : 'warn'),
  };
}

/** What is wrong with a setting, by the name it was given under; its value is not repeated. */
function problemOf({ path, message }: { path: PropertyKey[]; message: string }, files: Map<string, string>): string {
  const name = path.join('.');
  const file = files.get(name);
  return file === undefined ? `${name}: ${message}` : `${name}_FILE: what is in ${file} ${message}`;
}

function introspectionOf(value: 'true' | 'signed-in' | 'false'): IntrospectionPolicy {
  if (value === 'signed-in') return value;
  return value === 'true' ? 'everybody' : 'nobody';
}

function parseProductKeySecrets(text: string): Config['productKeySecrets'] {
  return text.split(',').map((pair) => {
    const [keyId = '', secret = ''] = pair.split(':');
    return { keyId, secret: Buffer.from(secret, 'base64') };
  });
}
