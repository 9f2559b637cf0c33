import { type DateOrder, isAmbiguousDate, orderOf } from '../files/dates.js';
import { type DecimalMark, isAmbiguousDecimal, markOf } from '../files/decimals.js';
import { FileRefused } from '../files/file-refused.js';
import type { Progress } from '../files/open-file.js';
import { quoted } from '../files/shown-text.js';
import type { ReconciliationColumn } from './columns.js';
import { type ReconciliationCells, type ReconciliationHeader, readReconciliationLines } from './read-lines.js';

/** How a file writes dates and numbers, which goes by the language of the portal that it was downloaded from. */
export interface Spelling {
  /** Null where no date of it can be read in two ways. */
  dates: DateOrder | null;
  /** Null where no number of it can be read in two ways. */
  decimals: DecimalMark | null;
}

const DATES = [
  'OrderDate',
  'ChargeStartDate',
  'ChargeEndDate',
  'SubscriptionStartDate',
  'SubscriptionEndDate',
  'PCToBCExchangeRateDate',
] as const satisfies ReconciliationColumn[];
const DECIMALS = [
  'UnitPrice',
  'EffectiveUnitPrice',
  'Quantity',
  'BillableQuantity',
  'Subtotal',
  'TaxTotal',
  'Total',
  'PCToBCExchangeRate',
] as const satisfies ReconciliationColumn[];

/** What the rows read so far say of one of the two. */
interface Evidence<Value> {
  told: Value | null;
  /** The first cell that can be read in two ways. */
  doubtful: string | null;
}

/**
 * Reads as much of a file as it takes to know how it writes dates and numbers: until both are told by a cell that can be
 * read in one way only, such as `10/31/2026` and `12.5`. The billing export writes both as JSON does.
 * @param told by whoever knows
 * @throws {FileRefused} where every cell of the file can be read in two ways, and nobody has said which
 */
export async function inferSpelling(
  path: string,
  told: Partial<Spelling>,
  onProgress?: Progress,
): Promise<ReconciliationHeader & Spelling> {
  const dates: Evidence<DateOrder> = { told: told.dates ?? null, doubtful: null };
  const decimals: Evidence<DecimalMark> = { told: told.decimals ?? null, doubtful: null };
  let header: ReconciliationHeader | undefined;
  for await (const row of readReconciliationLines(path, onProgress)) {
    if ('format' in row) {
      header = row;
      if (row.format === 'JSON_LINES') decimals.told = 'point';
    }
    if ('cells' in row) {
      if (!dates.told) look(row, DATES, orderOf, isAmbiguousDate, dates);
      if (!decimals.told) look(row, DECIMALS, markOf, isAmbiguousDecimal, decimals);
    }
    if (header && decimals.told && (dates.told || header.format === 'JSON_LINES')) break;
  }
  refuseDoubt(dates, 'date', '--dates month-first or --dates day-first');
  refuseDoubt(decimals, 'number', '--decimals point or --decimals comma');
  return { ...(header as ReconciliationHeader), dates: dates.told, decimals: decimals.told };
}

function look<Value>(
  { line, cells }: { line: number; cells: ReconciliationCells },
  columns: readonly ReconciliationColumn[],
  tell: (text: string) => Value | null,
  isDoubtful: (text: string) => boolean,
  found: Evidence<Value>,
): void {
  for (const column of columns) {
    const text = cells[column];
    if (!text) continue;
    found.told ??= tell(text);
    if (found.doubtful === null && isDoubtful(text)) found.doubtful = `line ${line}, ${column} ${quoted(text)}`;
  }
}

function refuseDoubt({ told, doubtful }: Evidence<unknown>, what: string, option: string): void {
  if (told !== null || doubtful === null) return;
  throw new FileRefused(
    `${doubtful} can be read in two ways, and no ${what} of the file says in which. Say it with ${option}.`,
  );
}
