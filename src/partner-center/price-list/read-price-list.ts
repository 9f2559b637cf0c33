import { readCsvRecords } from '../files/csv-records.js';
import type { DateOrder } from '../files/dates.js';
import type { Progress } from '../files/open-file.js';
import { quoted } from '../files/shown-text.js';
import { type Cells, PriceListHeader } from './price-list-columns.js';
import { orderTold } from './price-list-date.js';

/**
 * One row as it stands in the file, with the order of its dates; or what was passed over. `line` counts from 1, the
 * header included, and is where the row starts.
 */
export type PriceListLine = Row | { warning: string };
type Row = { line: number; cells: Cells; dates: DateOrder | null } | { line: number; unreadable: string };

/**
 * Reads a price list row by row: CSV or zipped CSV. Memory does not grow with the file. Where nobody says whether its
 * dates have the month first, the file itself does by the first date that can be read in one way only, such as
 * `11/30/9999`.
 * @param onProgress hears how many bytes were read, and of how many
 * @param dates told by the reader
 * @throws {FileRefused} where the file as a whole cannot be taken
 */
export async function* readPriceList(
  path: string,
  onProgress?: Progress,
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
  onProgress?: Progress,
): AsyncGenerator<{ line: number; cells: Cells } | { line: number; unreadable: string } | { warning: string }> {
  let header: PriceListHeader | undefined;
  for await (const row of readCsvRecords(path, onProgress)) {
    if ('header' in row) {
      header = new PriceListHeader(row.header);
      const { passedOver } = header;
      if (passedOver.length > 0) yield { warning: `columns were passed over: ${passedOver.map(quoted).join(', ')}` };
      continue;
    }
    if ('unreadable' in row || !header) {
      if ('unreadable' in row) yield row;
      continue;
    }
    const cells = header.cellsOf(row.record);
    yield cells
      ? { line: row.line, cells }
      : { line: row.line, unreadable: `has ${row.record.length} columns where the header has ${header.width}` };
  }
}
