import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { isBare, isSafeAddress, SAFE } from './addresses.js';

/** The clouds of Partner Center: where the service is, and where its tokens come from. */
const clouds = {
  global: {
    serviceUrl: 'https://api.partnercenter.microsoft.com',
    authorityUrl: 'https://login.microsoftonline.com',
  },
  'us-government': {
    serviceUrl: 'https://api.partnercenter.microsoft.com',
    authorityUrl: 'https://login.microsoftonline.us',
  },
  china: {
    serviceUrl: 'https://partner.partnercenterapi.microsoftonline.cn',
    authorityUrl: 'https://login.partner.microsoftonline.cn',
  },
} as const;

/** How the gateway's application says who it is: by a secret, or by the private key of a certificate. */
export type Credential =
  | { kind: 'secret'; secret: string }
  | { kind: 'certificate'; privateKey: string; certificate: string };

/** The partner's tenant of Microsoft Partner Center, behind the gateway. */
export interface PartnerCenterConfig {
  tenantId: string;
  clientId: string;
  credential: Credential;
  serviceUrl: string;
  authorityUrl: string;
  /** Whom tokens are for: the service of the cloud, also where a stand-in is asked. */
  audience: string;
  isSandbox: boolean;
  /** Calls of all processes together in a minute. */
  callsPerMinute: number;
  /** How long an answer may take. */
  timeoutMs: number;
  /** How old news of what was done there may be. */
  syncSeconds: number;
  /** Within how many days each customer is read once, whatever is heard of them. */
  crawlDays: number;
}

const whole = (what: string, fallback: number, minimum: number, maximum: number) => {
  const error = `must be a whole number of ${what} from ${minimum} to ${maximum}`;
  return z.coerce.number({ error }).int({ error }).min(minimum, { error }).max(maximum, { error }).default(fallback);
};

/** The settings of Partner Center, with their defaults. */
export const partnerCenterSettings = {
  PARTNER_CENTER_TENANT_ID: z.uuid({ error: 'must be the GUID of the partner’s tenant' }).optional(),
  PARTNER_CENTER_CLIENT_ID: z
    .uuid({ error: 'must be the GUID of the application that is registered there' })
    .optional(),
  PARTNER_CENTER_CLIENT_SECRET: z.string().min(1).optional(),
  PARTNER_CENTER_CERTIFICATE: z
    .string()
    .refine((text) => certificateOf(text) !== null, {
      error: 'must be a certificate and the private key that belongs to it, both in PEM, one behind the other',
    })
    .optional(),
  PARTNER_CENTER_CLOUD: z
    .enum(Object.keys(clouds) as [keyof typeof clouds, ...(keyof typeof clouds)[]], {
      error: `must be one of: ${Object.keys(clouds).join(', ')}`,
    })
    .default('global'),
  PARTNER_CENTER_URL: z
    .string()
    .refine((url) => isSafeAddress(url) && isBare(url), {
      error: `must be the https address of what stands in for Partner Center, such as npm run simulator ${SAFE}`,
    })
    .transform((url) => url.replace(/\/$/, ''))
    .optional(),
  PARTNER_CENTER_SANDBOX: z.enum(['true', 'false'], { error: 'must be one of: true, false' }).default('false'),
  PARTNER_CENTER_CALLS_PER_MINUTE: whole('calls', 400, 1, 10_000),
  PARTNER_CENTER_SYNC_SECONDS: whole('seconds', 60, 1, 86_400),
  PARTNER_CENTER_CRAWL_DAYS: whole('days', 7, 1, 90),
  PARTNER_CENTER_TIMEOUT_MS: whole('milliseconds', 120_000, 100, 600_000),
};

