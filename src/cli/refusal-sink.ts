import { closeSync, openSync, writeSync } from 'node:fs';
import { stringify } from 'csv-stringify/sync';
import { quoted } from '../partner-center/files/shown-text.js';
import { UsageError } from './run-command.js';

/** Why a row is not taken; `column` is null where the row as a whole cannot be read. */
export interface ShownRefusal {
  line: number;
  column: string | null;
  value: string;
  reason: string;
}

/** Refusals shown; `--report` has them all. */
const SHOWN_REFUSALS = 50;

/** One refusal as one line: `line 7, UnitPrice "1,234.50": must be digits …`. Safe for a terminal. */
export function refusalText({ line, column, value, reason }: ShownRefusal): string {
  return column === null ? `line ${line}: ${reason}` : `line ${line}, ${column} ${quoted(value)}: ${reason}`;
}

/** Takes refusals as they come: keeps the first ones to show, writes all to the report. */
export function refusalSink(path: string | undefined) {
  const report = path === undefined ? undefined : openReport(path);
  const write = (cells: unknown[]) =>
    report !== undefined && writeSync(report, stringify([cells], { escape_formulas: true }));
  const shown: ShownRefusal[] = [];
  let count = 0;
  write(['line', 'column', 'value', 'reason']);
  return {
    take(refusal: ShownRefusal): void {
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
