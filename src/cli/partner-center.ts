import { parseArgs } from 'node:util';
import pino from 'pino';
import { readConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import type { PartnerCenterConfig } from '../config/partner-center-config.js';
import { openSharedCounters } from '../cost/shared-counters.js';
import { poolOf } from '../database/execute.js';
import { type Orm, openOrm } from '../database/orm.js';
import { acceptEncryptionKeys } from '../modules/entitlements/encryption-keys.js';
import { CALLS_COUNTER, WINDOW_MS } from '../partner-center/rest/call-budget.js';
import { type OpenedPartnerCenter, openPartnerCenter } from '../partner-center/rest/open.js';
import { entities } from '../schema/entities.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Signs somebody in to Microsoft Partner Center for the gateway, or looks whether it can be reached.

  npm run partner-center:sign-in
  npm run partner-center:check

sign-in shows an address and a code: whoever opens the one and enters the other, with a second factor, as a member of
AdminAgents, lets the gateway act in their name. What it gets is kept encrypted in the database and renewed with each
use; 90 days without one, and somebody has to sign in again.
check asks for a token of each kind, and with each for a little: what works, what does not and why.

With the embedded database stop the gateway first. Exits with 1 where something does not work, 2 when called wrongly.`;

async function main(): Promise<number> {
  const { positionals } = parseArgs({ allowPositionals: true, options: {} });
  const [what] = positionals;
  if (positionals.length !== 1 || (what !== 'sign-in' && what !== 'check'))
    throw new UsageError('Say whether to sign-in or to check.');
  const config = readConfig();
  const { partnerCenter, database, productKeySecrets: keys, limiter } = config;
  if (!partnerCenter)
    throw new ConfigError(['PARTNER_CENTER_TENANT_ID: not set; docs/partner-center.md says what is needed beside it']);
  const orm = await openOrm(database.kind === 'server' ? { ...database, poolSize: 2 } : database, { entities });
  const kysely = orm.em.fork().getKysely() as never;
  const pool = database.kind === 'server' ? await poolOf(orm) : undefined;
  const counters = openSharedCounters({ limiter, pool, kysely, log: pino({ level: 'silent' }) });
  try {
    await holdKeys(orm, keys);
    const counter = counters.counter(CALLS_COUNTER, WINDOW_MS);
    const opened = openPartnerCenter({ config: partnerCenter, kysely, keys, counter });
    return what === 'sign-in' ? await signIn(opened) : await check(opened, partnerCenter);
  } finally {
    await counters.close();
    await orm.close(true);
  }
}

/** The keys must be the database's: what is encrypted with another one is lost to the gateways. */
async function holdKeys(orm: Orm, keys: Parameters<typeof acceptEncryptionKeys>[1]): Promise<void> {
  const problems = await orm.em.fork().transactional((em) => acceptEncryptionKeys(em, keys));
  if (problems.length > 0) throw new ConfigError(problems);
}

async function signIn({ tokens, signIn: kept }: OpenedPartnerCenter): Promise<number> {
  try {
    const begun = await tokens.beginSignIn();
    console.log(`Open ${begun.verification_uri} and enter the code ${begun.user_code}`);
    await tokens.endSignIn(begun);
  } catch (error) {
    throw new CommandRefused((error as Error).message);
  }
  console.log(`Signed in. To be done again by ${dayOf(await kept.dueAt())}, unless it is used before.`);
  return 0;
}

const dayOf = (date: Date | null) => date?.toISOString().slice(0, 10) ?? 'never';

/** Tells line by line what can be asked. Answers the exit code. */
async function check(
  { partnerCenter, signIn: kept }: OpenedPartnerCenter,
  { tenantId, serviceUrl, isSandbox }: PartnerCenterConfig,
): Promise<number> {
  console.log(`asking ${serviceUrl} as tenant ${tenantId}${isSandbox ? ', a sandbox' : ''}`);
  let failed = 0;
  const look = async <Result>(name: string, ask: () => Promise<Result>, tell: (result: Result) => string) => {
    try {
      const result = await ask();
      console.log(`${name}: ${tell(result)}`);
      return result;
    } catch (error) {
      failed += 1;
      console.log(`${name}: ${(error as Error).message}`);
      return undefined;
    }
  };
  const first = await look(
    'customers',
    async () => (await partnerCenter.customers().next()).value ?? [],
    (page) => (page.length === 0 ? 'none' : `there are, such as ${page[0]?.companyProfile.domain}`),
  );
  const today = dayOf(new Date());
  await look(
    'audit records of today',
    async () => (await partnerCenter.auditRecords(today, today).next()).value ?? [],
    (page) => `${page.length} on the first page`,
  );
  await look(
    'invoices',
    () => partnerCenter.invoices(),
    ({ length }) => String(length),
  );
  const customer = first?.[0];
  if (customer) {
    await look(
      'orders of that customer',
      () => partnerCenter.orders(customer.id),
      ({ length }) => String(length),
    );
    await look(
      'subscriptions',
      () => partnerCenter.subscriptions(customer.id),
      ({ length }) => String(length),
    );
    await look(
      'entitlements, as who signed in',
      () => partnerCenter.entitlements(customer.id),
      ({ length }) => String(length),
    );
  }
  console.log(`sign in again by: ${dayOf(await kept.dueAt())}`);
  return failed === 0 ? 0 : 1;
}

await runCommand(USAGE, main);
