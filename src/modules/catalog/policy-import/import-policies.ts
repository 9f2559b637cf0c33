import { sql } from 'kysely';
import { AdvisoryLock } from '../../../database/advisory-locks.js';
import { inLockOrder } from '../../../database/lock-order.js';
import type { Em, Orm } from '../../../database/orm.js';
import { newId } from '../../../domain/ids.js';
import type { ProductKind } from '../../../domain/product-kind.js';
import { type GivenPolicy, groupPolicies, subjectKey } from './group-policies.js';
import type { ClosureRow, PolicyFile, PolicyRefusal, PolicyRow } from './policy-file.js';

/** How to import. */
export interface PolicyImportOptions {
  /** Says what would happen and keeps nothing. */
  dryRun?: boolean;
  /** Keeps what is good of a file that has refused rows too; without it such a file leaves no trace. */
  keepGood?: boolean;
  /** Rows that were refused while the file was read. */
  refusedRows?: number;
  /** Hears of every row that is not taken. */
  onRefusal?: (refusal: PolicyRefusal) => void;
  /** Goes last in the transaction that keeps the file. */
  onKept?: (em: Em, summary: PolicyImportSummary) => void;
}

/** What an import did, or in a dry run would do: numbers of policies or closed markets, and whether they were kept. */
export interface PolicyImportSummary {
  refusedRows: number;
  NEW: number;
  CHANGED: number;
  UNCHANGED: number;
  /** Taken away. */
  REMOVED: number;
  kept: boolean;
}

/** A row as the database has it, and what becomes of it. */
interface Written {
  change: 'NEW' | 'CHANGED' | 'UNCHANGED' | 'REMOVED';
}

/**
 * Imports cancellation policies or closed markets (rules 1 and 13), in one transaction, over what is there for the same
 * subject and day; what the file marks as removed is taken away. What was sold is judged by what its order lines froze. The same file twice changes nothing.
 */
export async function importPolicies(
  orm: Orm,
  file: PolicyFile,
  options: PolicyImportOptions = {},
): Promise<PolicyImportSummary> {
  const refused = new Set<number>();
  const onRefusal = (refusal: PolicyRefusal) => {
    refused.add(refusal.line);
    options.onRefusal?.(refusal);
  };
  return orm.em.fork().transactional(async (em) => {
    inLockOrder(em, 'POLICIES');
    await sql`select pg_advisory_xact_lock(${AdvisoryLock.POLICIES}::int)`.execute(em.getKysely());
    const target =
      file.holds === 'policies'
        ? await policiesTarget(em, file.rows, onRefusal)
        : await closuresTarget(em, file.rows, onRefusal);
    const written = await target.compare();
    const count = (change: Written['change']) => written.filter((row) => row.change === change).length;
    const refusedRows = (options.refusedRows ?? 0) + refused.size;
    const kept = !options.dryRun && (refusedRows === 0 || options.keepGood === true);
    if (kept) await target.write();
    const counts = {
      ...{ NEW: count('NEW'), CHANGED: count('CHANGED'), UNCHANGED: count('UNCHANGED') },
      REMOVED: target.removed,
    };
    const summary = { refusedRows, ...counts, kept };
    if (kept) options.onKept?.(em, summary);
    return summary;
  });
}

/** What rows are compared with, and written to. */
interface Target {
  /** How many are taken away. */
  removed: number;
  compare(): Promise<Written[]>;
  write(): Promise<unknown>;
}

async function policiesTarget(
  em: Em,
  rows: readonly PolicyRow[],
  onRefusal: (refusal: PolicyRefusal) => void,
): Promise<Target> {
  const skus = await skusOf(em, rows);
  const policies = groupPolicies(
    rows,
    (subject) => ('kind' in subject ? subject.kind : skus.get(subjectKey(subject))?.kind),
    onRefusal,
  );
  const rowOf = ({ subject, effectiveDate, refundOptions, supportRequestRequired }: GivenPolicy) => ({
    id: newId(),
    ...('kind' in subject
      ? { kind: subject.kind, sku_id: null }
      : { kind: skus.get(subjectKey(subject))?.kind, sku_id: skus.get(subjectKey(subject))?.id }),
    effective_date: effectiveDate,
    refund_options: refundOptions,
    support_request_required: supportRequestRequired,
  });
  const recordset = (some: readonly GivenPolicy[]) =>
    sql`json_populate_recordset(null::cancellation_policies, ${JSON.stringify(some.map(rowOf))}::json) given`;
  const given = recordset(policies.filter(({ isRemoved }) => !isRemoved));
  const isSame = sql`known.effective_date = given.effective_date and known.sku_id is not distinct from given.sku_id and known.kind = given.kind`;
  const differs = sql`(known.refund_options, known.support_request_required) is distinct from (given.refund_options, given.support_request_required)`;
  const taken = await takenAway(
    em,
    policies.filter(({ isRemoved }) => isRemoved),
    onRefusal,
    (policy) => sql`cancellation_policies known, ${recordset([policy])} where ${isSame}`,
  );
  return {
    removed: taken.length,
    compare: () => compared(em, given, sql`cancellation_policies known on ${isSame}`, sql`known.id`, differs),
    write: async () => {
      if (taken.length > 0)
        await sql`delete from cancellation_policies known using ${recordset(taken)} where ${isSame}`.execute(
          em.getKysely(),
        );
      await sql`update cancellation_policies known set refund_options = given.refund_options,
        support_request_required = given.support_request_required from ${given} where ${isSame} and ${differs}`.execute(
        em.getKysely(),
      );
      await sql`insert into cancellation_policies (id, kind, sku_id, effective_date, refund_options, support_request_required)
        select id, kind, sku_id, effective_date, refund_options, support_request_required from ${given}
        where not exists (select from cancellation_policies known where ${isSame})`.execute(em.getKysely());
    },
  };
}

