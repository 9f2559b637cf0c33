import { Migration } from '@mikro-orm/migrations';

export class Migration20261122220209_scale extends Migration {
  override up(): void | Promise<void> {
    this.addSql(
      `create table "sales_by_customer" ("span" text not null, "start" date not null, "customer_id" uuid not null, "market_code" char(2) not null, "kind" text not null, "currency" char(3) not null, "count" int not null, "quantity" bigint not null, "gross" numeric not null, "credited" numeric not null, primary key ("span", "start", "customer_id", "market_code", "kind", "currency"));`,
    );
    this.addSql(
      `create index "sales_by_customer_customer_idx" on "sales_by_customer" ("customer_id", "span", "start");`,
    );

    this.addSql(
      `create table "sales_by_product" ("span" text not null, "start" date not null, "market_code" char(2) not null, "product_id" uuid not null, "kind" text not null, "currency" char(3) not null, "count" int not null, "quantity" bigint not null, "gross" numeric not null, "credited" numeric not null, primary key ("span", "start", "market_code", "product_id", "kind", "currency"));`,
    );

    this.addSql(
      `create table "sales_deltas" ("id" bigserial primary key, "day" date not null, "customer_id" uuid not null, "market_code" char(2) not null, "product_id" uuid not null, "kind" text not null, "currency" char(3) not null, "count" int not null, "quantity" bigint not null, "gross" numeric not null, "credited" numeric not null);`,
    );

    this.addSql(`drop index "activity_entries_at_idx";`);
    this.addSql(
      `create index "activity_entries_day_idx" on "activity_entries" ((("at" at time zone 'UTC')::date), "xid", "seq");`,
    );

    this.addSql(`create index "customers_market_created_idx" on "customers" ("market_code", "created_at", "id");`);
    this.addSql(`create index "customers_segment_idx" on "customers" ("segment", "company_name", "id");`);
    this.addSql(`create index "customers_segment_created_idx" on "customers" ("segment", "created_at", "id");`);

    this.addSql(`create index "invoices_customer_recent_idx" on "invoices" ("customer_id", "period_start", "id");`);
    this.addSql(`create index "invoices_currency_recent_idx" on "invoices" ("currency", "period_start", "id");`);

    this.addSql(`create index "orders_placed_by_recent_idx" on "orders" ("placed_by", "placed_at", "id");`);

    this.addSql(
      `create or replace function "order_lines_order_lines_sold_fn"() returns trigger as $$ begin insert into sales_deltas (day, customer_id, market_code, product_id, kind, currency, count, quantity, gross, credited) select (o.placed_at at time zone 'UTC')::date, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, 1, new.quantity, new.total, 0 * new.total from orders o, skus s where o.id = new.order_id and s.id = new.sku_id; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "order_lines_sold" AFTER INSERT on "order_lines" for each ROW execute function "order_lines_order_lines_sold_fn"();`,
    );
    this.addSql(
      `create or replace function "order_lines_order_lines_credited_fn"() returns trigger as $$ begin if new.status = 'CANCELLED' and old.status <> 'CANCELLED' then insert into sales_deltas (day, customer_id, market_code, product_id, kind, currency, count, quantity, gross, credited) select (o.placed_at at time zone 'UTC')::date, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, 0, 0, 0, c.credit from orders o, skus s, cancellation_lines c where o.id = new.order_id and s.id = new.sku_id and c.order_line_id = new.id and c.standing; end if; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "order_lines_credited" AFTER UPDATE on "order_lines" for each ROW execute function "order_lines_order_lines_credited_fn"();`,
    );

    this.addSql(
      `create or replace function "cancellation_lines_cancellation_lines_credited_fn"() returns trigger as $$ begin insert into sales_deltas (day, customer_id, market_code, product_id, kind, currency, count, quantity, gross, credited) select (o.placed_at at time zone 'UTC')::date, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, 0, 0, 0, new.credit from order_lines l, orders o, skus s where l.id = new.order_line_id and l.status = 'CANCELLED' and o.id = l.order_id and s.id = l.sku_id; return null; end; $$ language plpgsql;`,
    );
    this.addSql(`create trigger "cancellation_lines_credited" AFTER INSERT on "cancellation_lines" for each ROW
  when (new.standing) execute function "cancellation_lines_cancellation_lines_credited_fn"();`);

    this.addSql(`create index "entitlements_status_idx" on "entitlements" ("status", "granted_at", "id");`);
    this.addSql(
      `create index "entitlements_expiry_idx" on "entitlements" ((("expires_at" at time zone 'UTC')::date), "granted_at", "id");`,
    );

    this.addSql(`create index "support_requests_status_idx" on "support_requests" ("status", "submitted_at", "id");`);
    this.addSql(`create index "support_requests_topic_idx" on "support_requests" ("topic", "submitted_at", "id");`);

    this.addSql(
      `alter table "sales_by_customer" add constraint "sales_by_customer_span_check" check ("span" in ('YEAR', 'MONTH', 'DAY'));`,
    );

    this.addSql(
      `alter table "sales_by_product" add constraint "sales_by_product_span_check" check ("span" in ('YEAR', 'MONTH', 'DAY'));`,
    );

    // What was sold until now, added up: from here on the triggers note what is added.
    const sold = `(select (o.placed_at at time zone 'UTC')::date as day, o.customer_id, o.market_code, s.product_id, s.kind, o.currency, l.quantity, l.total as gross, coalesce(c.credit, 0 * l.total) as credited
      from order_lines l join orders o on o.id = l.order_id join skus s on s.id = l.sku_id
      left join cancellation_lines c on c.order_line_id = l.id and c.standing and l.status = 'CANCELLED') sold`;
    for (const [table, by] of [
      ['sales_by_product', 'market_code, product_id, kind, currency'],
      ['sales_by_customer', 'customer_id, market_code, kind, currency'],
    ])
      this.addSql(
        `insert into ${table} (span, start, ${by}, count, quantity, gross, credited) select span, date_trunc(span, day::timestamp)::date, ${by}, count(*), sum(quantity), sum(gross), sum(credited) from ${sold} cross join (values ('YEAR'), ('MONTH'), ('DAY')) spans (span) group by 1, 2, ${by};`,
      );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "sales_by_customer" cascade;`);
    this.addSql(`drop table if exists "sales_by_product" cascade;`);
    this.addSql(`drop table if exists "sales_deltas" cascade;`);

    this.addSql(`drop index "activity_entries_day_idx";`);
    this.addSql(`create index "activity_entries_at_idx" on "activity_entries" ("at");`);

    this.addSql(`drop trigger if exists "cancellation_lines_credited" on "cancellation_lines";`);
    this.addSql(`drop function if exists "cancellation_lines_cancellation_lines_credited_fn"();`);

    this.addSql(`drop index "customers_market_created_idx";`);
    this.addSql(`drop index "customers_segment_idx";`);
    this.addSql(`drop index "customers_segment_created_idx";`);

    this.addSql(`drop index "entitlements_status_idx";`);
    this.addSql(`drop index "entitlements_expiry_idx";`);

    this.addSql(`drop index "invoices_customer_recent_idx";`);
    this.addSql(`drop index "invoices_currency_recent_idx";`);

    this.addSql(`drop trigger if exists "order_lines_sold" on "order_lines";`);
    this.addSql(`drop function if exists "order_lines_order_lines_sold_fn"();`);
    this.addSql(`drop trigger if exists "order_lines_credited" on "order_lines";`);
    this.addSql(`drop function if exists "order_lines_order_lines_credited_fn"();`);

    this.addSql(`drop index "orders_placed_by_recent_idx";`);

    this.addSql(`drop index "support_requests_status_idx";`);
    this.addSql(`drop index "support_requests_topic_idx";`);
  }
}
