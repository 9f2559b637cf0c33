import { sql } from 'kysely';
import type { Orm } from '../../database/orm.js';
import { type ChangeCounts, compareWithCatalog, writeChanges } from './catalog-changes.js';
import { PriceListRefused } from './price-list-columns.js';
import { validateRow } from './price-list-row.js';
import type { PriceListLine } from './read-price-list.js';
import {
  type Connection,
  type Contradiction,
  closeStage,
  lockImports,
  openStage,
  type StagedRow,
  stage,
  takeContradictions,
} from './staged-prices.js';

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
  /** Hears of every fault as it is found: those of single rows first, then contradictions between rows. */
  onRefusal?: (refusal: Refusal) => void;
}

/** What an import did, or in a dry run would do. Counts, but for `kept`. */
export interface ImportSummary {
  rows: number;
  refusedRows: number;
  /** Good rows that say again what another row says, or whose identity another row holds longer. */
  repeatedRows: number;
  products: ChangeCounts;
  skus: ChangeCounts;
  prices: ChangeCounts;
  /** Whether the good rows are in the database now. */
  kept: boolean;
}

/** Rows sent to the database at a time; a few hundred kilobytes. */
const BATCH_ROWS = 500;

/**
 * Imports the rows of a price list (rule 3). Rows are staged in a temporary table of one connection;
 * then one transaction writes what is new or changed. It is short on purpose: an open writing transaction holds the
 * feed back for everybody.
 * @throws {PriceListRefused} where nothing can be imported at all
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
      throw new PriceListRefused('Another import runs on this database. Wait for it, then try again.');
    try {
      await openStage(connection);
      const refusals = new Refusals(options.onRefusal);
      const rows = await stageRows(connection, lines, markets, refusals);
      for await (const contradiction of takeContradictions(connection)) refusals.add(refusalOf(contradiction));
      const counts = await compareWithCatalog(connection);
      const kept = !options.dryRun && (refusals.rows === 0 || options.keepGood === true);
      if (kept) await connection.transaction().execute(writeChanges);
      const prices = Object.values(counts.prices).reduce((total, count) => total + count, 0);
      return { rows, refusedRows: refusals.rows, repeatedRows: rows - refusals.rows - prices, ...counts, kept };
    } finally {
      await closeStage(connection);
    }
  });
}

async function marketCodes(connection: Connection): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ code: string }>`select code from markets`.execute(connection);
  if (rows.length === 0)
    throw new PriceListRefused(
      'The database has no markets yet. Start the gateway once, which loads them, then import.',
    );
  return new Set(rows.map(({ code }) => code));
}

async function stageRows(
  connection: Connection,
  lines: AsyncIterable<PriceListLine>,
  markets: ReadonlySet<string>,
  refusals: Refusals,
): Promise<number> {
  let rows = 0;
  let batch: StagedRow[] = [];
  for await (const line of lines) {
    rows += 1;
    if ('unreadable' in line) {
      refusals.add({ line: line.line, column: null, value: '', reason: line.unreadable });
      continue;
    }
    const validated = validateRow(line.cells, markets);
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
      reason: `line ${otherLine} has ${otherValue} for the same SKU, market, currency, segment and dates, or another ERP price or tier`,
    };
  }
  const where = otherLine === null ? 'the catalog' : `line ${otherLine}`;
  return { line, column, value, reason: `${where} has ${otherValue} for the same SKU; a SKU keeps its term` };
}
