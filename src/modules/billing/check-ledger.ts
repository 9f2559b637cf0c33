import { type Kysely, sql } from 'kysely';
import { ledgerChecks } from './ledger-checks.js';

/** What re-adding the ledger found. */
export interface LedgerVerdict {
  /** What the first row that does not balance is, with what it should say and says; null where all does. */
  fault: string | null;
  /** How much was added up, in one line. */
  summary: string;
}

/**
 * Re-adds the ledger: entries against lines, lines against orders and cancellations (rule 16). The database does it, in
 * one snapshot, so that a gateway that books meanwhile is no fault; nothing but the first fault comes here.
 */
export async function checkLedger(kysely: Kysely<unknown>): Promise<LedgerVerdict> {
  return kysely
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (snapshot) => {
      await sql`set local statement_timeout = 0`.execute(snapshot);
      await sql`set transaction read only`.execute(snapshot);
      const summary = await summaryOf(snapshot);
      for (const { holds, firstFault } of ledgerChecks) {
        const { rows } = await sql.raw<{ row: string; expected: string; found: string }>(firstFault).execute(snapshot);
        const [row] = rows;
        if (row) return { fault: `${row.row}: expected ${row.expected}; found ${row.found} (${holds})`, summary };
      }
      return { fault: null, summary };
    });
}

async function summaryOf(kysely: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ lines: string; invoices: string; entries: string; currencies: number }>`
    select to_char((select count(*) from "invoice_lines"), 'FM999,999,999,990') as "lines",
      to_char((select count(*) from "invoices"), 'FM999,999,999,990') as "invoices",
      to_char((select count(*) from "ledger_entries"), 'FM999,999,999,990') as "entries",
      (select count(distinct "currency")::int from "invoices") as "currencies"`.execute(kysely);
  const { lines, invoices, entries, currencies } = rows[0] as (typeof rows)[number];
  return `${invoices} invoices with ${lines} lines in ${currencies} currencies, ${entries} entries`;
}
