import { parseArgs } from 'node:util';
import { demoIdentity } from '../auth/demo-identities.js';
import { demoTenantId } from '../auth/demo-tenant.js';
import { Role } from '../auth/role.js';
import { signDemoToken } from '../auth/tokens.js';
import { readConfig } from '../config/config.js';
import { openOrm } from '../database/orm.js';
import { Customer } from '../modules/customers/customer.entity.js';
import { entities } from '../schema/entities.js';

/** `npm run --silent token -- --role ADMIN_AGENT [--customer DOMAIN] [--ttl 1h]`: prints a demo token, and nothing else. */
const USAGE = `Usage: npm run --silent token -- --role ROLE [--customer DOMAIN] [--ttl 1h]\nROLE is one of ${Object.keys(Role).join(', ')}; a CUSTOMER_ADMIN is of one customer: name its domain.`;

async function main(): Promise<string> {
  const { values } = parseArgs({
    options: {
      role: { type: 'string' },
      customer: { type: 'string' },
      ttl: { type: 'string', default: '8h' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return USAGE;
  const role = values.role?.toUpperCase() as Role | undefined;
  if (!role || !Object.hasOwn(Role, role)) throw new Error(USAGE);
  if (!/^\d+ ?(s|m|h|d)$/.test(values.ttl)) throw new Error('--ttl must be a number and s, m, h or d, such as 30m');
  const config = readConfig();
  if (config.auth.kind !== 'demo')
    throw new Error(
      'Tokens come from the identity provider (AUTH_JWKS_URL): the gateway does not sign demo tokens here.',
    );
  const domain = values.customer?.toLowerCase();
  const customer = domain ? { domain, tenantId: await tenantOf(domain, config) } : undefined;
  return signDemoToken(demoIdentity(role, config.auth.partnerTenantId, customer), values.ttl, config.signingSecret);
}

/** The embedded database belongs to the gateway's process; tenants of its customers follow from their domains. */
async function tenantOf(domain: string, { database }: ReturnType<typeof readConfig>): Promise<string> {
  if (database.kind === 'embedded') return demoTenantId(domain);
  const orm = await openOrm(database, { entities });
  try {
    const customer = await orm.em.fork().findOne(Customer, { domain });
    if (!customer) throw new Error(`There is no customer with the domain ${domain}.`);
    return customer.tenantId;
  } finally {
    await orm.close(true);
  }
}

main().then(
  (token) => console.log(token),
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  },
);
