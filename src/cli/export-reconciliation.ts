import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { readConfig } from '../config/config.js';
import { openOrm } from '../database/orm.js';
import { exportReconciliation, invoicedCurrencies } from '../modules/reconciling/export-reconciliation.js';
import { header, rowsText } from '../partner-center/reconciliation/write-rows.js';
import { entities } from '../schema/entities.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Writes the lines of our invoices of a month in the columns of Microsoft's reconciliation file.

  npm run --silent export:reconciliation -- --month MONTH [--currency CODE] [--output FILE]

  --month MONTH    such as 2026-10
  --currency CODE  of which currency, where several were invoiced: a file has one
  --output FILE    where to write it; standard output where left out

Exits with 0 when done, 1 where there is nothing to write, 2 when called wrongly. The settings are those of the gateway; with
the embedded database stop the gateway first.`;

function readArguments() {
  const { values } = parseArgs({
    options: { month: { type: 'string' }, currency: { type: 'string' }, output: { type: 'string' } },
  });
  const { month, currency, output } = values;
  if (!month || !/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new UsageError('Which month? --month 2026-10');
  if (currency !== undefined && !/^[A-Z]{3}$/i.test(currency))
    throw new UsageError('--currency is a code such as USD.');
  return { month, currency: currency?.toUpperCase(), output };
}

/** Errors of the file itself have a path; others are the database's. */
function refuseOutput(error: NodeJS.ErrnoException): never {
  throw error.path === undefined ? error : new CommandRefused(`The file cannot be written: ${error.message}.`);
}

async function main(): Promise<undefined> {
  const { month, currency, output } = readArguments();
  const first = `${month}-01`;
  const orm = await openOrm(readConfig().database, { entities });
  try {
    const database = orm.em.fork().getKysely();
    const invoiced = await invoicedCurrencies(database, first);
    const chosen = currency ?? invoiced[0];
    if (chosen === undefined || !invoiced.includes(chosen))
      throw new CommandRefused(`Nothing was invoiced for ${month}${currency ? ` in ${currency}` : ''}.`);
    if (currency === undefined && invoiced.length > 1)
      throw new CommandRefused(`${invoiced.join(', ')} were invoiced for ${month}: say which with --currency.`);
    let lines = 0;
    const text = async function* () {
      yield header();
      for await (const rows of exportReconciliation(database, { month: first, currency: chosen })) {
        lines += rows.length;
        yield rowsText(rows);
      }
    };
    if (output === undefined) await pipeline(text, process.stdout, { end: false });
    else await pipeline(text, createWriteStream(output)).catch(refuseOutput);
    console.error(`${lines} lines of ${month} in ${chosen}`);
  } finally {
    await orm.close(true);
  }
  return undefined;
}

await runCommand(USAGE, main);
