import { Migration } from '@mikro-orm/migrations';
import { pgBoss46 } from './pg-boss-46.js';

/**
 * Work that waits for somebody: the tables of pg-boss with a queue for each kind of job, which "jobs" shows in the words of
 * the graph. Orders wait for the provider, and say why it refused.
 */
export class Migration20261128002800_jobs extends Migration {
  override name = 'Migration20261128002800_jobs';

  override up(): void | Promise<void> {
    for (const statement of pgBoss46) this.addSql(statement);
    for (const queue of ['purchase', 'cancellation'])
      this.addSql(`select "pgboss"."create_queue"('${queue}', '{"policy": "standard"}');`);

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );

    this.addSql(`alter table "orders" drop constraint "orders_status_check";`);
    this.addSql(
      `alter table "orders" add "placed_by_role" text null, add "placed_by_identity" text null, add "refusal_reason" text null;`,
    );
    this.addSql(
      `alter table "orders" add constraint "orders_refused" check ((status = 'REFUSED') = (refusal_reason is not null));`,
    );
    this.addSql(
      `alter table "orders" add constraint "orders_status_check" check ("status" in ('PENDING', 'COMPLETED', 'CANCELLED', 'REFUSED'));`,
    );

    this.addSql(`drop index "cancellations_due_idx";`);
    this.addSql(`alter table "cancellations" drop column "due_at";`);
    this.addSql(`alter table "cancellations" add "refusal_reason" text null;`);
    this.addSql(
      `create index "cancellations_pending_idx" on "cancellations" ("requested_at") where "status" = 'PENDING';`,
    );

    this.addSql(`alter table "order_lines" drop constraint "order_lines_status_check";`);
    this.addSql(`drop trigger if exists "order_lines_sold" on "order_lines";`);
    this.addSql(`drop function if exists "order_lines_order_lines_sold_fn"();`);
    this.addSql(
      `alter table "order_lines" add constraint "order_lines_status_check" check ("status" in ('PENDING', 'ACTIVE', 'CANCELLATION_PENDING', 'CANCELLED', 'REFUSED'));`,
    );
    this.addSql(
      `create or replace function "order_lines_order_lines_confirmed_fn"() returns trigger as $$ begin if old.status = 'PENDING' and new.status = 'ACTIVE' then insert into sales_deltas (day, customer_id, market_code, product_id, kind, currency, count, quantity, gross, credited) select (o.placed_at at time zone 'UTC')::date, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, 1, new.quantity, new.total, 0 * new.total from orders o, skus s where o.id = new.order_id and s.id = new.sku_id; end if; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "order_lines_confirmed" AFTER UPDATE on "order_lines" for each ROW execute function "order_lines_order_lines_confirmed_fn"();`,
    );
    this.addSql(
      `create or replace function "order_lines_order_lines_sold_fn"() returns trigger as $$ begin if new.status <> 'PENDING' then insert into sales_deltas (day, customer_id, market_code, product_id, kind, currency, count, quantity, gross, credited) select (o.placed_at at time zone 'UTC')::date, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, 1, new.quantity, new.total, 0 * new.total from orders o, skus s where o.id = new.order_id and s.id = new.sku_id; end if; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "order_lines_sold" AFTER INSERT on "order_lines" for each ROW execute function "order_lines_order_lines_sold_fn"();`,
    );

    this.addSql(
      `create view "pgboss"."jobs" as select "id", upper("name") as "kind", case "state" when 'created' then 'WAITING' when 'active' then 'RUNNING' when 'retry' then 'RETRYING' else 'FAILED' end as "state", ("data"->>'orderId')::uuid as "order_id", "retry_count" + case when "started_on" is null then 0 else 1 end as "attempts", "retry_limit" + 1 as "maximum_attempts", "created_on"::timestamptz(3) as "enqueued_at", case when "state" in ('created', 'retry') then "start_after"::timestamptz(3) end as "next_attempt_at", "started_on"::timestamptz(3) as "started_at", "completed_on"::timestamptz(3) as "failed_at", "output"->>'message' as "last_error" from "pgboss"."job" where "name" in ('purchase', 'cancellation') and "state" in ('created', 'active', 'retry', 'failed');`,
    );
    this.addSql(`create view "jobs" as select * from "pgboss"."jobs";`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop view if exists "jobs" cascade;`);
    this.addSql(`drop schema if exists "pgboss" cascade;`);
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );

    this.addSql(`drop index "cancellations_pending_idx";`);
    this.addSql(`alter table "cancellations" drop column "refusal_reason";`);
    this.addSql(`alter table "cancellations" add "due_at" timestamptz(3) null;`);
    this.addSql(`update "cancellations" set "due_at" = "requested_at";`);
    this.addSql(`alter table "cancellations" alter column "due_at" set not null;`);
    this.addSql(`create index "cancellations_due_idx" on "cancellations" ("due_at") where "status" = 'PENDING';`);

    this.addSql(`alter table "order_lines" drop constraint "order_lines_status_check";`);
    this.addSql(`drop trigger if exists "order_lines_confirmed" on "order_lines";`);
    this.addSql(`drop function if exists "order_lines_order_lines_confirmed_fn"();`);
    this.addSql(`drop trigger if exists "order_lines_sold" on "order_lines";`);
    this.addSql(`drop function if exists "order_lines_order_lines_sold_fn"();`);
    this.addSql(
      `alter table "order_lines" add constraint "order_lines_status_check" check ("status" in ('ACTIVE', 'CANCELLATION_PENDING', 'CANCELLED'));`,
    );
    this.addSql(
      `create or replace function "order_lines_order_lines_sold_fn"() returns trigger as $$ begin insert into sales_deltas (day, customer_id, market_code, product_id, kind, currency, count, quantity, gross, credited) select (o.placed_at at time zone 'UTC')::date, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, 1, new.quantity, new.total, 0 * new.total from orders o, skus s where o.id = new.order_id and s.id = new.sku_id; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "order_lines_sold" AFTER INSERT on "order_lines" for each ROW execute function "order_lines_order_lines_sold_fn"();`,
    );

    this.addSql(`alter table "orders" drop constraint "orders_refused";`);
    this.addSql(`alter table "orders" drop constraint "orders_status_check";`);
    this.addSql(
      `alter table "orders" drop column "placed_by_role", drop column "placed_by_identity", drop column "refusal_reason";`,
    );
    this.addSql(
      `alter table "orders" add constraint "orders_status_check" check ("status" in ('PENDING', 'COMPLETED', 'CANCELLED'));`,
    );
  }
}
