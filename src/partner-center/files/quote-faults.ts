import type { CsvError } from 'csv-parse';
import { FileRefused } from './file-refused.js';

/** A record longer than this is a quote that nobody closed. */
export const MAX_RECORD_BYTES = 128 * 1024;

/** A row that is no CSV, by the line on which it starts. */
export interface UnreadableLine {
  line: number;
  unreadable: string;
}

/**
 * Collects the rows that the parser cannot split. It reports where it stumbled; the row starts right after the last
 * one that it passed, so that is where the person who mends the file should look.
 */
export class QuoteFaults {
  #found: UnreadableLine[] = [];
  #lastLine = 0;

  /** A good row ended on this line. */
  passed(line: number): void {
    this.#lastLine = line;
  }

  /** @throws {FileRefused} for a row without an end: after it the parser would skip the rest of the file */
  add(error: CsvError | undefined): undefined {
    const found = Number(error?.lines ?? 0);
    const line = this.#lastLine + 1;
    // Another quote out of place in a row that is refused already.
    if (found < line) return;
    if (error?.code === 'CSV_MAX_RECORD_SIZE') {
      throw new FileRefused(
        `Line ${line} starts a row of more than ${MAX_RECORD_BYTES / 1024} KiB: a quote in it is not closed.`,
      );
    }
    const where = found > line ? ` (found on line ${found})` : '';
    const unreadable =
      error?.code === 'CSV_QUOTE_NOT_CLOSED'
        ? 'a quote is not closed, or the file is cut off'
        : `a quote is out of place or not closed${where}; a quote inside a cell is written twice`;
    this.#found.push({ line, unreadable });
    this.#lastLine = found;
  }

  /** Whether something is wrong on this line or above it. */
  hasAnyUpTo(line: number): boolean {
    return this.#found.some((fault) => fault.line <= line);
  }

  /** Hands over what was found since the last time, above a line where one is given: the parser reads ahead. */
  take(above = Number.POSITIVE_INFINITY): UnreadableLine[] {
    const taken = this.#found.filter(({ line }) => line < above);
    this.#found = this.#found.filter(({ line }) => line >= above);
    return taken;
  }
}
