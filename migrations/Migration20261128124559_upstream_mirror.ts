import { Migration } from '@mikro-orm/migrations';

const VIEW = `create view "pgboss"."periodic_work" as select upper("q"."name") as "kind", "f"."failures", "d"."at" as "succeeded_at", "f"."at" as "failed_at", "f"."error" as "last_error"
  from "pgboss"."queue" "q"
  cross join lateral (select max("completed_on")::timestamptz(3) as "at" from "pgboss"."job" where "name" = "q"."name" and "state" = 'completed') "d"
  cross join lateral (
    select coalesce(sum("retry_count" + case when "state" = 'active' then 0 else 1 end), 0)::int as "failures",
      max(coalesce("completed_on", "started_on"))::timestamptz(3) as "at",
      (array_agg("output"->>'message' order by coalesce("completed_on", "started_on") desc))[1] as "error"
    from "pgboss"."job" where "name" = "q"."name" and ("state" in ('retry', 'failed') or "state" = 'active' and "retry_count" > 0)
      and ("d"."at" is null or coalesce("completed_on", "started_on") > "d"."at")) "f"
  where `;
const ALWAYS = `"q"."name" in ('sales_roll_up', 'refused_attempts', 'month_close')`;
/** Work that only some gateways have is listed where it was ever done. */
const WITH_UPSTREAM = `${ALWAYS} or "q"."name" = 'upstream_sync' and exists (select from "pgboss"."job" where "name" = 'upstream_sync')`;

/** What the upstream tells: its customers, the lines of its orders, records of what was done, and how far all that is read. */
export class Migration20261128124559_upstream_mirror extends Migration {
  override name = 'Migration20261128124559_upstream_mirror';

  override up(): void | Promise<void> {
    this.addSql(`select "pgboss"."create_queue"('upstream_sync', '{"policy": "standard"}');`);
    this.makeView(WITH_UPSTREAM);
    this.addSql(
      `create table "upstream_customers" ("tenant_id" uuid not null, "customer_id" uuid null, "domain" text not null, "company_name" text not null, "relationship" text null, "seen_at" timestamptz(3) not null, "gone_at" timestamptz(3) null, "read_at" timestamptz(3) null, "refresh_after" timestamptz(3) null, "again_after" timestamptz(3) null, "problem" text null, primary key ("tenant_id"));`,
    );
    this.addSql(
      `alter table "upstream_customers" add constraint "upstream_customers_customer_key" unique ("customer_id");`,
    );
    this.addSql(
      `create index "upstream_customers_refresh_idx" on "upstream_customers" ("refresh_after") where "refresh_after" is not null;`,
    );
    this.addSql(`create index "upstream_customers_read_idx" on "upstream_customers" ("read_at", "tenant_id");`);

    this.addSql(
      `create table "upstream_lines" ("order_line_id" uuid not null, "upstream_order_id" text not null, "alternate_id" text null, "line_number" int not null, "subscription_id" uuid null, "state" text not null, "is_mirrored" boolean not null, "is_priced" boolean not null, "ordered_at" timestamptz(3) not null, "seen_at" timestamptz(3) not null, "gone_at" timestamptz(3) null, primary key ("order_line_id"));`,
    );
    this.addSql(`create index "upstream_lines_alternate_idx" on "upstream_lines" ("alternate_id");`);
    this.addSql(
      `alter table "upstream_lines" add constraint "upstream_lines_place_key" unique ("upstream_order_id", "line_number");`,
    );

    this.addSql(
      `create table "upstream_records" ("id" text not null, "happened_at" timestamptz(3) not null, "heard_at" timestamptz(3) not null default now(), "upstream_order_id" text null, "operation" text not null, "actor" text null, "quantities" jsonb not null default '[]', "entry_id" uuid null, primary key ("id"));`,
    );
    this.addSql(`create index "upstream_records_order_idx" on "upstream_records" ("upstream_order_id");`);
    this.addSql(`create index "upstream_records_happened_idx" on "upstream_records" ("happened_at");`);

    this.addSql(
      `create table "upstream_syncs" ("kind" text not null, "started_at" timestamptz(3) null, "position" text null, "finished_at" timestamptz(3) null, "succeeded_at" timestamptz(3) null, "read" int not null default 0, "failures" int not null default 0, "failed_at" timestamptz(3) null, "last_error" text null, "broken_since" timestamptz(3) null, primary key ("kind"));`,
    );

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_resource_type_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'JOB_RETRIED', 'JOB_GIVEN_UP', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'RECONCILIATION_IMPORTED', 'FILE_IMPORTED', 'MONTH_CLOSED', 'UPSTREAM_ORDER_PLACED', 'UPSTREAM_ORDER_CHANGED', 'UPSTREAM_ORDER_CANCELLED', 'UPSTREAM_KEY_FETCHED', 'UPSTREAM_LINK_FETCHED', 'UPSTREAM_CREDIT_CHANGED', 'UPSTREAM_INVOICE_READY', 'UPSTREAM_CHANGED', 'UPSTREAM_BROKEN', 'UPSTREAM_HEALED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_resource_type_check" check ("resource_type" in ('ORDER', 'ENTITLEMENT', 'DOWNLOAD_LINK', 'SUPPORT_REQUEST', 'SKU', 'RECONCILIATION', 'FILE', 'MONTH', 'UPSTREAM', 'USER'));`,
    );

    this.addSql(
      `alter table "upstream_customers" add constraint "upstream_customers_customer_id_foreign" foreign key ("customer_id") references "customers" ("id") on delete set null;`,
    );

    this.addSql(
      `alter table "upstream_lines" add constraint "upstream_lines_order_line_id_foreign" foreign key ("order_line_id") references "order_lines" ("id") on update cascade on delete cascade;`,
    );

    this.addSql(
      `alter table "upstream_syncs" add constraint "upstream_syncs_kind_check" check ("kind" in ('CUSTOMERS', 'RECORDS', 'ORDERS', 'ENTITLEMENTS'));`,
    );
  }

  override down(): void | Promise<void> {
    this.makeView(ALWAYS);
    this.addSql(`select "pgboss"."delete_queue"('upstream_sync');`);
    this.addSql(`drop table if exists "upstream_customers" cascade;`);
    this.addSql(`drop table if exists "upstream_lines" cascade;`);
    this.addSql(`drop table if exists "upstream_records" cascade;`);
    this.addSql(`drop table if exists "upstream_syncs" cascade;`);

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_resource_type_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'JOB_RETRIED', 'JOB_GIVEN_UP', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'RECONCILIATION_IMPORTED', 'FILE_IMPORTED', 'MONTH_CLOSED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_resource_type_check" check ("resource_type" in ('ORDER', 'ENTITLEMENT', 'DOWNLOAD_LINK', 'SUPPORT_REQUEST', 'SKU', 'RECONCILIATION', 'FILE', 'MONTH', 'USER'));`,
    );
  }

  private makeView(where: string): void {
    this.addSql(`drop view "periodic_work";`);
    this.addSql(`drop view "pgboss"."periodic_work";`);
    this.addSql(`${VIEW}${where};`);
    this.addSql(`create view "periodic_work" as select * from "pgboss"."periodic_work";`);
  }
}