/** Partner Center as it is set; null where it is not: then the gateway sells out of its own tables. */
export function partnerCenterOf(
  values: z.infer<z.ZodObject<typeof partnerCenterSettings>>,
): PartnerCenterConfig | null {
  const { PARTNER_CENTER_TENANT_ID: tenantId, PARTNER_CENTER_CLIENT_ID: clientId } = values;
  const { PARTNER_CENTER_CLIENT_SECRET: secret, PARTNER_CENTER_CERTIFICATE: pem = '' } = values;
  const credential = secret === undefined ? certificateOf(pem) : { kind: 'secret' as const, secret };
  if (!tenantId || !clientId || !credential) return null;
  const { serviceUrl, authorityUrl } = clouds[values.PARTNER_CENTER_CLOUD];
  const standIn = values.PARTNER_CENTER_URL;
  return {
    tenantId,
    clientId,
    credential,
    serviceUrl: standIn ?? serviceUrl,
    authorityUrl: standIn ?? authorityUrl,
    audience: serviceUrl,
    isSandbox: values.PARTNER_CENTER_SANDBOX === 'true',
    callsPerMinute: values.PARTNER_CENTER_CALLS_PER_MINUTE,
    timeoutMs: values.PARTNER_CENTER_TIMEOUT_MS,
    syncSeconds: values.PARTNER_CENTER_SYNC_SECONDS,
    crawlDays: values.PARTNER_CENTER_CRAWL_DAYS,
  };
}

/** A certificate with its private key out of PEM; null where one of them is missing, or they do not belong together. */
function certificateOf(pem: string): Credential | null {
  const certificate = blockOf(pem, 'CERTIFICATE');
  const privateKey = blockOf(pem, 'PRIVATE KEY') ?? blockOf(pem, 'RSA PRIVATE KEY');
  if (!certificate || !privateKey) return null;
  try {
    const key = createPrivateKey(privateKey);
    if (key.asymmetricKeyType !== 'rsa' || !new X509Certificate(certificate).checkPrivateKey(key)) return null;
    return { kind: 'certificate', privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate };
  } catch {
    return null;
  }
}

/** One block of PEM with its marks; null where there is none. */
function blockOf(pem: string, name: string): string | null {
  const [begin, end] = [`-----BEGIN ${name}-----`, `-----END ${name}-----`];
  const from = pem.indexOf(begin);
  const to = pem.indexOf(end, from);
  return from === -1 || to === -1 ? null : pem.slice(from, to + end.length);
}

/** What is wrong with the settings of Partner Center beside one another. */
export function partnerCenterContradictions(given: Record<string, string | undefined>): string[] {
  const has = (name: string) => Boolean(given[name] || given[`${name}_FILE`]);
  const secrets = ['PARTNER_CENTER_CLIENT_SECRET', 'PARTNER_CENTER_CERTIFICATE'].filter(has);
  const others = ['PARTNER_CENTER_TENANT_ID', 'PARTNER_CENTER_CLIENT_ID', 'PARTNER_CENTER_URL', ...secrets].filter(has);
  if (others.length === 0) return [];
  const problems = ['PARTNER_CENTER_TENANT_ID', 'PARTNER_CENTER_CLIENT_ID']
    .filter((name) => !has(name))
    .map((name) => `${name}: needed beside ${others[0]}`);
  if (secrets.length !== 1)
    problems.push('PARTNER_CENTER_CLIENT_SECRET, PARTNER_CENTER_CERTIFICATE: set one of the two');
  if (has('PARTNER_CENTER_URL') && has('PARTNER_CENTER_CLOUD'))
    problems.push('PARTNER_CENTER_URL, PARTNER_CENTER_CLOUD: set one of the two');
  if (has('PARTNER_CENTER_URL') && given['NODE_ENV'] === 'production')
    problems.push('PARTNER_CENTER_URL: not in production: it stands in for Partner Center');
  if (given['DEMO_DATA'] === 'true')
    problems.push('DEMO_DATA: not beside PARTNER_CENTER_TENANT_ID: invented customers are none of Partner Center');
  const jobLimitMs = Number(given['JOB_TIME_LIMIT_MS']);
  if (jobLimitMs > 0 && jobLimitMs <= Number(given['PARTNER_CENTER_TIMEOUT_MS'] ?? 120_000))
    problems.push('JOB_TIME_LIMIT_MS: must be longer than PARTNER_CENTER_TIMEOUT_MS: an attempt makes several calls');
  return problems;
}
