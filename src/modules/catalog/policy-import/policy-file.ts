import { parse } from 'csv-parse/sync';
import { ProductKind } from '../../../domain/product-kind.js';
import { EXPIRES_AFTER, type RefundOption, RefundOptionType } from '../../../domain/refund-option.js';

/** Why a row is not taken; `column` is null where the row as a whole is meant. */
export interface PolicyRefusal {
  line: number;
  column: string | null;
  value: string;
  reason: string;
}

/** The whole file is refused; the message says why and what to do. */
export class PolicyFileRefused extends Error {
  override name = 'PolicyFileRefused';
}

/** What a policy is of: every SKU of a kind that has none of its own, or one SKU. */
export type PolicySubject = { kind: ProductKind } | { productId: string; skuId: string };

/** A row of cancellation policies: one refund option, or none where the policy has none. */
export interface PolicyRow {
  line: number;
  subject: PolicySubject;
  /** `YYYY-MM-DD`, the first day (UTC) whose sales it judges. */
  effectiveDate: string;
  option: RefundOption | null;
  supportRequestRequired: boolean;
  /** The policy of this subject and day is taken away. */
  isRemoved: boolean;
  /** Refused already; its policy is not taken either. */
  isBroken: boolean;
}

/** A row of closed markets. */
export interface ClosureRow {
  line: number;
  /** ISO 3166-1 alpha-2. */
  market: string;
  kind: ProductKind;
  /** `YYYY-MM-DD`, the first day (UTC) on which it holds. */
  effectiveDate: string;
  isClosed: boolean;
  /** What is there of this market, kind and day is taken away. */
  isRemoved: boolean;
}

/** The good rows of a file, which holds the one or the other. */
export type PolicyFile = { holds: 'policies'; rows: PolicyRow[] } | { holds: 'closures'; rows: ClosureRow[] };

const POLICY_COLUMNS = [
  'Kind',
  'ProductId',
  'SkuId',
  'EffectiveDate',
  'Sequence',
  'Type',
  'ExpiresAfter',
  'SupportRequestRequired',
  'Removed',
] as const;
const CLOSURE_COLUMNS = ['Market', 'Kind', 'EffectiveDate', 'Closed', 'Removed'] as const;
/** Columns that a file may lack: all of their cells are blank then. */
const OPTIONAL: readonly string[] = ['Kind', 'ProductId', 'SkuId', 'SupportRequestRequired', 'Removed'];
const MAXIMUM_ROWS = 100_000;

/** A cell that is wrong, and why. */
class InvalidCell {
  constructor(
    readonly column: string,
    readonly reason: string,
  ) {}
}
type Cells = Readonly<Record<string, string>>;

/**
 * Reads a file of policies: comma-separated, in UTF-8, with a header; lines that begin with `#` are remarks.
 * @param onRefusal hears of every row that is not taken
 * @throws {PolicyFileRefused} where the file as a whole cannot be taken
 */
export function readPolicyFile(text: string, onRefusal: (refusal: PolicyRefusal) => void): PolicyFile {
  const [header, ...records] = recordsOf(text);
  if (!header || records.length === 0) throw new PolicyFileRefused('The file holds no rows.');
  if (records.length > MAXIMUM_ROWS) throw new PolicyFileRefused(`A file may have ${MAXIMUM_ROWS} rows. Split it.`);
  const holds = header.record.some((name) => name.trim().toLowerCase() === 'market') ? 'closures' : 'policies';
  const columns = columnsOf(header.record, holds === 'closures' ? CLOSURE_COLUMNS : POLICY_COLUMNS);
  const taken = <RowType>(make: (line: number, cells: Cells) => RowType): RowType[] =>
    records.flatMap(({ record, line }) => {
      if (record.length !== header.record.length) {
        const reason = `has ${record.length} columns where the header has ${header.record.length}`;
        onRefusal({ line, column: null, value: '', reason });
        return [];
      }
      const cells = Object.fromEntries(columns.map((column, position) => [column, record[position]?.trim() ?? '']));
      const row = valid(line, cells, onRefusal, () => make(line, cells));
      return row ? [row] : [];
    });
  if (holds === 'closures') return { holds, rows: taken(closureRow) };
  return { holds, rows: taken((line, cells) => policyRow(line, cells, onRefusal)) };
}

/** What is made of cells; null where one of them is wrong, which is told. */
function valid<Made>(
  line: number,
  cells: Cells,
  onRefusal: (refusal: PolicyRefusal) => void,
  make: () => Made,
): Made | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof InvalidCell)) throw error;
    onRefusal({ line, column: error.column, value: cells[error.column] ?? '', reason: error.reason });
    return null;
  }
}

