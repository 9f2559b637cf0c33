import { Migration } from '@mikro-orm/migrations';

/** Double entries beside the lines of invoices, made for those that are there, and neither is changed any more. */
export class Migration20261128032924_ledger_entries extends Migration {
  override name = 'Migration20261128032924_ledger_entries';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "ledger_entries" ("seq" bigserial primary key, "invoice_line_id" uuid not null, "account" text not null, "customer_id" uuid not null, "currency" char(3) not null, "amount" numeric not null, "booked_at" timestamptz(3) not null);`,
    );
    this.addSql(
      `insert into "ledger_entries" ("invoice_line_id", "account", "customer_id", "currency", "amount", "booked_at")
      select "l"."id", "a"."account", "i"."customer_id", "i"."currency", "a"."amount", "l"."booked_at"
      from "invoice_lines" "l" join "invoices" "i" on "i"."id" = "l"."invoice_id"
        cross join lateral (values ('ACCOUNTS_RECEIVABLE', "l"."amount"), (case "l"."kind" when 'CHARGE' then 'SALES' else 'SALES_RETURNS' end, -"l"."amount")) "a" ("account", "amount")
      order by "l"."booked_at", "l"."id";`,
    );
    this.addSql(
      `alter table "ledger_entries" add constraint "ledger_entries_once_key" unique ("invoice_line_id", "account");`,
    );
    this.addSql(
      `alter table "ledger_entries" add constraint "ledger_entries_invoice_line_id_foreign" foreign key ("invoice_line_id") references "invoice_lines" ("id");`,
    );
    this.addSql(
      `alter table "ledger_entries" add constraint "ledger_entries_account_check" check ("account" in ('ACCOUNTS_RECEIVABLE', 'SALES', 'SALES_RETURNS'));`,
    );
    this.addSql(`create function "ledger_entries_ledger_entries_balance_fn"() returns trigger language plpgsql as $$ begin
      if (select sum("e"."amount") <> 0 or sum("e"."amount") filter (where "e"."account" = 'ACCOUNTS_RECEIVABLE') is distinct from "l"."amount"
        from "ledger_entries" "e" join "invoice_lines" "l" on "l"."id" = "e"."invoice_line_id"
        where "e"."invoice_line_id" = new."invoice_line_id" group by "l"."id") then
        raise exception 'the entries of invoice line % do not balance (rule 16)', new."invoice_line_id"
          using errcode = 'integrity_constraint_violation', constraint = 'ledger_entries_balance';
      end if; return null; end $$;`);
    this.addSql(`create constraint trigger "ledger_entries_balance" after insert on "ledger_entries" deferrable initially deferred
      for each row execute function "ledger_entries_ledger_entries_balance_fn"();`);
    this.addSql(
      `create or replace function "invoice_lines_invoice_lines_entered_fn"() returns trigger as $$ begin insert into ledger_entries (invoice_line_id, account, customer_id, currency, amount, booked_at) select new.id, a.account, i.customer_id, i.currency, a.amount, new.booked_at from invoices i, (values ('ACCOUNTS_RECEIVABLE', new.amount), (case new.kind when 'CHARGE' then 'SALES' else 'SALES_RETURNS' end, -new.amount)) a (account, amount) where i.id = new.invoice_id; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "invoice_lines_entered" AFTER INSERT on "invoice_lines" for each ROW execute function "invoice_lines_invoice_lines_entered_fn"();`,
    );
    for (const table of ['invoice_lines', 'ledger_entries']) {
      this.addSql(
        `create or replace function "${table}_${table}_append_only_fn"() returns trigger as $$ begin raise exception '${table} is append-only (rule 16)' using errcode = 'insufficient_privilege'; return null; end; $$ language plpgsql;`,
      );
      this.addSql(
        `create trigger "${table}_append_only" BEFORE UPDATE OR DELETE on "${table}" for each STATEMENT execute function "${table}_${table}_append_only_fn"();`,
      );
      this.addSql(
        `create trigger "${table}_no_truncate" before truncate on "${table}" for each statement execute function "${table}_${table}_append_only_fn"();`,
      );
    }
    // References to lines of invoices are looked up with a lock, for which their owner needs the right to change them.
    this.addSql(`revoke delete, truncate on "invoice_lines" from public, current_user;`);
    this.addSql(`revoke update, delete, truncate on "ledger_entries" from public, current_user;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "ledger_entries" cascade;`);
    this.addSql(`drop function if exists "ledger_entries_ledger_entries_append_only_fn"();`);
    this.addSql(`drop function if exists "ledger_entries_ledger_entries_balance_fn"();`);

    this.addSql(`grant delete, truncate on "invoice_lines" to current_user;`);
    this.addSql(`drop trigger if exists "invoice_lines_no_truncate" on "invoice_lines";`);
    this.addSql(`drop trigger if exists "invoice_lines_append_only" on "invoice_lines";`);
    this.addSql(`drop function if exists "invoice_lines_invoice_lines_append_only_fn"();`);
    this.addSql(`drop trigger if exists "invoice_lines_entered" on "invoice_lines";`);
    this.addSql(`drop function if exists "invoice_lines_invoice_lines_entered_fn"();`);
  }
}
