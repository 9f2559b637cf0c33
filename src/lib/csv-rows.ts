import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';

/** A row of a CSV file; `line` counts from 1, the header included. */
export type CsvRow<Column extends string> =
  | { line: number; cells: Record<Column, string> }
  | { line: number; unreadable: string };

/** The file as a whole cannot be taken. The message repeats nothing of its content, which may be secret. */
export class CsvRefused extends Error {
  override name = 'CsvRefused';
}

const MAXIMUM_ROW_BYTES = 100_000;

/**
 * Reads a CSV file row by row: its header names the columns in any order and case, others are passed over; cells are
 * trimmed and parted by comma, semicolon or tab, as spreadsheets save them. Memory does not grow with the file.
 * @param columns those that must be there
 * @throws {CsvRefused}
 */
export async function* readCsvRows<Column extends string>(
  path: string,
  columns: readonly Column[],
): AsyncGenerator<CsvRow<Column>> {
  const source = createReadStream(path);
  const parser = parse({
    bom: true,
    delimiter: [',', ';', '\t'],
    info: true,
    max_record_size: MAXIMUM_ROW_BYTES,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    trim: true,
  });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let places: Map<Column, number> | undefined;
  let width = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (!places) {
        places = placesOf(record, columns);
        width = record.length;
      } else if (record.length !== width) {
        yield { line: info.lines, unreadable: `has ${record.length} columns where the header has ${width}` };
      } else {
        const cells = [...places].map(([column, place]) => [column, record[place] ?? '']);
        yield { line: info.lines, cells: Object.fromEntries(cells) as Record<Column, string> };
      }
    }
  } catch (error) {
    throw error instanceof CsvRefused ? error : new CsvRefused(reasonOf(error as Error & { code?: string }));
  } finally {
    source.destroy();
  }
  if (!places) throw new CsvRefused('The file is empty.');
}

function placesOf<Column extends string>(header: string[], columns: readonly Column[]): Map<Column, number> {
  const names = header.map((name) => name.toLowerCase().replace(/[\s_-]/g, ''));
  const places = new Map(columns.map((column) => [column, names.indexOf(column.toLowerCase())]));
  const missing = columns.filter((column) => places.get(column) === -1);
  if (missing.length > 0)
    throw new CsvRefused(
      `The first line must name the columns ${columns.join(', ')}; it does not name ${missing.join(', ')}.`,
    );
  return places;
}

function reasonOf({ code = 'UNKNOWN', lines }: { code?: string; lines?: number }): string {
  const where = lines === undefined ? '' : ` at line ${lines}`;
  return `The file cannot be read as CSV${where}: ${code}. A quote that is not closed is the usual reason.`;
}