function recordsOf(text: string): { record: string[]; line: number }[] {
  try {
    const records = parse(text.replaceAll('\r\n', '\n'), {
      bom: true,
      comment: '#',
      comment_no_infix: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    throw new PolicyFileRefused(`The file cannot be read as comma-separated text: ${(error as Error).message}.`);
  }
}

/** @throws {PolicyFileRefused} naming every column that is missing, unknown or there twice */
function columnsOf(header: readonly string[], known: readonly string[]): string[] {
  const named = header.map((name) => known.find((one) => one.toLowerCase() === name.trim().toLowerCase()));
  const missing = known.filter((name) => !named.includes(name) && !OPTIONAL.includes(name));
  const unknown = header.filter((_, position) => named[position] === undefined);
  const twice = named.filter((name, position) => name && named.indexOf(name) !== position);
  const faults = [
    ...(missing.length > 0 ? [`columns are missing: ${missing.join(', ')}`] : []),
    ...(unknown.length > 0 ? [`columns are unknown: ${unknown.map((name) => JSON.stringify(name)).join(', ')}`] : []),
    ...(twice.length > 0 ? [`columns are there twice: ${twice.join(', ')}`] : []),
  ];
  if (faults.length > 0)
    throw new PolicyFileRefused(
      `${faults.join('; ')}. Policies have ${POLICY_COLUMNS.join(', ')}; closed markets have ${CLOSURE_COLUMNS.join(', ')}.`,
    );
  return named as string[];
}

function policyRow(line: number, cells: Cells, onRefusal: (refusal: PolicyRefusal) => void): PolicyRow {
  const { Sequence = '', Type = '', ExpiresAfter = '' } = cells;
  const isBlank = Sequence === '' && Type === '' && ExpiresAfter === '';
  const of = { line, subject: subjectOf(cells), effectiveDate: dateOf(cells) };
  const rest = valid(line, cells, onRefusal, () => ({
    option: isBlank ? null : optionOf(Sequence, Type.toUpperCase(), ExpiresAfter.toUpperCase()),
    supportRequestRequired: yesOrNo(cells, 'SupportRequestRequired', false),
    isRemoved: yesOrNo(cells, 'Removed', false),
  }));
  return {
    ...of,
    ...(rest ?? { option: null, supportRequestRequired: false, isRemoved: false }),
    isBroken: rest === null,
  };
}

function closureRow(line: number, cells: Cells): ClosureRow {
  const market = (cells['Market'] ?? '').toUpperCase();
  if (!/^[A-Z]{2}$/.test(market)) throw new InvalidCell('Market', 'must be an ISO 3166-1 alpha-2 code such as BR');
  const isClosed = yesOrNo(cells, 'Closed', true);
  const of = { market, kind: kindOf(cells), effectiveDate: dateOf(cells) };
  return { line, ...of, isClosed, isRemoved: yesOrNo(cells, 'Removed', false) };
}

function subjectOf(cells: Cells): PolicySubject {
  const productId = (cells['ProductId'] ?? '').toUpperCase();
  const skuId = (cells['SkuId'] ?? '').toUpperCase();
  if (productId === '' && skuId === '') return { kind: kindOf(cells) };
  if (cells['Kind']) throw new InvalidCell('Kind', 'must be blank where ProductId and SkuId name a SKU');
  if (!/^[A-Z0-9]{12}$/.test(productId)) throw new InvalidCell('ProductId', 'must be twelve letters and digits');
  if (!/^[A-Z0-9]{1,4}$/.test(skuId)) throw new InvalidCell('SkuId', 'must be four letters and digits such as 0003');
  // Spreadsheets take the zeros away.
  return { productId, skuId: skuId.padStart(4, '0') };
}

function kindOf(cells: Cells): ProductKind {
  const kind = (cells['Kind'] ?? '').toUpperCase();
  if (!Object.hasOwn(ProductKind, kind))
    throw new InvalidCell('Kind', `must be one of ${Object.keys(ProductKind).join(', ')}`);
  return kind as ProductKind;
}

function dateOf(cells: Cells): string {
  const date = cells['EffectiveDate'] ?? '';
  const instant = /^\d{4}-\d\d-\d\d$/.test(date) ? new Date(`${date}T00:00:00Z`) : null;
  if (!instant || Number.isNaN(instant.getTime()) || instant.toISOString().slice(0, 10) !== date)
    throw new InvalidCell('EffectiveDate', 'must be a day such as 2026-12-01');
  return date;
}

function optionOf(sequence: string, type: string, expiresAfter: string): RefundOption {
  if (!/^\d{1,2}$/.test(sequence))
    throw new InvalidCell('Sequence', 'must be a whole number from 0 to 99; blank only with Type and ExpiresAfter');
  if (!Object.hasOwn(RefundOptionType, type)) throw new InvalidCell('Type', 'must be FULL or PARTIAL');
  if (!EXPIRES_AFTER.test(expiresAfter))
    throw new InvalidCell('ExpiresAfter', 'must be days such as P30D, or hours such as PT24H');
  return { sequence: Number(sequence), type: type as RefundOptionType, expiresAfter };
}

function yesOrNo(cells: Cells, column: string, blank: boolean): boolean {
  const value = (cells[column] ?? '').toLowerCase();
  if (value === '') return blank;
  if (['true', 'yes', '1'].includes(value)) return true;
  if (['false', 'no', '0'].includes(value)) return false;
  throw new InvalidCell(column, 'must be true or false');
}
