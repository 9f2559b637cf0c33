import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import type { Mirror } from './mirror.js';

/** How fast customers are read that nobody named. */
export interface Pace {
  /** Those that were read before then are to be read; null: only those that are due for another reason. */
  readBefore: Date | null;
  /** How many of them at most; null: all. */
  most: number | null;
}

/** When a customer who could not be read is tried again. */
const AGAIN_SECONDS = 600;

/** The tenants that are read next: those named by records first, then those never read, then by the crawl. */
export async function nextToRead({ reads }: Mirror, pace: Pace, count: number, alreadyRead: number): Promise<string[]> {
  const crawls = pace.readBefore !== null && (pace.most === null || alreadyRead < pace.most);
  const { rows } = await sql<{ tenantId: string }>`
    select "tenant_id" as "tenantId" from (
      (select "tenant_id", 0 as "rank", "refresh_after" as "at" from "upstream_customers"
        where "refresh_after" <= now() order by "refresh_after" limit ${count})
      union all
      (select "tenant_id", 1, "seen_at" from "upstream_customers"
        where "read_at" is null and "refresh_after" is null and "gone_at" is null order by "tenant_id" limit ${count})
      union all
      (select "tenant_id", 2, "read_at" from "upstream_customers"
        where ${crawls} and "read_at" < ${pace.readBefore} and coalesce("refresh_after" > now(), false) = false
          and "gone_at" is null order by "read_at", "tenant_id" limit ${count})
    ) "due" order by "rank", "at", "tenant_id" limit ${count}`.execute(reads().getKysely());
  return [...new Set(rows.map(({ tenantId }) => tenantId))];
}

/** Notes that a customer could not be read: others go first. */
export async function noteUnread({ inTransaction }: Mirror, tenantId: string, problem: string): Promise<void> {
  await inTransaction((em) =>
    sql`
      update "upstream_customers" set "problem" = ${problem}, "refresh_after" = now() + make_interval(secs => ${AGAIN_SECONDS})
      where "tenant_id" = ${tenantId}`.execute(em.getKysely()),
  );
}

/** How many customers there are to read, and how many of them were not since an instant. */
export async function countCustomers({ reads }: Mirror, since: Date): Promise<{ all: number; unread: number }> {
  const { rows } = await sql<{ all: number; unread: number }>`
    select count(*)::int as "all", count(*) filter (where "read_at" is null or "read_at" < ${since})::int as "unread"
    from "upstream_customers" where "gone_at" is null`.execute(reads().getKysely());
  return rows[0] as { all: number; unread: number };
}

/** What is wrong with a customer whose entitlements were not told, before the reason. */
export const WITHOUT_ENTITLEMENTS = 'Entitlements were not told: ';

const isWithout = sql`starts_with("problem", ${sql.lit(WITHOUT_ENTITLEMENTS)})`;

/** Where entitlements are not told, has one customer read: so it is noticed when they are again. */
export async function tryEntitlements({ inTransaction }: Mirror): Promise<void> {
  await inTransaction((em) =>
    sql`
      update "upstream_customers" set "refresh_after" = least("refresh_after", now())
      where exists (select from "upstream_syncs" where "kind" = 'ENTITLEMENTS' and "failures" > 0)
        and "tenant_id" = (select "tenant_id" from "upstream_customers" where ${isWithout} order by "read_at" limit 1)`.execute(
      em.getKysely(),
    ),
  );
}

/** Has all customers read again whose entitlements were not told. */
export async function readAgainWithoutEntitlements(em: Em): Promise<void> {
  await sql`
    update "upstream_customers" set "refresh_after" = least("refresh_after", now()) where ${isWithout}`.execute(
    em.getKysely(),
  );
}
