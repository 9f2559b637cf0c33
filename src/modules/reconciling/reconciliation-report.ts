import type { Verdict } from '../../domain/reconciliation.js';
import { quoted } from '../../partner-center/files/shown-text.js';
import { Oddity } from '../../partner-center/reconciliation/row.js';
import type { ReconciliationSummary } from './import-reconciliation.js';
import type { JudgedLine } from './judge-lines.js';

const WORDS: Readonly<Record<Verdict, string>> = {
  EQUAL: 'equal',
  DIFFERENT: 'different',
  MISSING_HERE: 'missing here',
  MISSING_THERE: 'missing there',
};
const VERDICTS = Object.keys(WORDS) as Verdict[];

/** Columns of the table that an import writes: a line for each of Microsoft's, and for each of ours that is missing there. */
export const REPORT_COLUMNS = [
  'Verdict',
  'Line',
  'FileSha256',
  'Month',
  'OurMonth',
  'MatchedBy',
  'CustomerId',
  'CustomerName',
  'OrderNumber',
  'ProductId',
  'SkuId',
  'Title',
  'ChargeType',
  'Currency',
  'Theirs',
  'Ours',
  'OurInvoiceNumber',
  'Differences',
] as const;

/** The cells of a line in the order of `REPORT_COLUMNS`. */
export function reportCells(line: JudgedLine, { sha256, currency }: { sha256: string; currency: string }): string[] {
  const cells = [
    ...[line.verdict, line.line, sha256, line.month.slice(0, 7), line.ourMonth?.slice(0, 7), line.matchedBy],
    ...[line.customerTenantId, line.customerName, line.orderNumber, line.productId, line.skuId, line.title],
    ...[line.chargeType, currency, line.theirAmount, line.ourAmount, line.ourInvoiceNumber, differencesText(line)],
  ];
  return cells.map((cell) => String(cell ?? ''));
}

/** What an import found, as a small table, and what was done with it. */
export function reconciliationText(
  file: string,
  found: ReconciliationSummary,
  { dryRun, keepGood, tolerance }: { dryRun: boolean; keepGood: boolean; tolerance: string },
): string {
  const { month, currency, invoiceNumber, kind, total, rows, refusedRows } = found;
  const of = kind === 'UNBILLED' ? 'not billed yet' : (invoiceNumber ?? 'of several invoices');
  const table = VERDICTS.map((verdict) => {
    const { lines, theirs, ours } = found.verdicts.find((each) => each.verdict === verdict) ?? NONE;
    return [WORDS[verdict], String(lines), theirs, ours];
  });
  return [
    `${file}: ${month.slice(0, 7)}, ${of}, ${rows} rows, ${refusedRows} refused; Total ${total} ${currency}`,
    ...[['', 'lines', 'theirs', 'ours'], ...table].map(([name = '', ...cells]) =>
      [name.padEnd(14), ...cells.map((cell) => cell.padStart(18))].join(''),
    ),
    ...(Number(tolerance) > 0 ? [`Amounts that differ by ${tolerance} ${currency} or less count as equal.`] : []),
    ...createdText(found),
    ...holdsNothing(found),
    ...found.replaced.map((name) => `It takes the place of ${quoted(name)}, whose rows are kept as evidence.`),
    outcome(found, dryRun, keepGood),
  ].join('\n');
}

function createdText({ created, currency }: ReconciliationSummary): string[] {
  if (!created) return [];
  const { customers, products, skus, orders, licences, charges, amount, left, firstLeft } = created;
  return [
    `Created: ${customers} customers, ${products} products, ${skus} SKUs, ${orders} orders, ${licences} licences, ${charges} charges and credits of ${amount} ${currency}.`,
    ...(left > 0
      ? [`Of ${left} rows nothing could be created (first line ${firstLeft}): no market, product or known charge type.`]
      : []),
  ];
}

const NONE = { lines: 0, theirs: '0', ours: '0' };

function holdsNothing({ verdicts, month, currency }: ReconciliationSummary): string[] {
  const isOurs = verdicts.some(({ verdict, lines }) => verdict !== 'MISSING_HERE' && lines > 0);
  return isOurs
    ? []
    : [`We have invoiced nothing in ${currency} of ${month.slice(0, 7)} that it could be held against.`];
}

function outcome({ refusedRows, isKnown }: ReconciliationSummary, dryRun: boolean, keepGood: boolean): string {
  if (dryRun) return 'Dry run: nothing was kept.';
  if (refusedRows > 0 && !keepGood)
    return 'Nothing was kept. Correct the refused rows, or take the others with --keep-good.';
  if (isKnown) return 'The file was imported before: it was held against our invoices anew.';
  return refusedRows > 0 ? `Kept, without ${refusedRows} rows that were refused.` : 'Kept.';
}

/** What was odd about rows that were taken, a line for each oddity. */
export function odditiesText({ oddities, unknownColumns }: ReconciliationSummary): string[] {
  const odd = Object.entries(oddities).map(
    ([oddity, { rows, line }]) =>
      `${Oddity[oddity as Oddity]}: ${rows} ${rows === 1 ? 'row' : 'rows'}, first line ${line}`,
  );
  if (unknownColumns.length === 0) return odd;
  return [`columns that are not known were kept with their rows: ${unknownColumns.map(quoted).join(', ')}`, ...odd];
}

/** A line that is not equal, in one line for people. */
export function lineText(line: JudgedLine, currency: string): string {
  const where = line.line === null ? `invoice ${line.ourInvoiceNumber ?? 'without a number yet'}` : `line ${line.line}`;
  const what = [line.orderNumber && `order ${line.orderNumber}`, line.productId && `${line.productId}:${line.skuId}`];
  const elsewhere = line.ourMonth && line.ourMonth !== line.month ? [`ours is of ${line.ourMonth.slice(0, 7)}`] : [];
  const said =
    line.verdict === 'DIFFERENT' ? differencesText(line) : `${line.theirAmount ?? line.ourAmount ?? '0'} ${currency}`;
  return `${WORDS[line.verdict].padEnd(14)}${[where, quoted(line.customerName), ...what, line.chargeType, said, ...elsewhere].filter(Boolean).join(', ')}`;
}

const differencesText = ({ differences }: JudgedLine): string =>
  differences
    .map(
      ({ column, theirs, ours, by }) =>
        `${column} ${theirs} there, ${ours} here${by === null ? '' : ` (${signed(by)})`}`,
    )
    .join('; ');

const signed = (by: string): string => (by.startsWith('-') ? by : `+${by}`);
