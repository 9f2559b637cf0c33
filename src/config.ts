import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

/** Where rows are kept: a PostgreSQL server, or PostgreSQL inside the process (PGlite). */
export type DatabaseConfig =
  | { kind: 'server'; url: string; poolSize: number; statementTimeoutMs: number }
  | { kind: 'embedded'; dataDir: string };

/** Who issues the tokens: an identity provider, or the gateway itself outside production (product.md section 5). */
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
  /** AES-256 keys of product keys at rest, by key id; the first one seals (rule 8). */
  productKeySecrets: { keyId: string; secret: Uint8Array }[];
  /** Folder with installation images, `PRODUCT/SKU/VERSION/LANGUAGE/ARCHITECTURE`; null: demonstration images. */
  downloadsDir: string | null;
  /** How long the local provider takes to confirm a cancellation; at most 15 minutes (rule 17). */
  fulfilmentDelayMs: number;
  /** How often the feed's reader looks for what other processes committed. */
  feedPollMs: number;
  /** How often a quiet stream tells its cursor. */
  feedCheckpointMs: number;
  /** How long a stopping process waits for what runs. */
  drainTimeoutMs: number;
  /** Demonstration data is loaded into an empty database. */
  demoData: boolean;
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
}

/** The partner's tenant in demo tokens. Invented. */
export const DEMO_PARTNER_TENANT_ID = '5b1d0c7e-0000-4000-8000-00000000c500';

const FIFTEEN_MINUTES_MS = 15 * 60_000;
const milliseconds = (fallback: number, maximum: number) =>
  z.coerce.number({ error: 'must be a number of milliseconds' }).int().min(0).max(maximum).default(fallback);

const settings = z.object({
  NODE_ENV: z.string().default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number({ error: 'must be a port number from 0 to 65535' }).int().min(0).max(65_535).default(4000),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) address such as https://graph.example.com' })
    .optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  DATABASE_URL: z
    .string()
    .regex(
      /^postgres(ql)?:\/\//,
      'must look like postgres://user@host:5432/database; leave it out for the embedded database',
    )
    .optional(),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(500).default(10),
  STATEMENT_TIMEOUT_MS: milliseconds(15_000, 600_000),
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
      'must be ID:BASE64 pairs of 32-byte keys joined by commas, the sealing one first; make a key with: openssl rand -base64 32',
    )
    .optional(),
  DOWNLOADS_DIR: z.string().min(1).optional(),
  FULFILMENT_DELAY_MS: milliseconds(2_000, FIFTEEN_MINUTES_MS),
  FEED_POLL_MS: milliseconds(100, 10_000),
  FEED_CHECKPOINT_MS: milliseconds(30_000, 30_000),
  DRAIN_TIMEOUT_MS: milliseconds(10_000, 600_000),
  DEMO_DATA: z.enum(['true', 'false'], { error: 'must be true or false' }).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).optional(),
});

/** All that is wrong with the settings, told together, so that nothing starts half. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  constructor(readonly problems: string[]) {
    super(`The settings are wrong:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/**
 * Reads the settings of the environment. The only place that does.
 * Outside production, secrets that are not set are made once and kept in `DATA_DIR/secrets.json` (mode 600).
 * @throws {ConfigError} naming every wrong setting and what to do.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
  const values = parsed.data;
  const production = values.NODE_ENV === 'production';
  const problems: string[] = [];

  const jwks = [values.AUTH_JWKS_URL, values.AUTH_ISSUER, values.AUTH_AUDIENCE];
  const jwksGiven = jwks.filter((value) => value !== undefined).length;
  if (jwksGiven !== 0 && jwksGiven !== 3)
    problems.push('AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE: set all three or none');
  if (production && jwksGiven === 0)
    problems.push(
      'AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE: production needs an identity provider; demo tokens are off there',
    );
  if (production && !values.DATABASE_URL)
    problems.push('DATABASE_URL: production needs a PostgreSQL server; the embedded database is for trying out');
  if (production && !values.SIGNING_SECRET)
    problems.push('SIGNING_SECRET: required in production; make one with: openssl rand -base64 48');
  if (production && !values.PRODUCT_KEY_SECRETS)
    problems.push(
      'PRODUCT_KEY_SECRETS: required in production; ID:BASE64 of a 32-byte key, made with: echo "k1:$(openssl rand -base64 32)"',
    );
  if (production && values.DEMO_DATA === 'true') problems.push('DEMO_DATA: not in production');
  if (values.DOWNLOADS_DIR && !existsSync(values.DOWNLOADS_DIR))
    problems.push(`DOWNLOADS_DIR: ${values.DOWNLOADS_DIR} does not exist; create it or leave the setting out`);
  if (problems.length > 0) throw new ConfigError(problems);

  const dataDir = resolve(values.DATA_DIR);
  const kept = values.SIGNING_SECRET && values.PRODUCT_KEY_SECRETS ? null : keptSecrets(dataDir);
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
          poolSize: values.DATABASE_POOL_SIZE,
          statementTimeoutMs: values.STATEMENT_TIMEOUT_MS,
        }
      : { kind: 'embedded', dataDir: join(dataDir, 'postgres') },
    auth:
      jwksGiven === 3
        ? {
            kind: 'jwks',
            jwksUrl: new URL(values.AUTH_JWKS_URL as string),
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
    feedCheckpointMs: values.FEED_CHECKPOINT_MS,
    drainTimeoutMs: values.DRAIN_TIMEOUT_MS,
    demoData: values.DEMO_DATA ? values.DEMO_DATA === 'true' : !values.DATABASE_URL,
    logLevel: values.LOG_LEVEL ?? (production ? 'info' : 'warn'),
  };
}

function parseProductKeySecrets(text: string): Config['productKeySecrets'] {
  return text.split(',').map((pair) => {
    const [keyId = '', secret = ''] = pair.split(':');
    return { keyId, secret: Buffer.from(secret, 'base64') };
  });
}

function keptSecrets(dataDir: string): { signingSecret: string; productKeySecrets: string } {
  const file = join(dataDir, 'secrets.json');
  mkdirSync(dataDir, { recursive: true });
  try {
    const secrets = {
      signingSecret: randomBytes(48).toString('base64'),
      productKeySecrets: `local:${randomBytes(32).toString('base64')}`,
    };
    // 'wx': the first of several processes makes the file, the others read it.
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600, flag: 'wx' });
    return secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return JSON.parse(readFileSync(file, 'utf8'));
  }
}
