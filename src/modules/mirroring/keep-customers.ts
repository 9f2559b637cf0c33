import { sql } from 'kysely';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { newId } from '../../domain/ids.js';
import type { ToldCustomer, ToldProfile } from '../../domain/upstream.js';

/** Keeps a page of the list of customers, and what it says of those who are customers here already. */
export async function keepListed(em: Em, page: readonly ToldCustomer[]): Promise<void> {
  if (page.length === 0) return;
  const rows = JSON.stringify([...new Map(page.map((one) => [one.tenantId, one])).values()]);
  const kysely = em.getKysely();
  await sql`
    insert into "upstream_customers" ("tenant_id", "domain", "company_name", "relationship", "seen_at")
    select "tenantId", "domain", "companyName", "relationship", now()
    from json_to_recordset(${rows}::text::json) as "told" ("tenantId" uuid, "domain" text, "companyName" text, "relationship" text)
    order by "tenantId"
    on conflict ("tenant_id") do update set "domain" = excluded."domain", "company_name" = excluded."company_name",
      "relationship" = excluded."relationship", "seen_at" = now(), "gone_at" = null`.execute(kysely);
  // Names that have changed; a domain that somebody else has here stays theirs.
  await sql`
    update "customers" set "company_name" = "told"."company_name",
      "domain" = case when exists (select from "customers" "other" where "other"."domain" = "told"."domain" and "other"."id" <> "customers"."id")
        then "customers"."domain" else "told"."domain" end
    from "upstream_customers" "told"
    where "told"."customer_id" = "customers"."id" and "told"."tenant_id" = any(${page.map(({ tenantId }) => tenantId)}::uuid[])
      and ("customers"."company_name" <> normalize("told"."company_name") or "customers"."domain" <> "told"."domain")`.execute(
    kysely,
  );
}

/** Marks customers whom a whole pass has not listed. Answers how many. */
export async function markGoneCustomers(em: Em, passBeganAt: Date): Promise<number> {
  const { numAffectedRows } = await sql`
    update "upstream_customers" set "gone_at" = now()
    where "seen_at" < ${passBeganAt} and "gone_at" is null`.execute(em.getKysely());
  return Number(numAffectedRows ?? 0n);
}

/** A customer whom the upstream lists, as it is kept. */
export interface ListedCustomer {
  tenantId: string;
  /** Id of our row; null: not a customer here yet. */
  customerId: string | null;
  /** Market of our customer. */
  market: string | null;
}

/** Locks a listed customer: what they have is kept by one process at a time. Lists one whom no page has listed yet. */
export async function lockListed(em: Em, told: ToldCustomer | string): Promise<ListedCustomer | null> {
  if (typeof told !== 'string')
    await sql`
      insert into "upstream_customers" ("tenant_id", "domain", "company_name", "relationship", "seen_at")
      values (${told.tenantId}, ${told.domain}, ${told.companyName}, ${told.relationship}, now())
      on conflict ("tenant_id") do nothing`.execute(em.getKysely());
  const tenantId = typeof told === 'string' ? told : told.tenantId;
  inLockOrder(em, 'UPSTREAM_CUSTOMER');
  const { rows } = await sql<ListedCustomer>`
    select "tenant_id" as "tenantId", "customer_id" as "customerId",
      (select "market_code" from "customers" where "customers"."id" = "customer_id") as "market"
    from "upstream_customers" where "tenant_id" = ${tenantId} for update`.execute(em.getKysely());
  return rows[0] ?? null;
}

/**
 * Makes a listed customer one of ours, or finds the one that has the tenant already. Answers why it cannot be one, where
 * it cannot.
 */
export async function adoptCustomer(
  em: Em,
  { tenantId, domain, companyName, country, contact }: ToldProfile,
): Promise<{ customerId: string; market: string; isNew: boolean } | { problem: string }> {
  const kysely = em.getKysely();
  const found = async () => {
    const { rows } = await sql<{ customerId: string; market: string }>`
      select "id" as "customerId", "market_code" as "market" from "customers" where "tenant_id" = ${tenantId}`.execute(
      kysely,
    );
    return rows[0];
  };
  const link = ({ customerId }: { customerId: string }) =>
    sql`update "upstream_customers" set "customer_id" = ${customerId} where "tenant_id" = ${tenantId}`.execute(kysely);
  const known = await found();
  if (known) {
    await link(known);
    return { ...known, isNew: false };
  }
  const { rows: markets } = await sql`select from "markets" where "code" = ${country}`.execute(kysely);
  if (markets.length === 0)
    return { problem: country ? `There is no market ${country}.` : 'It has no country in its billing profile.' };
  const { firstName, lastName, email, phone } = contact;
  await sql`
    insert into "customers" ("id", "tenant_id", "domain", "company_name", "market_code", "contact_first_name",
      "contact_last_name", "contact_email", "contact_phone", "created_at")
    select ${newId()}::uuid, ${tenantId}::uuid,
      case when exists (select from "customers" where "domain" = ${domain}) then ${`${tenantId}.invalid`} else ${domain} end,
      ${companyName}, ${country}, ${firstName}, ${lastName}, ${email}, ${phone}::text, now()
    on conflict ("tenant_id") do nothing`.execute(kysely);
  const made = (await found()) as { customerId: string; market: string };
  await link(made);
  return { ...made, isNew: true };
}

/** Notes that what a customer has was read. @param refreshAfter when it is to be read again; null: in its turn */
export async function noteRead(
  em: Em,
  tenantId: string,
  { readAt, problem, againInSeconds }: { readAt: Date; problem: string | null; againInSeconds: number | null },
): Promise<void> {
  await sql`
    update "upstream_customers" set "read_at" = ${readAt}, "problem" = ${problem},
      "refresh_after" = least(case when "refresh_after" > ${readAt} then "refresh_after" end,
        case when "again_after" > ${readAt} then "again_after" end, now() + make_interval(secs => ${againInSeconds}::float8)),
      "again_after" = case when "again_after" > ${readAt} then "again_after" end
    where "tenant_id" = ${tenantId}`.execute(em.getKysely());
}

/** Notes that a customer whom nothing is known of any more is there no more. */
export async function markGone(em: Em, tenantId: string): Promise<void> {
  await sql`
    update "upstream_customers" set "gone_at" = coalesce("gone_at", now()), "refresh_after" = null,
      "again_after" = null, "read_at" = now()
    where "tenant_id" = ${tenantId}`.execute(em.getKysely());
}

/** Has customers read soon, because something was done there at an instant: and once more when lists are no more behind. */
export async function readSoon(
  em: Em,
  named: readonly { tenantId: string; happenedAt: Date }[],
  behindMs: number,
): Promise<void> {
  if (named.length === 0) return;
  await sql`
    update "upstream_customers" set "refresh_after" = least("refresh_after", now()),
      "again_after" = greatest("again_after", "named"."at" + make_interval(secs => ${behindMs / 1_000 + 60}))
    from (select "tenantId", max("happenedAt") as "at"
      from json_to_recordset(${JSON.stringify(named)}::text::json) as "told" ("tenantId" uuid, "happenedAt" timestamptz)
      group by "tenantId") "named"
    where "tenant_id" = "named"."tenantId"`.execute(em.getKysely());
}
