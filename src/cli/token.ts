import { parseArgs } from 'node:util';
import { demoIdentity } from '../auth/demo-identities.js';
import { demoTenantId } from '../auth/demo-tenant.js';
import { Role, roleDescriptions } from '../auth/role.js';
import { signDemoToken } from '../auth/tokens.js';
import { readConfig } from '../config/config.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Prints a demo token, and nothing else on standard output.

  npm run --silent token -- --role ROLE [--customer DOMAIN] [--ttl 8h] [--json]
  npm run --silent token -- --all       [--customer DOMAIN] [--ttl 8h] [--json]

  --role ROLE        ${Object.keys(Role).slice(0, 5).join(', ')},
                     ${Object.keys(Role).slice(5, 8).join(', ')},
                     ${Object.keys(Role).slice(8).join(', ')}
  --all              one of every role, with what it may
  --customer DOMAIN  the customer of a CUSTOMER_ADMIN (default contoso.onmicrosoft.com)
  --ttl TIME         how long it is good: a number and s, m, h or d (default 8h, at most a day)
  --json             with who it is for, as JSON

The settings must be the gateway's: it is signed with SIGNING_SECRET, or the secret kept in DATA_DIR.`;

const DEFAULT_LIFE_S = 8 * 3_600;

interface DemoToken {
  role: Role;
  description: string;
  userPrincipalName: string;
  tenantId: string;
  token: string;
}

async function main(): Promise<undefined> {
  const { values } = parseArgs({
    options: {
      role: { type: 'string' },
      all: { type: 'boolean', default: false },
      customer: { type: 'string' },
      ttl: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { all, json } = values;
  const role = values.role?.toUpperCase() as Role | undefined;
  if (all === (role !== undefined)) throw new UsageError('Either --role ROLE, or --all.');
  if (role !== undefined && !Object.hasOwn(Role, role)) throw new UsageError(`There is no role ${values.role}.`);
  const asked = values.ttl === undefined ? undefined : secondsOf(values.ttl);
  if (asked === null) throw new UsageError(`--ttl ${values.ttl}: must be like 30m or 8h.`);
  const config = readConfig();
  const { auth } = config;
  if (auth.kind !== 'demo')
    throw new CommandRefused(
      'Tokens come from the identity provider (AUTH_JWKS_URL): the gateway does not sign demo tokens here.',
    );
  const maximum = auth.maxTokenLifeMs / 1_000;
  if (asked !== undefined && asked > maximum)
    throw new CommandRefused(`--ttl ${values.ttl}: a token may be good for ${maximum} s (AUTH_MAX_TOKEN_LIFE_MS).`);
  const ttl = `${asked ?? Math.min(DEFAULT_LIFE_S, maximum)}s`;
  const domain = values.customer?.toLowerCase();
  const customer = domain ? { domain, tenantId: await tenantOf(domain, config) } : undefined;
  const tokens = await Promise.all(
    (role ? [role] : Object.values(Role)).map(async (each): Promise<DemoToken> => {
      const identity = demoIdentity(each, auth.partnerTenantId, customer);
      const token = await signDemoToken(identity, ttl, config.signingSecret);
      return { ...identity, description: roleDescriptions[each], token };
    }),
  );
  if (json) console.log(JSON.stringify(all ? tokens : tokens[0], null, 2));
  else console.log(all ? tokens.map(textOf).join('\n\n') : tokens[0]?.token);
}

/** Null: it is no time. */
function secondsOf(ttl: string): number | null {
  const [, count, unit] = /^([1-9]\d*) ?([smhd])$/.exec(ttl) ?? [];
  return count && unit ? Number(count) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's'] : null;
}

function textOf({ role, description, userPrincipalName, token }: DemoToken): string {
  return `${role}, ${userPrincipalName}\n${description}\n${token}`;
}

/** The embedded database belongs to the gateway's process; tenants of its customers follow from their domains. */
async function tenantOf(domain: string, { database }: ReturnType<typeof readConfig>): Promise<string> {
  if (database.kind === 'embedded') return demoTenantId(domain);
  // Most tokens need no database, and loading what opens one takes longer than all the rest.
  const [{ openOrm }, { Customer }, { entities }] = await Promise.all([
    import('../database/orm.js'),
    import('../modules/customers/customer.entity.js'),
    import('../schema/entities.js'),
  ]);
  const orm = await openOrm(database, { entities });
  try {
    const customer = await orm.em.fork().findOne(Customer, { domain });
    if (!customer) throw new CommandRefused(`There is no customer with the domain ${domain}.`);
    return customer.tenantId;
  } finally {
    await orm.close(true);
  }
}

await runCommand(USAGE, main);
