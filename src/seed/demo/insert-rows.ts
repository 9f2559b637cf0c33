import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';

/** Rows by table and column, in the words of the database. */
export type TableRow = Record<string, unknown>;

/** The tables that demonstration rows go into, in the order in which their rows refer to each other. */
const tables = [
  'prices',
  'customers',
  'orders',
  'order_lines',
  'entitlements',
  'product_keys',
  'download_links',
  'cancellations',
  'cancellation_lines',
  'invoices',
  'invoice_lines',
  'support_requests',
  'access_revocations',
  'staged_activity',
] as const;

/** A table that demonstration rows go into. */
export type DemoTable = (typeof tables)[number];

/** Rows in one batch, over all tables. */
const FULL = 20_000;

/** Rows that are made but not yet in the database. While a batch is inserted, the next one is made. */
export class Batch {
  private rows = new Map<DemoTable, TableRow[]>();
  private size = 0;
  private inserting = Promise.resolve();

  constructor(private readonly em: Em) {}

  /** Adds a row. All rows of a table have the same columns. */
  add(table: DemoTable, row: TableRow): void {
    const rows = this.rows.get(table);
    if (rows) rows.push(row);
    else this.rows.set(table, [row]);
    this.size += 1;
  }

  /** Hands the rows over once there are enough of them, and waits for those of before only. */
  async insertIfFull(): Promise<void> {
    if (this.size < FULL) return;
    await this.inserting;
    this.inserting = this.insertAll();
    // A failure is told by whoever waits next: the next full batch, or the end.
    this.inserting.catch(() => undefined);
  }

  /** Hands everything over and waits until it is in the database. */
  async insert(): Promise<void> {
    await this.inserting;
    await this.insertAll();
  }

  private async insertAll(): Promise<void> {
    const { rows } = this;
    this.rows = new Map();
    this.size = 0;
    for (const table of tables) {
      const added = rows.get(table);
      if (added) await insertRows(this.em, table, added);
    }
  }
}

/** One statement: the database reads the rows out of one JSON parameter. */
async function insertRows(em: Em, table: DemoTable, rows: TableRow[]): Promise<void> {
  const columns = sql.join(Object.keys(rows[0] as TableRow).map((column) => sql.ref(column)));
  // Prices of an earlier load or an import stay as they are; anything else twice is a mistake and fails.
  const conflict = table === 'prices' || table === 'access_revocations' ? sql`on conflict do nothing` : sql``;
  await sql`
    insert into ${sql.table(table)} (${columns})
    select ${columns} from json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::json)
    ${conflict}
  `.execute(em.getKysely());
}

/** Where demonstration rows go, and the seed that their ids follow from. */
export interface RowTarget {
  seed: number;
  /** Rows until they are inserted. */
  batch: Batch;
}
