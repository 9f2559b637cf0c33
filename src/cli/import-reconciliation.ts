import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'csv-stringify/sync';
import { readConfig } from '../config/config.js';
import { migrate, openOrm } from '../database/orm.js';
import { importReconciliation } from '../modules/reconciling/import-reconciliation.js';
import type { JudgedLine } from '../modules/reconciling/judge-lines.js';
import {
  lineText,
  odditiesText,
  REPORT_COLUMNS,
  reconciliationText,
  reportCells,
} from '../modules/reconciling/reconciliation-report.js';
import { FileRefused } from '../partner-center/files/file-refused.js';
import type { Spelling } from '../partner-center/reconciliation/spelling.js';
import { entities } from '../schema/entities.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';
import { operatorOf } from './operator.js';
import { progressBar } from './progress-bar.js';
import { refusalSink } from './refusal-sink.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Holds a reconciliation file of Microsoft's against our invoices: the CSV of Partner Center, or the JSON lines of the
billing export, plain, zipped or gzipped, as they are.

  npm run import:reconciliation -- FILE [--month MONTH] [--dates ORDER] [--decimals MARK] [--tolerance AMOUNT]
                                        [--table FILE] [--report FILE] [--dry-run] [--keep-good]
                                        [--create-unknown-customers] [--manifest FILE]

  --month MONTH       the month that the file is of, such as 2026-10; where left out, that from which most lines are charged
  --dates ORDER       month-first or day-first, where no date of the file says which
  --decimals MARK     point or comma, where no number of the file says which
  --tolerance AMOUNT  by how much amounts may differ and count as equal, such as 1.00; 0 where left out
  --table FILE        writes what became of every line to a CSV
  --report FILE       writes every refused row to a CSV: line, column, value, reason
  --create-unknown-customers
                      creates the customers that the gateway does not know, with the products, orders, licences and
                      charges of the file; done unasked where it has no customers at all
  --manifest FILE     the manifest of the billing export that the file is of, as JSON: its eTag is kept with the evidence
  --dry-run           says what would come out and keeps nothing
  --keep-good         takes the good rows of a file that has refused ones; without it nothing of such a file is kept

Exits with 0 when done, whatever came out; 1 when nothing could be kept, 2 when called wrongly. The settings are those of
the gateway.`;

/** Lines shown that are not equal; `--table` has them all. */
const SHOWN_LINES = 20;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      month: { type: 'string' },
      dates: { type: 'string' },
      decimals: { type: 'string' },
      tolerance: { type: 'string', default: '0' },
      table: { type: 'string' },
      report: { type: 'string' },
      manifest: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      'keep-good': { type: 'boolean', default: false },
      'create-unknown-customers': { type: 'boolean', default: false },
    },
  });
  const [file, ...others] = positionals;
  if (!file || others.length > 0) throw new UsageError(file ? 'One file at a time.' : 'Which file?');
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`There is no file ${file}.`);
  const { month, dates, decimals, tolerance, table, report } = values;
  if (month !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    throw new UsageError('--month is a month such as 2026-10.');
  if (dates !== undefined && dates !== 'month-first' && dates !== 'day-first')
    throw new UsageError('--dates is month-first or day-first.');
  if (decimals !== undefined && decimals !== 'point' && decimals !== 'comma')
    throw new UsageError('--decimals is point or comma.');
  if (!/^\d{1,9}(\.\d{1,4})?$/.test(tolerance)) throw new UsageError('--tolerance is an amount such as 1.00.');
  const spelling: Partial<Spelling> = { ...(dates && { dates }), ...(decimals && { decimals }) };
  const options = {
    dryRun: values['dry-run'],
    keepGood: values['keep-good'],
    createUnknown: values['create-unknown-customers'],
    tolerance,
    spelling,
    manifestEtag: values.manifest === undefined ? null : eTagOf(values.manifest),
  };
  return { ...options, file, month: month && `${month}-01`, table, report };
}

/** What a manifest says of the version of its data. */
function eTagOf(path: string): string {
  let manifest: { eTag?: unknown };
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`The manifest cannot be read: ${(error as Error).message}.`);
  }
  const eTag = manifest?.eTag;
  if (typeof eTag !== 'string' || eTag === '' || eTag.length > 500)
    throw new UsageError('--manifest is the JSON of a manifest of the billing export, with its eTag.');
  return eTag;
}

/** Takes judged lines as they come: keeps the first ones to show that are not equal, writes all to the table. */
function lineSink(path: string | undefined) {
  const table = path === undefined ? undefined : openTable(path);
  const shown: JudgedLine[] = [];
  return {
    shown,
    take(lines: JudgedLine[], found: { sha256: string; currency: string }): void {
      for (const line of lines) if (line.verdict !== 'EQUAL' && shown.length < SHOWN_LINES) shown.push(line);
      if (table === undefined) return;
      writeSync(
        table,
        stringify(
          lines.map((line) => reportCells(line, found)),
          { escape_formulas: true },
        ),
      );
    },
    close: () => table !== undefined && closeSync(table),
  };
}

function openTable(path: string): number {
  try {
    const table = openSync(path, 'w');
    writeSync(table, `\ufeff${stringify([[...REPORT_COLUMNS]])}`);
    return table;
  } catch (error) {
    throw new UsageError(`The table cannot be written: ${(error as Error).message}.`);
  }
}

/** Answers the exit code. */
async function main(): Promise<number> {
  const given = readArguments();
  const config = readConfig();
  const refusals = refusalSink(given.report);
  const lines = lineSink(given.table);
  const bar = progressBar();
  const orm = await openOrm(config.database, { entities });
  try {
    await migrate(orm);
    await orm.em.fork().transactional((em) => loadReferenceData(em));
    const found = await importReconciliation(orm, given.file, basename(given.file), {
      ...given,
      actor: operatorOf('npm run import:reconciliation'),
      now: new Date(),
      onProgress: bar.update,
      onRefusal: refusals.take,
      onJudged: lines.take,
    });
    bar.stop();
    refusals.print();
    for (const odd of odditiesText(found)) console.error(odd);
    console.log(reconciliationText(basename(given.file), found, given));
    for (const line of lines.shown) console.log(lineText(line, found.currency));
    const differing = found.verdicts.reduce((sum, each) => sum + (each.verdict === 'EQUAL' ? 0 : each.lines), 0);
    if (differing > lines.shown.length)
      console.log(
        `and ${differing - lines.shown.length} more${given.table ? ` in ${given.table}` : '; --table FILE writes them all'}`,
      );
    return found.refusedRows > 0 && !given.keepGood ? 1 : 0;
  } catch (error) {
    throw error instanceof FileRefused ? new CommandRefused(error.message) : error;
  } finally {
    bar.stop();
    refusals.close();
    lines.close();
    await orm.close(true);
  }
}

await runCommand(USAGE, main);
