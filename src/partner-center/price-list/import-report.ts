import type { ImportOptions, ImportSummary } from './import-price-list.js';

/** What an import did, as a small table and a sentence. */
export function summaryText(file: string, summary: ImportSummary, options: ImportOptions): string {
  const counts = (['products', 'skus', 'prices'] as const).map((name) => {
    const { NEW, CHANGED, UNCHANGED } = summary[name];
    return [name === 'skus' ? 'SKUs' : name, NEW, CHANGED, UNCHANGED];
  });
  const table = [['', 'new', 'changed', 'unchanged'], ...counts].map(([name, ...cells]) =>
    [String(name).padEnd(10), ...cells.map((cell) => String(cell).padStart(11))].join(''),
  );
  return [
    `${file}: ${rows(summary.rows)}, ${summary.refusedRows} refused, ${summary.repeatedRows} repeated${summary.removedRows > 0 ? `, ${summary.removedRows} removed` : ''}`,
    ...table,
    ...whole(summary),
    outcome(summary, options),
  ].join('\n');
}

/** What the list is of, and what it ends. */
function whole({ lists, refusedRows, endedPrices }: ImportSummary): string[] {
  if (refusedRows > 0) return [];
  const listed = lists.map(
    ({ view, market, currency, begins }) => `${view} of ${market} in ${currency} since ${begins}`,
  );
  return [
    ...listed.slice(0, 10),
    ...(listed.length > 10 ? [`and ${listed.length - 10} more lists`] : []),
    ...(endedPrices > 0 ? [`${endedPrices} prices of before are not in it and end there.`] : []),
  ];
}

function outcome(summary: ImportSummary, { dryRun, keepGood }: ImportOptions): string {
  if (summary.refusedRows > 0 && !keepGood)
    return 'Nothing was kept. Correct the refused rows, or keep the others with --keep-good.';
  if (dryRun) return 'Dry run: nothing was kept.';
  return summary.refusedRows > 0 ? `Kept, without the ${rows(summary.refusedRows)} that were refused.` : 'Kept.';
}

const rows = (count: number): string => (count === 1 ? '1 row' : `${count} rows`);
