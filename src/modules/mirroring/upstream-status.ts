import { type Kysely, sql } from 'kysely';
import type { JobKind } from '../../domain/job-kind.js';
import { SyncKind } from '../../domain/sync-kind.js';
import type { IntentState } from '../fulfilling/intent.entity.js';

/** How one thing that is read of the upstream fares. */
export interface SyncStatus {
  kind: SyncKind;
  startedAt: Date | null;
  finishedAt: Date | null;
  succeededAt: Date | null;
  /** How old what is here may be, in seconds; null: nothing was read yet. */
  lagSeconds: number | null;
  itemsRead: number;
  failures: number;
  failedAt: Date | null;
  lastError: string | null;
  brokenSince: Date | null;
}

/** Intents of a kind in a state. */
export interface IntentCount {
  kind: JobKind;
  state: IntentState;
  count: number;
  oldestAt: Date;
  oldestSeconds: number;
}

/** Something that went wrong, and with what. */
export interface UpstreamFailureStatus {
  about: string;
  problem: string;
  at: Date;
}

/** Customers whom the upstream lists. */
export interface CustomerCounts {
  customers: number;
  customersNeverRead: number;
  customersWithProblem: number;
}

/** Failures that are told. */
const MOST_FAILURES = 20;

const dateOf = (value: Date | null) => value && new Date(value);

/** How everything fares that is read of the upstream, each kind once. */
export async function readSyncs(kysely: Kysely<unknown>): Promise<SyncStatus[]> {
  const { rows } = await sql<SyncStatus>`
    select "kind"."kind", "started_at" as "startedAt", "finished_at" as "finishedAt", "succeeded_at" as "succeededAt",
      extract(epoch from now() - case "kind"."kind" when 'CUSTOMERS' then "finished_at"
        when 'ORDERS' then (select min(coalesce("read_at", "seen_at")) from "upstream_customers" where "gone_at" is null)
        else "succeeded_at" end)::float8 as "lagSeconds",
      coalesce("read", 0) as "itemsRead", coalesce("failures", 0) as "failures", "failed_at" as "failedAt",
      "last_error" as "lastError", "broken_since" as "brokenSince"
    from unnest(${Object.values(SyncKind)}::text[]) with ordinality as "kind" ("kind", "place")
    left join "upstream_syncs" on "upstream_syncs"."kind" = "kind"."kind"
    order by "place"`.execute(kysely);
  return rows.map((row) => ({
    ...row,
    startedAt: dateOf(row.startedAt),
    finishedAt: dateOf(row.finishedAt),
    succeededAt: dateOf(row.succeededAt),
    failedAt: dateOf(row.failedAt),
    brokenSince: dateOf(row.brokenSince),
    lagSeconds: row.lagSeconds === null ? null : Math.max(0, Math.round(row.lagSeconds)),
  }));
}

/** What cannot be read, as the log has told. */
export async function brokenSyncs(kysely: Kysely<unknown>): Promise<SyncKind[]> {
  const { rows } = await sql<{ kind: SyncKind }>`
    select "kind" from "upstream_syncs" where "broken_since" is not null order by "kind"`.execute(kysely);
  return rows.map(({ kind }) => kind);
}

/** What the upstream is asked to do, by how far it is. */
export async function countIntents(kysely: Kysely<unknown>): Promise<IntentCount[]> {
  const { rows } = await sql<IntentCount>`
    select "kind", "state", count(*)::int as "count", min("requested_at") as "oldestAt",
      extract(epoch from now() - min("requested_at"))::float8 as "oldestSeconds"
    from "upstream_intents" group by "kind", "state" order by "kind", "state"`.execute(kysely);
  return rows.map((row) => ({ ...row, oldestAt: new Date(row.oldestAt) }));
}

/** How many customers the upstream lists. */
export async function countListed(kysely: Kysely<unknown>): Promise<CustomerCounts> {
  const { rows } = await sql<CustomerCounts>`
    select count(*)::int as "customers", count(*) filter (where "read_at" is null)::int as "customersNeverRead",
      count(*) filter (where "problem" is not null)::int as "customersWithProblem"
    from "upstream_customers" where "gone_at" is null`.execute(kysely);
  return rows[0] as CustomerCounts;
}

/** What went wrong last and is not right yet: readings, customers, and intents that are on their way; the newest first. */
export async function lastFailures(kysely: Kysely<unknown>): Promise<UpstreamFailureStatus[]> {
  const { rows } = await sql<UpstreamFailureStatus>`
    select "about", "problem", "at" from (
      select "kind" as "about", "last_error" as "problem", "failed_at" as "at"
      from "upstream_syncs" where "failures" > 0 and "last_error" is not null
      union all
      (select "domain", "problem", coalesce("read_at", "seen_at") from "upstream_customers"
        where "problem" is not null and "gone_at" is null order by coalesce("read_at", "seen_at") desc limit ${MOST_FAILURES})
      union all
      select "orders"."number", "problem", "changed_at" from "upstream_intents"
      join "orders" on "orders"."id" = "order_id"
      where "state" in ('REQUESTED', 'SENT', 'UNKNOWN') and "problem" is not null
    ) "failed" order by "at" desc limit ${MOST_FAILURES}`.execute(kysely);
  return rows.map((row) => ({ ...row, at: new Date(row.at) }));
}
