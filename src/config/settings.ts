import { z } from 'zod';
import { Role } from '../domain/role.js';
import { isAddress, isAddressRange, isBare, isOrigin, isSafeAddress, SAFE } from './addresses.js';
import { type RoleRule, roleRuleOf, TENANT_PLACEHOLDER } from './auth-config.js';
import { boundSettings } from './bounds.js';
import { costDefaults, type PointsByRole, pointsByRole } from './cost-config.js';
import { fileScannerOf, SCANNER_FORM } from './file-scan-config.js';
import { jobSettings } from './jobs-config.js';
import { partnerCenterSettings } from './partner-center-config.js';
import { ANONYMOUS } from './trusted-documents-config.js';

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
  z.string().refine((url) => /^postgres(ql)?:\/\//.test(url) && isAddress(url), { error: POSTGRES_FORM + advice });
const NATS_SHAPE = 'must look like nats://host:4222 or tls://host:4222, several joined by commas';

/** Several, joined by commas. */
const listOf = (isGood: (item: string) => boolean, error: string) =>
  z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .refine((items) => items.every((item) => item !== '' && isGood(item)), { error });
const SCOPES = 'must be scopes joined by blanks, openid among them';
const roleRules = z.string().transform((text, context): RoleRule[] => {
  const rules = text.split(',').map((rule) => roleRuleOf(rule.trim()));
  if (rules.every((rule) => rule !== null)) return rules;
  context.addIssue({
    code: 'custom',
    message:
      'must be CLAIM=VALUE:ROLE joined by commas, such as roles=CSP.AdminAgent:ADMIN_AGENT, with the roles of the graph',
  });
  return z.NEVER;
});

const costByRole = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context): PointsByRole => {
      const points = pointsByRole(text);
      if (points) return points;
      context.addIssue({
        code: 'custom',
        message: 'must be points for everybody and, behind commas, ROLE:POINTS, such as 50000,REPORT_VIEWER:100000',
      });
      return z.NEVER;
    });
const REDIS_SHAPE = 'must look like redis://host:6379 or rediss://host:6379, with what is special in a password as %XX';

/** What signs: any text that is long enough. */
export const signingSecretForm = z
  .string({ error: 'must be a text' })
  .min(32, 'must have at least 32 characters; make one with: openssl rand -base64 48');

/** Keys of product keys at rest, such as `k2:BASE64,k1:BASE64`, each 32 bytes. */
export const productKeySecretsForm = z
  .string({ error: 'must be a text' })
  .regex(
    /^[\w-]+:[A-Za-z0-9+/]{43}=(,[\w-]+:[A-Za-z0-9+/]{43}=)*$/,
    'must be ID:BASE64 pairs of 32-byte keys joined by commas, the one for new keys first; make a key with: openssl rand -base64 32',
  )
  .refine((text) => {
    const ids = text.split(',').map((pair) => pair.split(':')[0]);
    return new Set(ids).size === ids.length;
  }, 'names a key id twice; give every key an id of its own');

