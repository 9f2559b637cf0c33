import { FileRefused } from '../files/file-refused.js';
import { quoted } from '../files/shown-text.js';

/** Columns of the software price list in the order in which Microsoft writes them. */
export const PRICE_LIST_COLUMNS = [
  'ProductTitle',
  'ProductId',
  'SkuId',
  'SkuTitle',
  'Publisher',
  'SkuDescription',
  'UnitOfMeasure',
  'TermDuration',
  'BillingPlan',
  'Market',
  'Currency',
  'UnitPrice',
  'PricingTierRangeMin',
  'PricingTierRangeMax',
  'EffectiveStartDate',
  'EffectiveEndDate',
  'Tags',
  'ERP Price',
  'Segment',
] as const;

/** What lists of 2025 and later have besides. */
const NEWER_COLUMNS = ['ChangeIndicator'] as const;
const READ_COLUMNS = [...PRICE_LIST_COLUMNS, ...NEWER_COLUMNS];

/** A column of the software price list that is read. */
export type Column = (typeof READ_COLUMNS)[number];

/** The trimmed cells of one row, by column. */
export type Cells = Readonly<Record<(typeof PRICE_LIST_COLUMNS)[number], string>> & {
  readonly ChangeIndicator?: string;
};

/** The licence sheet has 18 columns: its prices are commercial ones. */
const DEFAULTS: Partial<Record<Column, string>> = { Segment: 'Commercial', ChangeIndicator: '' };

/** Finds the cells of a row by the name of their column, whatever their order. */
export class PriceListHeader {
  /** How many columns a row has. */
  readonly width: number;
  /** Columns that are not read, as they are written: `PreviousValues`, `EndofSaleDate`, and what lists are yet to bring. */
  readonly passedOver: readonly string[];
  readonly #positions: [Column, number][];

  /** @throws {FileRefused} naming every column that is missing or there twice, and then those that are unknown */
  constructor(header: readonly string[]) {
    const keys = header.map(keyOf);
    const known = new Set<string>(READ_COLUMNS.map(keyOf));
    const missing = PRICE_LIST_COLUMNS.filter(
      (column) => !keys.includes(keyOf(column)) && DEFAULTS[column] === undefined,
    );
    const unknown = header.filter((name) => !known.has(keyOf(name)));
    const twice = header.filter((name, position) => keys.indexOf(keyOf(name)) !== position);
    const faults = [
      ...(missing.length > 0 ? [`columns are missing: ${listed(missing)}`] : []),
      ...(unknown.length > 0 ? [`columns are unknown: ${listed(unknown.map(quoted))}`] : []),
      ...(twice.length > 0 ? [`columns are there twice: ${listed(twice.map(quoted))}`] : []),
    ];
    if (missing.length > 0 || twice.length > 0) {
      throw new FileRefused(
        `This is not a software price list: ${faults.join('; ')}. Download the view "software" as it is, comma-separated.`,
      );
    }
    this.width = header.length;
    this.passedOver = unknown;
    this.#positions = READ_COLUMNS.map((column) => [column, keys.indexOf(keyOf(column))]);
  }

  /** The row's cells, trimmed; null where it does not have as many as the header. */
  cellsOf(record: readonly string[]): Cells | null {
    if (record.length !== this.width) return null;
    const cells: Partial<Record<Column, string>> = {};
    for (const [column, position] of this.#positions)
      cells[column] = record[position]?.trim() ?? DEFAULTS[column] ?? '';
    return cells as Cells;
  }
}

/** Names are told apart by letters and digits alone: `ERP Price` and `ErpPrice` are one column. */
const keyOf = (name: string): string => name.replace(/\s+/g, '').toLowerCase();

const listed = (names: readonly string[]): string =>
  [...names.slice(0, 6), ...(names.length > 6 ? [`${names.length - 6} more`] : [])].join(', ');
