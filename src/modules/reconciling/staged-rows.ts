import { type Kysely, sql } from 'kysely';
import { AdvisoryLock } from '../../database/advisory-locks.js';
import { newId } from '../../domain/ids.js';
import type { ReconciliationRow } from '../../partner-center/reconciliation/row.js';

/** One connection of its own: the tables below belong to it and to nobody else. */
// biome-ignore lint/suspicious/noExplicitAny: temporary tables are in no schema
export type Connection = Kysely<any>;

/** A row of the file with where it stands and how. */
export interface StagedRow {
  line: number;
  /** The whole row as a JSON object. */
  content: string;
  row: ReconciliationRow;
}

const TABLES = ['staged_rows', 'our_lines', 'matched_lines', 'judged_lines'];

/** Columns of the staged rows: those of `ReconciliationRow`, in the words and types of the database. */
const COLUMNS: Readonly<Record<keyof ReconciliationRow, string>> = {
  customerTenantId: 'uuid',
  customerName: 'text',
  customerDomain: 'text',
  customerCountry: 'text',
  invoiceNumber: 'text',
  orderNumber: 'text',
  orderReference: 'text',
  orderedAt: 'timestamptz',
  productId: 'text',
  skuId: 'text',
  skuName: 'text',
  productName: 'text',
  publisher: 'text',
  chargeType: 'text',
  unitPrice: 'numeric',
  effectiveUnitPrice: 'numeric',
  exchangeRate: 'numeric',
  quantity: 'numeric',
  subtotal: 'numeric',
  taxTotal: 'numeric',
  total: 'numeric',
  currency: 'text',
  subscriptionId: 'text',
  chargeStart: 'date',
  chargeEnd: 'date',
  subscriptionStart: 'date',
  subscriptionEnd: 'date',
  termAndBillingCycle: 'text',
  billingFrequency: 'text',
};
const names = Object.keys(COLUMNS) as (keyof ReconciliationRow)[];
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Takes the lock that `closeStage` gives back. Answers false while another import runs on this database. */
export async function lockReconciliations(connection: Connection): Promise<boolean> {
  const { rows } = await sql<{ free: boolean }>`
    select pg_try_advisory_lock(${AdvisoryLock.RECONCILIATION}::int) as free`.execute(connection);
  return rows[0]?.free === true;
}

/** Makes the empty table. */
export async function openStage(connection: Connection): Promise<void> {
  await sql`set statement_timeout = 0`.execute(connection);
  const columns = names.map((name) => `${snake(name)} ${COLUMNS[name]}`).join(', ');
  await sql`create temporary table staged_rows (
    line int primary key, id uuid, content jsonb, ${sql.raw(columns)})`.execute(connection);
}

/** Leaves the connection as it was found. */
export async function closeStage(connection: Connection): Promise<void> {
  await sql`drop table if exists ${sql.raw(TABLES.map((table) => `pg_temp.${table}`).join(', '))}`.execute(connection);
  await sql`reset statement_timeout`.execute(connection);
  await sql`select pg_advisory_unlock(${AdvisoryLock.RECONCILIATION}::int)`.execute(connection);
}

/** Adds a batch. Each row brings an id for what becomes of it. */
export async function stageRows(connection: Connection, batch: readonly StagedRow[]): Promise<void> {
  const selected = names.map((name) => `"${name}"`).join(', ');
  const typed = names.map((name) => `"${name}" ${COLUMNS[name]}`).join(', ');
  // The row stays text until PostgreSQL reads it: parsed and written again, its numbers would be rounded.
  const rows = batch.map(({ line, content, row }) => ({ line, id: newId(), content, ...row }));
  await sql`insert into staged_rows
    select line, id, content::jsonb, ${sql.raw(selected)}
    from json_to_recordset(${JSON.stringify(rows)}::json) as batch(line int, id uuid, content text, ${sql.raw(typed)})`.execute(
    connection,
  );
}

/** What the staged rows say of the file as a whole. */
export interface StagedFacts {
  rows: number;
  /** Up to three. */
  currencies: string[];
  invoiceNumbers: string[];
  /** Rows without an invoice number. */
  unbilled: number;
  /** Sum of Total. */
  total: string;
  /** First days of months, with how many rows are charged from a day in them; the most frequent first. */
  months: { month: string; rows: number }[];
}

/** Adds up the staged rows. */
export async function stagedFacts(connection: Connection): Promise<StagedFacts> {
  const facts = await sql<Omit<StagedFacts, 'months'>>`
    select count(*)::int as rows, coalesce(sum(total), 0)::text as total,
      count(*) filter (where invoice_number is null)::int as unbilled,
      coalesce((array_agg(distinct currency))[1:3], '{}') as currencies,
      coalesce(array_agg(distinct invoice_number) filter (where invoice_number is not null), '{}') as "invoiceNumbers"
    from staged_rows`.execute(connection);
  const months = await sql<{ month: string; rows: number }>`
    select to_char(date_trunc('month', coalesce(charge_start, ordered_at::date)), 'YYYY-MM-DD') as month, count(*)::int as rows
    from staged_rows where coalesce(charge_start, ordered_at::date) is not null
    group by 1 order by 2 desc, 1 desc`.execute(connection);
  return { ...(facts.rows[0] as Omit<StagedFacts, 'months'>), months: months.rows };
}