/** The settings by the names that the environment gives them, with their defaults. */
export const settings = z.object({
  // A closed list: behind a slip such as "prod" the gateway would hand out demo tokens.
  NODE_ENV: oneOf('development', 'test', 'production').default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: whole('a port number', 0, 65_535).default(4000),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) address such as https://graph.example.com' })
    .refine((url) => isBare(url), 'must be an address without user, query and fragment: links are made behind it')
    .optional(),
  TRUSTED_PROXIES: listOf(
    isAddressRange,
    'must be addresses or ranges such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, joined by commas',
  ).optional(),
  CORS_ORIGINS: listOf(
    isOrigin,
    'must be origins such as https://app.example.com, without a path and without *, joined by commas',
  )
    .transform((origins) => origins.map((origin) => origin.toLowerCase()))
    .optional(),
  ADMIN_PORT: whole('a port number', 0, 65_535).optional(),
  ADMIN_HOST: z.string().min(1).optional(),
  ADMIN_TOKEN: z
    .string()
    .regex(
      /^[\x21-\x7e]{32,}$/,
      'must have at least 32 characters and no blank; make one with: openssl rand -base64 48',
    )
    .optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  DATABASE_URL: postgresUrl('; leave it out for the embedded database').optional(),
  DATABASE_REPLICA_URL: postgresUrl().optional(),
  REPLICA_MAX_LAG_MS: milliseconds(10_000, 100, 600_000),
  DATABASE_POOL_SIZE: whole('a whole number of connections', 2, 500).default(10),
  STATEMENT_TIMEOUT_MS: milliseconds(15_000, 0, 600_000),
  LOCK_TIMEOUT_MS: milliseconds(2_000, 0, 60_000),
  ANALYST_POOL_SIZE: whole('a whole number of connections', 1, 100).default(3),
  ANALYST_STATEMENT_TIMEOUT_MS: milliseconds(15_000, 1, 600_000),
  COST_LIMIT: costByRole(costDefaults.COST_LIMIT),
  COST_BUDGET: costByRole(costDefaults.COST_BUDGET),
  REFUSED_ATTEMPTS_BUDGET: whole('a whole number of attempts', 1, 10_000).default(20),
  REFUSED_LINKS_BUDGET: whole('a whole number of attempts', 1, 100_000).default(200),
  UPLOAD_BUDGET: whole('a whole number of MiB', 1, 1_000_000).default(1_024),
  REDIS_URL: z
    .string()
    .refine((url) => /^rediss?:\/\//.test(url) && isAddress(url), { error: REDIS_SHAPE })
    .optional(),
  AUTH_JWKS_URL: listOf(
    isSafeAddress,
    `must be the https address of the identity provider’s key set ${SAFE}, several joined by commas`,
  ).optional(),
  AUTH_ISSUER: listOf(
    (issuer) => /^[^\s{}]+$/.test(issuer.replace(TENANT_PLACEHOLDER, '')),
    'must be what tokens say in `iss`, with {tenantid} where they have their tenant, several joined by commas',
  ).optional(),
  AUTH_AUDIENCE: listOf(() => true, 'must be what tokens say in `aud`, several joined by commas').optional(),
  AUTH_ROLES: roleRules.optional(),
  AUTH_TENANT_CLAIM: z.string().min(1).default('tid'),
  AUTH_MAX_TOKEN_LIFE_MS: milliseconds(86_400_000, 60_000, 366 * 86_400_000),
  AUTH_CLIENT_ID: z.string().min(1).optional(),
  AUTH_AUTHORITY: z
    .string()
    .refine(isSafeAddress, `must be the https address of the identity provider ${SAFE}`)
    .transform((url) => url.replace(/\/$/, ''))
    .optional(),
  AUTH_SCOPES: z
    .string()
    .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, SCOPES)
    .refine((text) => text.split(' ').includes('openid'), SCOPES)
    .default('openid profile'),
  PARTNER_TENANT_ID: z.uuid({ error: 'must be the GUID of the partner’s tenant' }).optional(),
  SIGNING_SECRET: signingSecretForm.optional(),
  PRODUCT_KEY_SECRETS: productKeySecretsForm.optional(),
  DOWNLOADS_DIR: z.string().min(1).optional(),
  SUPPORT_FILE_SCAN: z
    .string()
    .transform((text, context) => {
      const scanner = fileScannerOf(text);
      if (!scanner) context.addIssue({ code: 'custom', message: SCANNER_FORM });
      return scanner;
    })
    .optional(),
  SUPPORT_FILE_SCAN_TIMEOUT_MS: milliseconds(60_000, 100, 600_000),
  DOWNLOADS_STORE_URL: z
    .string()
    .refine((url) => isSafeAddress(url) && isBare(url), {
      error: `must be the https address of a bucket, such as https://s3.example.com/images, and may have a prefix behind it ${SAFE}`,
    })
    .optional(),
  DOWNLOADS_STORE_REGION: z
    .string()
    .regex(/^[\w-]+$/, 'must be the name of a region such as eu-central-1')
    .default('us-east-1'),
  DOWNLOADS_STORE_ACCESS_KEY_ID: z.string().min(1).optional(),
  DOWNLOADS_STORE_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  FULFILMENT_DELAY_MS: milliseconds(2_000, 0, FIFTEEN_MINUTES_MS),
  MONTH_CLOSE_DAYS: whole('a whole number of days', 0, 3_650).default(0),
  PURCHASE_DELAY_MS: milliseconds(0, 0, FIFTEEN_MINUTES_MS),
  ...jobSettings,
  ...partnerCenterSettings,
  FEED_POLL_MS: milliseconds(100, 5, 10_000),
  FEED_CHECKPOINT_MS: milliseconds(30_000, 100, 30_000),
  SOCKET_PING_MS: milliseconds(12_000, 100, 600_000),
  HORIZON_WARN_MS: milliseconds(10_000, 0, 3_600_000),
  SEAL_INTERVAL_MS: milliseconds(5_000, 5, 600_000),
  NATS_URL: z
    .string()
    .regex(/^(nats|tls):\/\/[^,\s]+(,(nats|tls):\/\/[^,\s]+)*$/, NATS_SHAPE)
    .refine((url) => url.split(',').every(isAddress), { error: NATS_SHAPE })
    .optional(),
  NATS_STREAM_MAX_AGE_MS: milliseconds(3_600_000, 1_000, 30 * 86_400_000),
  NATS_STREAM_MAX_BYTES: whole('a whole number of bytes', 65_536, 2 ** 40).default(256 * 1024 * 1024),
  ...boundSettings,
  DRAIN_TIMEOUT_MS: milliseconds(10_000, 0, 600_000),
  DEMO_DATA: oneOf('true', 'false').optional(),
  TRUSTED_DOCUMENTS: listOf(() => true, 'must be files and folders joined by commas').optional(),
  TRUSTED_DOCUMENTS_ROLES: listOf(
    (role) => role === ANONYMOUS || Object.hasOwn(Role, role),
    `must be roles of the graph joined by commas, ${ANONYMOUS} among them for callers without a role`,
  ).optional(),
  INTROSPECTION: oneOf('true', 'signed-in', 'false').optional(),
  PLAYGROUND: oneOf('true', 'false').optional(),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'silent').optional(),
  npm_lifecycle_event: z.string().optional(),
});

/**
 * Settings that may hold a secret. Each can come as the content of a file too, named by the same setting with `_FILE`
 * behind: orchestrators mount secrets as files, and what is in the environment is read by many.
 */
export const secretSettings = [
  'DATABASE_URL',
  'DATABASE_REPLICA_URL',
  'SIGNING_SECRET',
  'PRODUCT_KEY_SECRETS',
  'DOWNLOADS_STORE_SECRET_ACCESS_KEY',
  'NATS_URL',
  'ADMIN_TOKEN',
  'REDIS_URL',
  'PARTNER_CENTER_CLIENT_SECRET',
  'PARTNER_CENTER_CERTIFICATE',
] as const satisfies (keyof typeof settings.shape)[];

/** Every setting there is, files of secrets included. In small letters is what npm says of itself: that is none. */
export const settingNames: string[] = [
  ...Object.keys(settings.shape).filter((name) => /^[A-Z]/.test(name)),
  ...secretSettings.map((name) => `${name}_FILE`),
];
