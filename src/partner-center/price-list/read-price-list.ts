import { pipeline, Transform } from 'node:stream';
import { TextDecoder } from 'node:util';
import { type Options, parse } from 'csv-parse';
import { openPriceList } from './open-price-list.js';
import { type Cells, PriceListHeader, PriceListRefused } from './price-list-columns.js';
import { type DateOrder, orderTold } from './price-list-date.js';
import { MAX_RECORD_BYTES, QuoteFaults } from './quote-faults.js';
import { quoted, withoutStop } from './shown-text.js';

/**
 * One row as it stands in the file, with the order of its dates; or what was passed over. `line` counts from 1, the
 * header included, and is where the row starts.
 */
export type PriceListLine = Row | { warning: string };
type Row = { line: number; cells: Cells; dates: DateOrder | null } | { line: number; unreadable: string };

interface NumberedRecord {
  record: string[];
  line: number;
}

/**
 * Reads a price list row by row: CSV or zipped CSV, UTF-8 or UTF-16 with a byte order mark, LF or CRLF. Rows without
 * any content are passed over. Memory does not grow with the file. Where nobody says whether its dates have the month
 * first, the file itself does by the first date that can be read in one way only, such as `11/30/9999`.
 * @param onProgress hears how many bytes were read, and of how many
 * @param dates told by the reader
 * @throws {PriceListRefused} where the file as a whole cannot be taken
 */
export async function* readPriceList(
  path: string,
  onProgress?: (bytes: number, totalBytes: number) => void,
  dates?: DateOrder,
): AsyncGenerator<PriceListLine> {
  const order = dates ?? (await orderOfDates(path));
  for await (const line of rowsOf(path, onProgress)) yield 'cells' in line ? { ...line, dates: order } : line;
}

async function orderOfDates(path: string): Promise<DateOrder | null> {
  for await (const line of rowsOf(path)) {
    if (!('cells' in line)) continue;
    const told = orderTold(line.cells.EffectiveEndDate) ?? orderTold(line.cells.EffectiveStartDate);
    if (told) return told;
  }
  return null;
}

async function* rowsOf(
  path: string,
  onProgress?: (bytes: number, totalBytes: number) => void,
): AsyncGenerator<{ line: number; cells: Cells } | { line: number; unreadable: string } | { warning: string }> {
  const { stream, totalBytes, close } = await openPriceList(path);
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
  pipeline(
    stream,
    progress((bytes) => onProgress?.(bytes, totalBytes)),
    plainText(),
    parser,
    () => close(),
  );
  try {
    let header: PriceListHeader | undefined;
    let rows = 0;
    for await (const { record, line } of parser as AsyncIterable<NumberedRecord>) {
      if (!header) {
        if (isSeparatorLine(record)) continue;
        if (!isHeader(record) || faults.hasAnyUpTo(line)) throw notCommaSeparated();
        header = new PriceListHeader(record);
        const { passedOver } = header;
        if (passedOver.length > 0) yield { warning: `columns were passed over: ${passedOver.map(quoted).join(', ')}` };
        continue;
      }
      yield* faults.take();
      const cells = header.cellsOf(record);
      rows += 1;
      yield cells
        ? { line, cells }
        : { line, unreadable: `has ${record.length} columns where the header has ${header.width}` };
    }
    const last = faults.take();
    if (!header && last.length > 0) throw notCommaSeparated();
    rows += last.length;
    yield* last;
    if (rows === 0) throw new PriceListRefused('The file holds no rows.');
  } catch (error) {
    throw error instanceof PriceListRefused
      ? error
      : new PriceListRefused(`The file cannot be read: ${withoutStop((error as Error).message)}.`);
  } finally {
    parser.destroy();
    stream.destroy();
  }
}

/** Counts the bytes that pass. */
function progress(report: (bytes: number) => void): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      report(bytes);
      done(null, chunk);
    },
  });
}

/**
 * Bytes to text without byte order mark, line ends made LF: inside quotes csv-parse counts a CRLF as two lines, and
 * the numbers in the report would drift.
 */
function plainText(): Transform {
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
  new PriceListRefused(
    'The header is not comma-separated. Download the list again, or save it as "CSV UTF-8 (comma delimited)".',
  );
