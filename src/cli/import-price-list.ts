import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config/config.js';
import { migrate, openOrm } from '../database/orm.js';
import { isCalendarDay } from '../graphql/instant.js';
import type { DateOrder } from '../partner-center/files/dates.js';
import { FileRefused } from '../partner-center/files/file-refused.js';
import { importPriceList } from '../partner-center/price-list/import-price-list.js';
import { summaryText } from '../partner-center/price-list/import-report.js';
import { readPriceList } from '../partner-center/price-list/read-price-list.js';
import { entities } from '../schema/entities.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';
import { importEntryOf } from './import-entry.js';
import { progressBar } from './progress-bar.js';
import { refusalSink } from './refusal-sink.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Imports a software price list as partners download it: a CSV, or the zip with the CSV in it.

  npm run import:price-list -- FILE [--begins DAY] [--dates ORDER] [--dry-run] [--keep-good] [--report FILE]

  --begins DAY   the day the list is for, such as 2026-11-01: prices of its market and currency that it lacks end then;
                 where left out, the latest day from which one of its prices holds
  --dates ORDER  month-first or day-first, where the dates of the file can be read both ways
  --dry-run      says what would change and keeps nothing
  --keep-good    keeps the good rows of a file that has refused ones; without it nothing of such a file is kept
  --report FILE  writes every refused row to a CSV: line, column, value, reason

Exits with 0 when done, 1 when nothing could be kept, 2 when called wrongly. The settings are those of the gateway.`;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      begins: { type: 'string' },
      dates: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      'keep-good': { type: 'boolean', default: false },
      report: { type: 'string' },
    },
  });
  const [file, ...others] = positionals;
  if (!file || others.length > 0) throw new UsageError(file ? 'One file at a time.' : 'Which file?');
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`There is no file ${file}.`);
  const { begins, dates } = values;
  if (dates !== undefined && !isDateOrder(dates)) throw new UsageError('--dates is month-first or day-first.');
  if (begins !== undefined && !isCalendarDay(begins)) throw new UsageError('--begins is a day such as 2026-11-01.');
  const options = { dates, begins: begins === undefined ? undefined : new Date(`${begins}T00:00:00Z`) };
  return { ...options, file, dryRun: values['dry-run'], keepGood: values['keep-good'], report: values.report };
}

const isDateOrder = (text: string): text is DateOrder => text === 'month-first' || text === 'day-first';

/** Answers the exit code. */
async function main(): Promise<number> {
  const given = readArguments();
  const config = readConfig();
  const refusals = refusalSink(given.report);
  const bar = progressBar();
  const orm = await openOrm(config.database, { entities });
  try {
    await migrate(orm);
    await orm.em.fork().transactional((em) => loadReferenceData(em));
    const entry = await importEntryOf('npm run import:price-list', given.file);
    const lines = readPriceList(given.file, bar.update, given.dates);
    const summary = await importPriceList(orm, lines, {
      ...given,
      onRefusal: refusals.take,
      onWarning: (warning) => console.error(warning),
      onKept: (transaction, { rows, refusedRows: refused, prices, endedPrices }) => {
        const counts = { rows, refused, added: prices.NEW, changed: prices.CHANGED, removed: endedPrices };
        return entry.recordIn(orm, transaction, 'PRICE_LIST', counts);
      },
    });
    bar.stop();
    refusals.print();
    console.log(summaryText(basename(given.file), summary, given));
    return summary.refusedRows > 0 && !given.keepGood ? 1 : 0;
  } catch (error) {
    throw error instanceof FileRefused ? new CommandRefused(error.message) : error;
  } finally {
    bar.stop();
    refusals.close();
    await orm.close(true);
  }
}

await runCommand(USAGE, main);
