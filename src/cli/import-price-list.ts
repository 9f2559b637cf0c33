import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { stringify } from 'csv-stringify/sync';
import { readConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { migrate, openOrm } from '../database/orm.js';
import { importPriceList, type Refusal } from '../partner-center/price-list/import-price-list.js';
import { refusalText, summaryText } from '../partner-center/price-list/import-report.js';
import { PriceListRefused } from '../partner-center/price-list/price-list-columns.js';
import { readPriceList } from '../partner-center/price-list/read-price-list.js';
import { entities } from '../schema/entities.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';

const USAGE = `Imports a software price list as partners download it: a CSV, or the zip with the CSV in it.

  npm run import:price-list -- FILE [--dry-run] [--keep-good] [--report FILE]

  --dry-run      says what would change and keeps nothing
  --keep-good    keeps the good rows of a file that has refused ones; without it nothing of such a file is kept
  --report FILE  writes every refused row to a CSV: line, column, value, reason

Exits with 0 when done, 1 when nothing could be kept, 2 when called wrongly. The settings are those of the gateway.`;

/** Refusals shown; `--report` has them all. */
const SHOWN_REFUSALS = 50;

class UsageError extends Error {}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        'dry-run': { type: 'boolean', default: false },
        'keep-good': { type: 'boolean', default: false },
        report: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return null;
    const [file, ...others] = positionals;
    if (!file || others.length > 0) throw new UsageError(file ? 'One file at a time.' : 'Which file?');
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`There is no file ${file}.`);
    return { file, dryRun: values['dry-run'], keepGood: values['keep-good'], report: values.report };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

/** The bar on a terminal; silent where output goes to a file or another program. */
function progressBar() {
  const bar = new SingleBar({
    format: '[{bar}] {percentage} %  {megabytes} of {totalMegabytes} MB',
    stream: process.stderr,
    hideCursor: true,
  });
  const shown = process.stderr.isTTY === true;
  const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(1);
  let started = false;
  return {
    update(bytes: number, totalBytes: number): void {
      if (!shown) return;
      if (!started) bar.start(totalBytes, 0, { megabytes: '0.0', totalMegabytes: megabytes(totalBytes) });
      started = true;
      bar.update(bytes, { megabytes: megabytes(bytes) });
    },
    stop: () => bar.stop(),
  };
}

/** Takes refusals as they come: keeps the first ones to show, writes all to the report. */
function refusalSink(path: string | undefined) {
  const report = path === undefined ? undefined : openReport(path);
  const write = (cells: unknown[]) =>
    report !== undefined && writeSync(report, stringify([cells], { escape_formulas: true }));
  const shown: Refusal[] = [];
  let count = 0;
  write(['line', 'column', 'value', 'reason']);
  return {
    take(refusal: Refusal): void {
      count += 1;
      if (shown.length < SHOWN_REFUSALS) shown.push(refusal);
      write([refusal.line, refusal.column ?? '', refusal.value, refusal.reason]);
    },
    print(): void {
      for (const refusal of shown) console.error(refusalText(refusal));
      if (count > shown.length)
        console.error(`and ${count - shown.length} more${path ? ` in ${path}` : '; --report FILE writes them all'}`);
    },
    close: () => report !== undefined && closeSync(report),
  };
}

function openReport(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new UsageError(`The report cannot be written: ${(error as Error).message}.`);
  }
}

/** Answers the exit code. */
async function main(): Promise<number> {
  const given = readArguments();
  if (given === null) {
    console.log(USAGE);
    return 0;
  }
  const config = readConfig();
  const refusals = refusalSink(given.report);
  const bar = progressBar();
  const orm = await openOrm(config.database, { entities });
  try {
    await migrate(orm);
    await orm.em.fork().transactional((em) => loadReferenceData(em));
    const lines = readPriceList(given.file, bar.update);
    const summary = await importPriceList(orm, lines, { ...given, onRefusal: refusals.take });
    bar.stop();
    refusals.print();
    console.log(summaryText(basename(given.file), summary, given));
    return summary.refusedRows > 0 && !given.keepGood ? 1 : 0;
  } finally {
    bar.stop();
    refusals.close();
    await orm.close(true);
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    const expected = error instanceof PriceListRefused || error instanceof ConfigError || error instanceof UsageError;
    console.error(expected ? error.message : `The import failed and nothing was kept: ${error.message}`);
    if (error instanceof UsageError) console.error(`\n${USAGE}`);
    process.exitCode = error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
  },
);
