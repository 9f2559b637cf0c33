import { readConfig } from '../config/config.js';
import { runCommand, UsageError } from './run-command.js';

const USAGE = `Re-adds the ledger and names the first row that does not balance: entries, lines of invoices, orders, cancellations.

  npm run ledger:check

In DATABASE_URL, beside gateways that serve, or in the embedded database while the gateway is stopped.

Exits with 0 when all fits, 1 when something does not, 2 when called wrongly or where the ledger cannot be read.`;

/** Answers the exit code. */
async function main(): Promise<number> {
  if (process.argv.length > 2) throw new UsageError(`Unknown option '${process.argv[2]}'.`);
  const { database } = readConfig();
  const { openOrm } = await import('../database/orm.js');
  const { checkLedger } = await import('../modules/billing/check-ledger.js');
  const { entities } = await import('../schema/entities.js');
  const orm = await openOrm(database.kind === 'server' ? { ...database, statementTimeoutMs: 0 } : database, {
    entities,
  });
  try {
    const { fault, summary } = await checkLedger(orm.em.fork().getKysely() as never);
    console.log(fault === null ? `The ledger balances: ${summary}.` : `DOES NOT BALANCE: ${fault}`);
    return fault === null ? 0 : 1;
  } finally {
    await orm.close(true);
  }
}

// Not 1: that is said of a ledger that does not balance, and somebody may be woken by it.
const COULD_NOT_LOOK = 2;
await runCommand(USAGE, main, COULD_NOT_LOOK);
