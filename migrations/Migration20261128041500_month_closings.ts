import { Migration } from '@mikro-orm/migrations';

/** Key of the advisory lock that whatever books shares, and the closing of a month takes alone. */
const BOOKING = 4_275_031;

/**
 * Months are closed, and nothing is booked on them any more; invoices get their numbers then, without gaps, and credits that
 * come later are credit notes. Months that were over count as closed, and their invoices keep the numbers that they had.
 */
export class Migration20261128041500_month_closings extends Migration {
  override name = 'Migration20261128041500_month_closings';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "invoice_series" ("document_type" text not null, "last_number" bigint not null default '0', primary key ("document_type"));`,
    );
    this.addSql(
      `alter table "invoice_series" add constraint "invoice_series_document_type_check" check ("document_type" in ('INVOICE', 'CREDIT_NOTE'));`,
    );
    this.addSql(`insert into "invoice_series" ("document_type") values ('INVOICE'), ('CREDIT_NOTE');`);
    this.addSql(
      `create table "month_closings" ("month" date not null, "closed_at" timestamptz(3) not null default now(), primary key ("month"));`,
    );

    this.addSql(`alter table "invoices" drop constraint "invoices_number_check";`);
    this.addSql(`alter table "invoices" drop constraint "invoices_period_key";`);
    this.addSql(
      `alter table "invoices" add "document_type" text not null default 'INVOICE', add "amends_of_id" uuid null, add "issued_at" timestamptz(3) null;`,
    );
    this.addSql(`alter table "invoices" alter column "number" drop not null;`);
    this.addSql(
      `update "invoices" set "issued_at" = ("period_end" + 1)::timestamp at time zone 'UTC' where "period_end" < (now() at time zone 'UTC')::date;`,
    );
    this.addSql(`update "invoices" set "number" = null where "issued_at" is null;`);
    this.addSql(
      `insert into "month_closings" ("month") select distinct "period_start" from "invoices" where "issued_at" is not null;`,
    );
    this.addSql(
      `alter table "invoices" add constraint "invoices_amends_of_id_foreign" foreign key ("amends_of_id") references "invoices" ("id") on delete set null;`,
    );
    this.addSql(
      `create unique index "invoices_period_key" on "invoices" ("customer_id", "currency", "period_start") where "document_type" = 'INVOICE';`,
    );
    this.addSql(
      `create unique index "invoices_amends_key" on "invoices" ("amends_of_id", "period_start") where "amends_of_id" is not null;`,
    );
    this.addSql(`create index "invoices_open_idx" on "invoices" ("period_start", "id") where "issued_at" is null;`);
    this.addSql(
      `alter table "invoices" add constraint "invoices_issued" check ((number is null) = (issued_at is null)), add constraint "invoices_amends" check ((document_type = 'CREDIT_NOTE') = (amends_of_id is not null)), add constraint "invoices_document_type_check" check ("document_type" in ('INVOICE', 'CREDIT_NOTE')), add constraint "invoices_number_check" check (number ~ '^(G[0-9]{9}|(INV|CN)-[0-9]{9,})$');`,
    );

    // A transaction of another isolation has a snapshot that may be older than the lock: it would not see the closing.
    this.addSql(`create function "lock_booking"() returns void language plpgsql volatile as $$ begin
      if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception 'bookings are made in READ COMMITTED (rule 16)' using errcode = 'invalid_transaction_state';
      end if;
      perform pg_advisory_xact_lock_shared(${BOOKING});
    end $$;`);
    // The month that what happened at an instant is booked on: the first one from its own on that is open, and stays open
    // until the end of the transaction.
    this.addSql(`create function "booking_month"("happened_at" timestamptz) returns date language plpgsql volatile as $$
    declare "first_open" date := date_trunc('month', "happened_at" at time zone 'UTC')::date;
    begin
      perform "lock_booking"();
      while exists (select from "month_closings" where "month" = "first_open") loop
        "first_open" := "first_open" + interval '1 month';
      end loop;
      return "first_open";
    end $$;`);
    this.addSql(`create function "guard_open_month"("booked_on" date) returns void language plpgsql volatile as $$ begin
      perform "lock_booking"();
      if exists (select from "month_closings" where "month" = "booked_on") then
        raise exception 'the month % is closed (rule 16)', "booked_on"
          using errcode = 'integrity_constraint_violation', constraint = 'open_month';
      end if;
    end $$;`);
    this.addSql(
      `create or replace function "invoices_invoices_open_month_fn"() returns trigger as $$ begin perform guard_open_month(new.period_start); return new; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "invoices_open_month" BEFORE INSERT on "invoices" for each ROW execute function "invoices_invoices_open_month_fn"();`,
    );
    this.addSql(
      `create or replace function "invoice_lines_invoice_lines_open_month_fn"() returns trigger as $$ begin perform guard_open_month((select period_start from invoices where id = new.invoice_id)); return new; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "invoice_lines_open_month" BEFORE INSERT on "invoice_lines" for each ROW execute function "invoice_lines_invoice_lines_open_month_fn"();`,
    );

    this.addSql(
      `create or replace function "invoices_invoices_issued_once_fn"() returns trigger as $$ begin if old.issued_at is null and new.issued_at is not null and to_jsonb(new) - 'number' - 'issued_at' = to_jsonb(old) - 'number' - 'issued_at' and exists (select from month_closings where month = new.period_start) then return new; end if; raise exception 'invoices are changed by the closing of their month alone (rule 16)' using errcode = 'insufficient_privilege'; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "invoices_issued_once" BEFORE UPDATE on "invoices" for each ROW execute function "invoices_invoices_issued_once_fn"();`,
    );
    this.addSql(
      `create or replace function "invoices_invoices_kept_fn"() returns trigger as $$ begin raise exception 'invoices are kept (rule 16)' using errcode = 'insufficient_privilege'; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "invoices_kept" BEFORE DELETE on "invoices" for each STATEMENT execute function "invoices_invoices_kept_fn"();`,
    );
    this.addSql(
      `create trigger "invoices_no_truncate" before truncate on "invoices" for each statement execute function "invoices_invoices_kept_fn"();`,
    );
    this.addSql(
      `create or replace function "month_closings_month_closings_append_only_fn"() returns trigger as $$ begin raise exception 'month_closings is append-only (rule 16)' using errcode = 'insufficient_privilege'; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "month_closings_append_only" BEFORE UPDATE OR DELETE on "month_closings" for each STATEMENT execute function "month_closings_month_closings_append_only_fn"();`,
    );
    this.addSql(
      `create trigger "month_closings_no_truncate" before truncate on "month_closings" for each statement execute function "month_closings_month_closings_append_only_fn"();`,
    );
    this.addSql(`revoke delete, truncate on "invoices" from public, current_user;`);
    this.addSql(`revoke update, delete, truncate on "month_closings" from public, current_user;`);

    // One process closes months for all.
    this.addSql(`select "pgboss"."create_queue"('month_close', '{"policy": "standard"}');`);
  }

  override down(): void | Promise<void> {
    this.addSql(`select "pgboss"."delete_queue"('month_close');`);

    this.addSql(`drop trigger if exists "invoice_lines_open_month" on "invoice_lines";`);
    this.addSql(`drop function if exists "invoice_lines_invoice_lines_open_month_fn"();`);
    for (const trigger of ['open_month', 'issued_once', 'no_truncate', 'kept'])
      this.addSql(`drop trigger if exists "invoices_${trigger}" on "invoices";`);
    for (const trigger of ['open_month', 'issued_once', 'kept'])
      this.addSql(`drop function if exists "invoices_invoices_${trigger}_fn"();`);
    this.addSql(`grant delete, truncate on "invoices" to current_user;`);

    // Credits are on the invoice of their month again, which may not be there.
    this.addSql(`alter table "invoices" drop constraint "invoices_issued", drop constraint "invoices_number_check";`);
    this.addSql(`update "invoices" set "number" = null where "number" !~ '^G';`);
    this.addSql(`insert into "invoices" ("id", "customer_id", "currency", "period_start", "period_end")
      select distinct on ("customer_id", "currency", "period_start") gen_random_uuid(), "customer_id", "currency", "period_start", "period_end"
      from "invoices" where "document_type" = 'CREDIT_NOTE' on conflict do nothing;`);
    this.addSql(`alter table "invoice_lines" disable trigger "invoice_lines_append_only";`);
    this.addSql(`update "invoice_lines" "l" set "invoice_id" = "i"."id" from "invoices" "n" join "invoices" "i" using ("customer_id", "currency", "period_start")
      where "n"."id" = "l"."invoice_id" and "n"."document_type" = 'CREDIT_NOTE' and "i"."document_type" = 'INVOICE';`);
    this.addSql(`alter table "invoice_lines" enable trigger "invoice_lines_append_only";`);
    this.addSql(`delete from "invoices" where "document_type" = 'CREDIT_NOTE';`);
    this.addSql(`with "numbered" as (select "id", row_number() over (order by "id") as "n" from "invoices" where "number" is null),
      "free" as (select "n", row_number() over (order by "n") as "place" from (select 'G' || lpad("n"::text, 9, '0') as "n"
        from generate_series(1, 2 * (select count(*) from "invoices")) "n") "all" where not exists (select from "invoices" where "number" = "all"."n"))
      update "invoices" "i" set "number" = "free"."n" from "numbered" join "free" on "free"."place" = "numbered"."n" where "i"."id" = "numbered"."id";`);

    this.addSql(`alter table "invoices" drop constraint "invoices_amends_of_id_foreign";`);
    this.addSql(`drop index "invoices_open_idx";`);
    this.addSql(`drop index "invoices_amends_key";`);
    this.addSql(`drop index "invoices_period_key";`);
    this.addSql(
      `alter table "invoices" drop column "document_type", drop column "amends_of_id", drop column "issued_at";`,
    );
    this.addSql(`alter table "invoices" alter column "number" set not null;`);
    this.addSql(
      `alter table "invoices" add constraint "invoices_period_key" unique ("customer_id", "currency", "period_start"), add constraint "invoices_number_check" check (number ~ '^G[0-9]{9}$');`,
    );
    this.addSql(`drop table if exists "invoice_series" cascade;`);
    this.addSql(`drop table if exists "month_closings" cascade;`);
    this.addSql(`drop function if exists "month_closings_month_closings_append_only_fn"();`);
    for (const signature of ['"guard_open_month"(date)', '"booking_month"(timestamptz)', '"lock_booking"()'])
      this.addSql(`drop function ${signature};`);
  }
}
