import { sql } from 'kysely';
import type { Orm } from '../../database/orm.js';
import { FileRefused } from '../files/file-refused.js';
import { type ChangeCounts, compareWithCatalog, writeChanges } from './catalog-changes.js';
import { type Contradiction, takeContradictions } from './contradictions.js';
import { validateRow } from './price-list-row.js';
import type { PriceListLine } from './read-price-list.js';
import { type Connection, closeStage, lockImports, openStage, type StagedRow, stage } from './staged-prices.js';
import { endLacking, findLacking, type ListScope, listScopes, noteLists } from './whole-list.js';

/** Why a row is not taken; `column` is null where the row as a whole cannot be read. */
export interface Refusal {
  line: number;
  column: string | null;
  value: string;
  reason: string;
}

/** How to import. */
export interface ImportOptions {
  /** Says what would happen and keeps nothing. */
  dryRun?: boolean;
  /** Keeps the good rows of a file that has refused ones too; without it such a file leaves no trace. */
  keepGood?: boolean;
  /** When the list begins to hold: what it lacks ends then. Left out: the latest start of its prices that is not ahead. */
  begins?: Date | undefined;
  /** Hears of every fault as it is found: those of single rows first, then contradictions between rows. */
  onRefusal?: (refusal: Refusal) => void;
  /** Goes last in the transaction that keeps the list. */
  onKept?: (transaction: Connection, summary: ImportSummary) => Promise<void>;
  /** Hears of what was passed over, such as a column that is not known. */
  onWarning?: (warning: string) => void;
}

/** What an import did, or in a dry run would do. Counts, but for `kept`. */
export interface ImportSummary {
  rows: number;
  refusedRows: number;
  /** Good rows that say again what another row says, or whose identity another row holds longer. */
  repeatedRows: number;
  /** Good rows that say that something is sold no more. */
  removedRows: number;
  products: ChangeCounts;
  skus: ChangeCounts;
  prices: ChangeCounts;
  /** Prices of the catalog that the list lacks, and that end where it begins; none where rows were refused. */
  endedPrices: number;
  /** What the file is a list of, and since when. */
  lists: ListScope[];
  /** Whether the good rows are in the database now. */
  kept: boolean;
}

/** Rows sent to the database at a time; a few hundred kilobytes. */
const BATCH_ROWS = 500;

/**
 * Imports the rows of a price list (rule 3). Rows are staged in a temporary table of one connection;
 * then one transaction writes what is new or changed. It is short on purpose: an open writing transaction holds the
 * feed back for everybody.
 * @throws {FileRefused} where nothing can be imported at all
 */
export async function importPriceList(
  orm: Orm,
  lines: AsyncIterable<PriceListLine>,
  options: ImportOptions = {},
): Promise<ImportSummary> {
  const database: Connection = orm.em.fork().getKysely();
  return database.connection().execute(async (connection) => {
    const markets = await marketCodes(connection);
    if (!(await lockImports(connection)))
      throw new FileRefused('Another import runs on this database. Wait for it, then try again.');
    try {
      await openStage(connection);
      const refusals = new Refusals(options.onRefusal);
      const rows = await stageRows(connection, lines, markets, refusals, options);
      for await (const contradiction of takeContradictions(connection)) refusals.add(refusalOf(contradiction));
      const lists = await listScopes(connection, options.begins);
      refuseOlder(lists);
      const counts = await compareWithCatalog(connection);
      // A list of which rows were refused is not whole: what it lacks may be in those.
      const isWhole = refusals.rows === 0;
      const endedPrices = isWhole ? await findLacking(connection) : 0;
      const kept = !options.dryRun && (isWhole || options.keepGood === true);
      const prices = Object.values(counts.prices).reduce((total, count) => total + count, 0);
      const removedRows = await countRemoved(connection);
      const repeatedRows = rows - refusals.rows - removedRows - prices;
      const found = { rows, refusedRows: refusals.rows, repeatedRows, removedRows, ...counts, endedPrices, lists };
      const summary: ImportSummary = { ...found, kept };
      if (kept)
        await connection.transaction().execute(async (transaction) => {
          if (isWhole) await endLacking(transaction);
          await writeChanges(transaction);
          await noteLists(transaction);
          await options.onKept?.(transaction, summary);
        });
      return summary;
    } finally {
      await closeStage(connection);
    }
  });
}

async function marketCodes(connection: Connection): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ code: string }>`select code from markets`.execute(connection);
  if (rows.length === 0)
    throw new FileRefused('The database has no markets yet. Start the gateway once, which loads them, then import.');
  return new Set(rows.map(({ code }) => code));
}

/** @throws {FileRefused} where the reader says that the list is older than one that the catalog has already */
function refuseOlder(lists: readonly ListScope[]): void {
  for (const { view, market, currency, begins, known } of lists) {
    if (known === null) continue;
    throw new FileRefused(
      `The catalog has a newer list already: ${view} of ${market} in ${currency} since ${known}, and this one begins on ${begins}. Import lists in the order of their months.`,
    );
  }
}

async function countRemoved(connection: Connection): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from staged_prices where is_removed`.execute(connection);
  return rows[0]?.count ?? 0;
}

async function stageRows(
  connection: Connection,
  lines: AsyncIterable<PriceListLine>,
  markets: ReadonlySet<string>,
  refusals: Refusals,
  { onWarning }: ImportOptions,
): Promise<number> {
  let rows = 0;
  let batch: StagedRow[] = [];
  for await (const line of lines) {
    if ('warning' in line) {
      onWarning?.(line.warning);
      continue;
    }
    rows += 1;
    if ('unreadable' in line) {
      refusals.add({ line: line.line, column: null, value: '', reason: line.unreadable });
      continue;
    }
    const validated = validateRow(line.cells, markets, line.dates);
    if ('faults' in validated) {
      for (const fault of validated.faults) refusals.add({ line: line.line, ...fault });
      continue;
    }
    batch.push({ line: line.line, ...validated.row });
    if (batch.length < BATCH_ROWS) continue;
    await stage(connection, batch);
    batch = [];
  }
  if (batch.length > 0) await stage(connection, batch);
  return rows;
}

/** Passes refusals on and counts the rows that they are about, a row with several faults once. */
class Refusals {
  rows = 0;
  #lastLine: number | undefined;

  constructor(readonly hear: ImportOptions['onRefusal']) {}

  add(refusal: Refusal): void {
    if (refusal.line !== this.#lastLine) this.rows += 1;
    this.#lastLine = refusal.line;
    this.hear?.(refusal);
  }
}

function refusalOf({ line, column, value, otherLine, otherValue }: Contradiction): Refusal {
  if (column === 'UnitPrice') {
    return {
      line,
      column,
      value,
      reason: `line ${otherLine} has ${otherValue} for the same SKU, term, billing plan, market, currency, segment and dates, or another ERP price or tier`,
    };
  }
  if (column === 'PricingTierRangeMin')
    return {
      line,
      column,
      value,
      reason: `line ${otherLine} has ${otherValue} for the same price: tiers must not overlap`,
    };
  const where = otherLine === null ? 'the catalog' : `line ${otherLine}`;
  return {
    line,
    column,
    value,
    reason: `${where} has ${otherValue} for the same SKU; a SKU is perpetual or has terms`,
  };
}
