import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import pino from 'pino';
import { readConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { openSharedCounters } from '../cost/shared-counters.js';
import { poolOf } from '../database/execute.js';
import { type Em, migrate, type Orm, openOrm } from '../database/orm.js';
import { acceptEncryptionKeys } from '../modules/entitlements/encryption-keys.js';
import { drySync, type SyncReport, wholeSync } from '../modules/mirroring/whole-sync.js';
import { CALLS_COUNTER, WINDOW_MS } from '../partner-center/rest/call-budget.js';
import { openPartnerCenter } from '../partner-center/rest/open.js';
import { tellingOf } from '../partner-center/rest/telling.js';
import { entities } from '../schema/entities.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Reads all that Microsoft Partner Center tells of the partner's business, as the gateway does by itself bit by bit.

  npm run sync -- [--dry-run]

  --dry-run  says what would change and keeps nothing

The list of customers, then the orders, subscriptions and entitlements of each, then records of what was done there. What
was interrupted goes on where it was, and calls are counted together with those of the gateways: crawls leave a fifth of
PARTNER_CENTER_CALLS_PER_MINUTE to purchases. Entitlements are told only to somebody who has signed in (npm run
partner-center:sign-in); without that the rest is read.

With the embedded database stop the gateway first. Exits with 0 when all was read, 1 when something could not be, 2 when
called wrongly.`;

/** Answers the exit code. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  if (positionals.length > 0) throw new UsageError(`What is ${positionals[0]}?`);
  const isDry = values['dry-run'];
  const config = readConfig();
  const { partnerCenter, database, productKeySecrets: keys, limiter } = config;
  if (!partnerCenter)
    throw new ConfigError(['PARTNER_CENTER_TENANT_ID: not set; docs/partner-center.md says what is needed beside it']);
  const orm = await openOrm(database.kind === 'server' ? { ...database, poolSize: 6 } : database, { entities });
  const kysely = orm.em.fork().getKysely() as never;
  try {
    await prepare(orm, keys);
    const pool = database.kind === 'server' ? await poolOf(orm) : undefined;
    const counters = openSharedCounters({ limiter, pool, kysely, log: pino({ level: 'silent' }) });
    const counter = counters.counter(CALLS_COUNTER, WINDOW_MS);
    const { partnerCenter: asked, budget } = openPartnerCenter({ config: partnerCenter, kysely, keys, counter });
    const stopping = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
    const mirror = {
      upstream: tellingOf(asked),
      inTransaction: <Result>(work: (em: Em) => Promise<Result>) => orm.em.fork().transactional(work),
      reads: () => orm.em.fork(),
      clock: (at: Date) => at,
      signal: stopping.signal,
    };
    const bar = progress();
    try {
      const report = await (isDry ? drySync : wholeSync)(mirror, bar.update);
      bar.stop();
      tell(report, isDry, budget.calls);
      return report.problem === null && report.entitlementsError === null ? 0 : 1;
    } catch (error) {
      bar.stop();
      if (stopping.signal.aborted) throw new CommandRefused('Interrupted. The same command goes on from here.');
      throw new CommandRefused(`${(error as Error).message}\nThe same command goes on from here.`);
    } finally {
      await counters.close();
    }
  } finally {
    await orm.close(true);
  }
}

async function prepare(orm: Orm, keys: Parameters<typeof acceptEncryptionKeys>[1]): Promise<void> {
  await migrate(orm);
  await orm.em.fork().transactional((em) => loadReferenceData(em));
  const problems = await orm.em.fork().transactional((em) => acceptEncryptionKeys(em, keys));
  if (problems.length > 0) throw new ConfigError(problems);
}

/** A bar on a terminal; silent where output goes to a file or another program. */
function progress() {
  const bar = new SingleBar({
    format: '[{bar}] {percentage} %  {value} of {total} customers',
    stream: process.stderr,
    hideCursor: true,
  });
  const isShown = process.stderr.isTTY === true;
  let hasStarted = false;
  return {
    update: (done: number, all: number) => {
      if (!isShown) return;
      if (!hasStarted) bar.start(all, 0);
      hasStarted = true;
      bar.setTotal(all);
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}

function tell({ told, read, changes, entitlementsError, problem }: SyncReport, isDry: boolean, calls: number): void {
  const { customers, orders, lines, cancelled, gone, left, firstLeft } = changes;
  console.log(`${read} customers read with ${calls} calls; ${told} records ${isDry ? 'are not told yet' : 'told'}`);
  console.log(
    `new: ${customers} customers, ${orders} orders with ${lines} lines; ${cancelled} lines cancelled, ${gone} gone, ${left} left`,
  );
  if (firstLeft !== null) console.log(`left: ${firstLeft}`);
  if (entitlementsError !== null) console.error(`entitlements: ${entitlementsError}`);
  if (problem !== null) console.error(problem);
  if (isDry) console.log('Dry run: nothing was kept.');
}

await runCommand(USAGE, main);
