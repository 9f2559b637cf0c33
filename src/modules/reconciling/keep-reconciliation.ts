import { sql } from 'kysely';
import { type Actor, recordActivity } from '../../activity-log/record-activity.js';
import type { Orm } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import type { StatementKind } from '../../domain/reconciliation.js';
import { FileRefused } from '../../partner-center/files/file-refused.js';
import type { ReconciliationFormat } from '../../partner-center/reconciliation/read-lines.js';
import { countOf, type VerdictCount } from './judge-lines.js';
import type { Connection } from './staged-rows.js';

/** A file, as it is kept. */
export interface KeptStatement {
  sha256: string;
  fileName: string;
  format: ReconciliationFormat;
  columns: string[];
  kind: StatementKind;
  invoiceNumber: string | null;
  invoiceNumbers: string[];
  /** First day of the month. */
  month: string;
  currency: string;
  rows: number;
  refusedRows: number;
  total: string;
  tolerance: string;
  /** Names the version of the data in the billing export; null where nobody said it. */
  manifestEtag: string | null;
}

interface Known {
  id: string;
  sha256: string;
  fileName: string;
}

/** Reconciliations that a new one takes the place of. */
export interface KnownReconciliations {
  /** That of the very same file. */
  same: Known | null;
  /** Those of other versions of the same invoices, and of what was not billed then and is now. */
  older: Known[];
  /** Both. */
  all: Known[];
}

/**
 * Looks up what was imported of the same invoices before.
 * @throws {FileRefused} where a newer version than this one was
 */
export async function knownReconciliations(
  connection: Connection,
  { sha256, month, currency, invoiceNumbers }: KeptStatement,
): Promise<KnownReconciliations> {
  const { rows } = await sql<Known & { supersededAt: string | null }>`
    select id, sha256, file_name as "fileName", to_char(superseded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as "supersededAt"
    from reconciliations r
    where sha256 = ${sha256}
      or superseded_at is null and currency = ${currency} and (
        kind = 'UNBILLED' and month = ${month}::date
        or id in (
          select reconciliation_id from statement_lines l
          where l.invoice_number = any(${sql.val(invoiceNumbers)}::text[])))
    order by id for update`.execute(connection);
  const same = rows.find((row) => row.sha256 === sha256) ?? null;
  if (same?.supersededAt)
    throw new FileRefused(
      `This is an older version of what was imported since: another file took its place on ${same.supersededAt}. Nothing was changed.`,
    );
  return { same, older: rows.filter((row) => row !== same), all: rows };
}

/** Writes what came of a file: with its rows where it is new, in the place of what other versions of it came to. */
export async function keepReconciliation(
  orm: Orm,
  connection: Connection,
  {
    id,
    statement,
    known,
    verdicts,
    actor,
    now,
    correlationId,
  }: {
    id: string;
    statement: KeptStatement;
    known: KnownReconciliations;
    verdicts: readonly VerdictCount[];
    actor: Actor;
    now: Date;
    correlationId: string;
  },
): Promise<void> {
  const replaced = sql`any(${sql.val(known.all.map((each) => each.id))}::uuid[])`;
  const before = await sql<{ verdict: string; lines: number }>`
    select verdict, count(*)::int as lines from reconciliation_lines where reconciliation_id = ${id}::uuid group by 1`.execute(
    connection,
  );
  await sql`delete from reconciliation_lines where reconciliation_id = ${replaced}`.execute(connection);
  await sql`update reconciliations set superseded_at = ${now}
    where id = ${replaced} and id <> ${id}::uuid`.execute(connection);
  if (known.same) {
    await sql`update reconciliations
      set compared_at = ${now}, manifest_etag = coalesce(${statement.manifestEtag}, manifest_etag), tolerance = ${statement.tolerance}::numeric, month = ${statement.month}::date
      where id = ${id}::uuid`.execute(connection);
  } else {
    await sql`insert into reconciliations (id, sha256, file_name, format, columns, kind, invoice_number, month, currency,
        row_count, refused_row_count, total, tolerance, imported_at, imported_by, compared_at,
        manifest_etag)
      values (${id}, ${statement.sha256}, ${statement.fileName}, ${statement.format}, ${JSON.stringify(statement.columns)}::jsonb,
        ${statement.kind}, ${statement.invoiceNumber}, ${statement.month}::date, ${statement.currency}, ${statement.rows},
        ${statement.refusedRows}, ${statement.total}::numeric, ${statement.tolerance}::numeric, ${now},
        ${actor.userPrincipalName}, ${now}, ${statement.manifestEtag})`.execute(connection);
    await sql`insert into statement_lines (reconciliation_id, line, invoice_number, content)
      select ${id}::uuid, line, invoice_number, content from staged_rows`.execute(connection);
  }
  // What was missing in the file of another invoice or month has been found in this one.
  await sql`delete from reconciliation_lines r using matched_lines m
    where r.invoice_line_id = m.ours and r.verdict = 'MISSING_THERE'`.execute(connection);
  await sql`insert into reconciliation_lines (id, reconciliation_id, verdict, line, invoice_line_id, matched_by, customer_id,
      customer_tenant_id, customer_name, month, our_month, order_number, product_id, sku_id, title, charge_type, currency,
      their_amount, our_amount, differences)
    select id, ${id}::uuid, verdict, line, invoice_line_id, matched_by, customer_id, customer_tenant_id, customer_name, month,
      our_month, order_number, product_id, sku_id, title, charge_type, ${statement.currency}, their_amount, our_amount, differences
    from judged_lines order by id`.execute(connection);
  const isUnchanged =
    known.same !== null &&
    before.rows.length === verdicts.length &&
    before.rows.every(({ verdict, lines }) =>
      verdicts.some((each) => each.verdict === verdict && each.lines === lines),
    );
  if (isUnchanged) return;
  const em = orm.em.fork();
  em.setTransactionContext(connection as never);
  recordActivity(em, {
    action: 'RECONCILIATION_IMPORTED',
    outcome: 'SUCCEEDED',
    actor,
    customerId: null,
    resource: { type: 'RECONCILIATION', id: toGlobalId('Reconciliation', id), label: statement.fileName },
    correlationId,
    detail: {
      month: statement.month,
      invoiceNumber: statement.invoiceNumber,
      total: statement.total,
      currency: statement.currency,
      sha256: statement.sha256,
      equal: countOf(verdicts, 'EQUAL'),
      different: countOf(verdicts, 'DIFFERENT'),
      missingHere: countOf(verdicts, 'MISSING_HERE'),
      missingThere: countOf(verdicts, 'MISSING_THERE'),
    },
  });
  await em.flush();
}
