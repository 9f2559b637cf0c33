import { pipeline, Transform } from 'node:stream';
import { TextDecoder } from 'node:util';
import { type Options, parse } from 'csv-parse';
import { FileRefused } from './file-refused.js';
import { openFile, type Progress } from './open-file.js';
import { MAX_RECORD_BYTES, QuoteFaults } from './quote-faults.js';
import { withoutStop } from './shown-text.js';

/**
 * The header first, then every row with as many cells as it has, or why it cannot be split. `line` counts from 1, the
 * header included, and is where the row starts.
 */
export type CsvRecord =
  | { header: string[] }
  | { line: number; record: string[] }
  | { line: number; unreadable: string };

interface NumberedRecord {
  record: string[];
  line: number;
}

/**
 * Reads a CSV of Partner Center row by row: plain, zipped or gzipped, UTF-8 or UTF-16 with a byte order mark, one that
 * was put before another, a line `sep=,` above the header, LF or CRLF. Rows without any content are passed over. Memory
 * does not grow with the file.
 * @throws {FileRefused} where the file as a whole cannot be taken
 */
export async function* readCsvRecords(path: string, onProgress?: Progress): AsyncGenerator<CsvRecord> {
  const { stream, close } = await openFile(path, onProgress);
  const faults = new QuoteFaults();
  const options: Options<NumberedRecord, string[]> = {
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    max_record_size: MAX_RECORD_BYTES,
    skip_records_with_error: true,
    on_record: (record: string[], { lines }) => {
      faults.passed(lines);
      return { record, line: lines - lineBreaksIn(record) };
    },
    on_skip: (error) => faults.add(error),
  };
  // The types of csv-parse know of callbacks that change a record's shape only where columns are named.
  const parser = parse(options as unknown as Options);
  pipeline(stream, plainText(), parser, () => close());
  try {
    let hasHeader = false;
    let rows = 0;
    for await (const { record, line } of parser as AsyncIterable<NumberedRecord>) {
      if (!hasHeader) {
        if (isSeparatorLine(record)) continue;
        if (!isHeader(record) || faults.hasAnyUpTo(line)) throw notCommaSeparated();
        hasHeader = true;
        yield { header: record };
        continue;
      }
      for (const fault of faults.take(line)) {
        rows += 1;
        yield fault;
      }
      rows += 1;
      yield { line, record };
    }
    const last = faults.take();
    if (!hasHeader && last.length > 0) throw notCommaSeparated();
    if (rows + last.length === 0) throw new FileRefused('The file holds no rows.');
    yield* last;
  } catch (error) {
    throw error instanceof FileRefused
      ? error
      : new FileRefused(`The file cannot be read: ${withoutStop((error as Error).message)}.`);
  } finally {
    parser.destroy();
    stream.destroy();
  }
}

/**
 * Bytes to text without byte order mark, line ends made LF: inside quotes csv-parse counts a CRLF as two lines, and
 * the numbers in the report would drift.
 */
export function plainText(): Transform {
  let decoder: TextDecoder | undefined;
  let held = '';
  let hasBegun = false;
  const normalise = (text: string) => {
    // A mark that a program put before the one that was there already: the decoder takes one.
    const whole = hasBegun ? held + text : text.replace(/^\ufeff+/, '');
    hasBegun ||= whole !== '';
    held = whole.endsWith('\r') ? '\r' : '';
    return (held ? whole.slice(0, -1) : whole).replaceAll('\r\n', '\n');
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      decoder ??= new TextDecoder(encodingOf(chunk));
      done(null, normalise(decoder.decode(chunk, { stream: true })));
    },
    flush(done) {
      done(null, normalise(decoder?.decode() ?? '') + held);
    },
  });
}

function encodingOf(start: Buffer): string {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

const lineBreaksIn = (record: string[]): number =>
  record.reduce((count, cell) => count + cell.split('\n').length - 1, 0);

/** `sep=,`, by which Excel is told how to read the file; whatever else stands there is no header either. */
const isSeparatorLine = (record: string[]): boolean =>
  record.join(',').replace(/,$/, '').trim().toLowerCase() === 'sep=';

const isHeader = (record: string[]): boolean => record.length > 1 || !/[;\t]/.test(record[0] ?? '');

const notCommaSeparated = () =>
  new FileRefused(
    'The header is not comma-separated. Download the file again, or save it as "CSV UTF-8 (comma delimited)".',
  );