async function closuresTarget(
  em: Em,
  rows: readonly ClosureRow[],
  onRefusal: (refusal: PolicyRefusal) => void,
): Promise<Target> {
  const { rows: markets } = await sql<{ code: string }>`select code from markets`.execute(em.getKysely());
  const codes = new Set(markets.map(({ code }) => code));
  const first = new Map<string, ClosureRow>();
  for (const row of rows) {
    const key = `${row.market} ${row.kind} ${row.effectiveDate}`;
    const before = first.get(key);
    if (!codes.has(row.market))
      onRefusal({ line: row.line, column: 'Market', value: row.market, reason: 'there is no such market' });
    // Several rows of a printed list may share a code; they say the same.
    else if (before && (before.isClosed !== row.isClosed || before.isRemoved !== row.isRemoved))
      onRefusal({
        line: row.line,
        column: before.isRemoved === row.isRemoved ? 'Closed' : 'Removed',
        value: String(before.isRemoved === row.isRemoved ? row.isClosed : row.isRemoved),
        reason: `line ${before.line} says otherwise for the same market, kind and day`,
      });
    else if (!before) first.set(key, row);
  }
  const recordset = (some: readonly ClosureRow[]) => {
    const records = some.map(({ market, kind, effectiveDate, isClosed }) => ({
      ...{ market_code: market, kind },
      ...{ effective_date: effectiveDate, is_closed: isClosed },
    }));
    return sql`json_populate_recordset(null::market_closures, ${JSON.stringify(records)}::json) given`;
  };
  const all = [...first.values()];
  const given = recordset(all.filter(({ isRemoved }) => !isRemoved));
  const known = sql`market_closures known on known.market_code = given.market_code and known.kind = given.kind and known.effective_date = given.effective_date`;
  const isSame = sql`known.market_code = given.market_code and known.kind = given.kind and known.effective_date = given.effective_date`;
  const taken = await takenAway(
    em,
    all.filter(({ isRemoved }) => isRemoved),
    onRefusal,
    (closure) => sql`market_closures known, ${recordset([closure])} where ${isSame}`,
  );
  return {
    removed: taken.length,
    compare: () => compared(em, given, known, sql`known.kind`, sql`known.is_closed <> given.is_closed`),
    write: async () => {
      if (taken.length > 0)
        await sql`delete from market_closures known using ${recordset(taken)} where ${isSame}`.execute(em.getKysely());
      await sql`insert into market_closures (market_code, kind, effective_date, is_closed)
        select market_code, kind, effective_date, is_closed from ${given}
        on conflict (market_code, kind, effective_date) do update set is_closed = excluded.is_closed
          where market_closures.is_closed <> excluded.is_closed`.execute(em.getKysely());
    },
  };
}

type Part = ReturnType<typeof sql>;

/** Those of the rows to take away that are there; who names one that is not has mistaken its subject or day. */
async function takenAway<Row extends { effectiveDate: string } & ({ line: number } | { lines: number[] })>(
  em: Em,
  rows: readonly Row[],
  onRefusal: (refusal: PolicyRefusal) => void,
  known: (row: Row) => Part,
): Promise<Row[]> {
  const taken: Row[] = [];
  for (const row of rows) {
    const { rows: found } = await sql`select from ${known(row)}`.execute(em.getKysely());
    const line = 'line' in row ? row.line : (row.lines[0] as number);
    if (found.length > 0) taken.push(row);
    else
      onRefusal({ line, column: 'EffectiveDate', value: row.effectiveDate, reason: 'there is none from that day on' });
  }
  return taken;
}

async function compared(em: Em, given: Part, known: Part, key: Part, differs: Part): Promise<Written[]> {
  const { rows } = await sql<Written>`
    select case when ${key} is null then 'NEW' when ${differs} then 'CHANGED' else 'UNCHANGED' end as change
    from ${given} left join ${known}
  `.execute(em.getKysely());
  return rows;
}

async function skusOf(
  em: Em,
  rows: readonly PolicyRow[],
): Promise<ReadonlyMap<string, { id: string; kind: ProductKind }>> {
  const keys = rows.flatMap(({ subject }) => ('kind' in subject ? [] : [subjectKey(subject)]));
  const { rows: found } = await sql<{ key: string; id: string; kind: ProductKind }>`
    select product.product_id || ':' || sku.sku_id as key, sku.id, sku.kind
    from skus sku join products product on product.id = sku.product_id
    where product.product_id || ':' || sku.sku_id = any(${[...new Set(keys)]}::text[])
  `.execute(em.getKysely());
  return new Map(found.map(({ key, id, kind }) => [key, { id, kind }]));
}
