import { Migration } from '@mikro-orm/migrations';

export class Migration20261128133958_invoice_series_guard extends Migration {
  override name = 'Migration20261128133958_invoice_series_guard';

  override up(): void | Promise<void> {
    this.addSql(
      `create or replace function "invoice_series_invoice_series_grows_fn"() returns trigger as $$ begin if new.document_type = old.document_type and new.last_number > old.last_number then return new; end if; raise exception 'a series of documents only grows (rule 16)' using errcode = 'insufficient_privilege'; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "invoice_series_grows" BEFORE UPDATE on "invoice_series" for each ROW execute function "invoice_series_invoice_series_grows_fn"();`,
    );
    this.addSql(
      `create or replace function "invoice_series_invoice_series_kept_fn"() returns trigger as $$ begin raise exception 'series of documents are kept (rule 16)' using errcode = 'insufficient_privilege'; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "invoice_series_kept" BEFORE DELETE on "invoice_series" for each STATEMENT execute function "invoice_series_invoice_series_kept_fn"();`,
    );
    this.addSql(
      `create trigger "invoice_series_no_truncate" before truncate on "invoice_series" for each statement execute function "invoice_series_invoice_series_kept_fn"();`,
    );
    this.addSql(`revoke delete, truncate on "invoice_series" from public, current_user;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`grant delete, truncate on "invoice_series" to current_user;`);
    this.addSql(`drop trigger if exists "invoice_series_no_truncate" on "invoice_series";`);
    this.addSql(`drop trigger if exists "invoice_series_grows" on "invoice_series";`);
    this.addSql(`drop function if exists "invoice_series_invoice_series_grows_fn"();`);
    this.addSql(`drop trigger if exists "invoice_series_kept" on "invoice_series";`);
    this.addSql(`drop function if exists "invoice_series_invoice_series_kept_fn"();`);
  }
}
