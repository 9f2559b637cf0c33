import { Migration } from '@mikro-orm/migrations';

/**
 * Nothing is booked below the minor unit of its currency, by the product's own table (`src/domain/currencies.ts`): two digits
 * but for those that are named here. Lines keep the tax of Microsoft's file, and files the eTag of their manifest.
 */
export class Migration20261128090000_amounts_and_evidence extends Migration {
  override name = 'Migration20261128090000_amounts_and_evidence';

  override up(): void | Promise<void> {
    this.addSql(
      `create function "minor_unit_digits"("currency" text) returns int language sql immutable as $$ select case when $1 in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') then 0 when $1 in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3 when $1 in ('CLF', 'UYW') then 4 else 2 end $$;`,
    );
    this.addSql(`create function "guard_minor_unit"("amount" numeric, "currency" text) returns void language plpgsql stable as $$ begin
      if "amount" <> round("amount", "minor_unit_digits"("currency")) then
        raise exception 'an amount of % % is finer than the minor unit (rule 16)', "amount", "currency"
          using errcode = 'integrity_constraint_violation', constraint = 'minor_unit';
      end if;
    end $$;`);
    this.addSql(`alter table "invoice_lines" add "tax_amount" numeric null;`);
    this.addSql(`alter table "reconciliations" add "manifest_etag" text null;`);
    this.addSql(
      `create or replace function "invoice_lines_invoice_lines_minor_unit_fn"() returns trigger as $$ begin perform guard_minor_unit(new.amount, (select currency from invoices where id = new.invoice_id)); return new; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "invoice_lines_minor_unit" BEFORE INSERT on "invoice_lines" for each ROW execute function "invoice_lines_invoice_lines_minor_unit_fn"();`,
    );
    this.addSql(
      `create or replace function "ledger_entries_ledger_entries_minor_unit_fn"() returns trigger as $$ begin perform guard_minor_unit(new.amount, new.currency); return new; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "ledger_entries_minor_unit" BEFORE INSERT on "ledger_entries" for each ROW execute function "ledger_entries_ledger_entries_minor_unit_fn"();`,
    );
  }

  override down(): void | Promise<void> {
    for (const table of ['invoice_lines', 'ledger_entries']) {
      this.addSql(`drop trigger if exists "${table}_minor_unit" on "${table}";`);
      this.addSql(`drop function if exists "${table}_${table}_minor_unit_fn"();`);
    }
    this.addSql(`drop function "guard_minor_unit"(numeric, text);`);
    this.addSql(`drop function "minor_unit_digits"(text);`);
    this.addSql(`alter table "reconciliations" drop column "manifest_etag";`);
    this.addSql(`alter table "invoice_lines" drop column "tax_amount";`);
  }
}
