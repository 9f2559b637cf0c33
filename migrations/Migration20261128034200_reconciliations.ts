import { Migration } from '@mikro-orm/migrations';

/** Reconciliation files of Microsoft's, their rows, and what became of each when they were held against our invoices. */
export class Migration20261128034200_reconciliations extends Migration {
  override name = 'Migration20261128034200_reconciliations';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "reconciliations" ("id" uuid not null, "sha256" text not null, "file_name" text not null, "format" text not null, "columns" jsonb not null, "kind" text not null, "invoice_number" text null, "month" date not null, "currency" char(3) not null, "row_count" int not null, "refused_row_count" int not null, "total" numeric not null, "tolerance" numeric not null, "imported_at" timestamptz(3) not null, "imported_by" text not null, "compared_at" timestamptz(3) not null, "superseded_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`alter table "reconciliations" add constraint "reconciliations_sha256_key" unique ("sha256");`);
    this.addSql(`create index "reconciliations_recent_idx" on "reconciliations" ("month", "id");`);
    this.addSql(`create index "reconciliations_currency_idx" on "reconciliations" ("currency", "month", "id");`);

    this.addSql(
      `create table "reconciliation_lines" ("id" uuid not null, "reconciliation_id" uuid not null, "verdict" text not null, "line" int null, "invoice_line_id" uuid null, "matched_by" text null, "customer_id" uuid null, "customer_tenant_id" uuid not null, "customer_name" text not null, "month" date not null, "our_month" date null, "order_number" text null, "product_id" text null, "sku_id" text null, "title" text null, "charge_type" text not null, "currency" char(3) not null, "their_amount" numeric null, "our_amount" numeric null, "differences" jsonb not null default '[]', primary key ("id"));`,
    );
    this.addSql(
      `create index "reconciliation_lines_reconciliation_idx" on "reconciliation_lines" ("reconciliation_id", "id");`,
    );
    this.addSql(`create index "reconciliation_lines_verdict_idx" on "reconciliation_lines" ("verdict", "id");`);
    this.addSql(`create index "reconciliation_lines_month_idx" on "reconciliation_lines" ("month", "id");`);
    this.addSql(`create index "reconciliation_lines_customer_idx" on "reconciliation_lines" ("customer_id", "id");`);
    this.addSql(`create index "reconciliation_lines_ours_idx" on "reconciliation_lines" ("invoice_line_id");`);

    this.addSql(
      `create table "statement_lines" ("reconciliation_id" uuid not null, "line" int not null, "invoice_number" text null, "content" jsonb not null, primary key ("reconciliation_id", "line"));`,
    );
    this.addSql(
      `create index "statement_lines_invoice_idx" on "statement_lines" ("invoice_number", "reconciliation_id");`,
    );

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_resource_type_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'RECONCILIATION_IMPORTED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_resource_type_check" check ("resource_type" in ('ORDER', 'ENTITLEMENT', 'DOWNLOAD_LINK', 'SUPPORT_REQUEST', 'SKU', 'RECONCILIATION', 'USER'));`,
    );

    this.addSql(
      `alter table "reconciliations" add constraint "reconciliations_sha256_check" check (sha256 ~ '^[0-9a-f]{64}$');`,
    );
    this.addSql(
      `alter table "reconciliations" add constraint "reconciliations_month_check" check (extract(day from month) = 1);`,
    );
    this.addSql(
      `alter table "reconciliations" add constraint "reconciliations_tolerance_check" check (tolerance >= 0);`,
    );
    this.addSql(
      `alter table "reconciliations" add constraint "reconciliations_format_check" check ("format" in ('CSV', 'JSON_LINES'));`,
    );
    this.addSql(
      `alter table "reconciliations" add constraint "reconciliations_kind_check" check ("kind" in ('BILLED', 'UNBILLED'));`,
    );

    this.addSql(
      `alter table "reconciliation_lines" add constraint "reconciliation_lines_reconciliation_id_foreign" foreign key ("reconciliation_id") references "reconciliations" ("id");`,
    );
    this.addSql(
      `alter table "reconciliation_lines" add constraint "reconciliation_lines_invoice_line_id_foreign" foreign key ("invoice_line_id") references "invoice_lines" ("id") on delete cascade;`,
    );
    this.addSql(
      `alter table "reconciliation_lines" add constraint "reconciliation_lines_customer_id_foreign" foreign key ("customer_id") references "customers" ("id") on delete set null;`,
    );
    this.addSql(
      `alter table "reconciliation_lines" add constraint "reconciliation_lines_verdict" check (case verdict when 'MISSING_HERE' then line is not null and invoice_line_id is null when 'MISSING_THERE' then line is null and invoice_line_id is not null else line is not null and invoice_line_id is not null and matched_by is not null and (verdict = 'DIFFERENT') = (differences <> '[]') end);`,
    );
    this.addSql(
      `alter table "reconciliation_lines" add constraint "reconciliation_lines_verdict_check" check ("verdict" in ('EQUAL', 'DIFFERENT', 'MISSING_HERE', 'MISSING_THERE'));`,
    );
    this.addSql(
      `alter table "reconciliation_lines" add constraint "reconciliation_lines_matched_by_check" check ("matched_by" in ('ORDER', 'CONTENT'));`,
    );

    this.addSql(
      `alter table "statement_lines" add constraint "statement_lines_reconciliation_id_foreign" foreign key ("reconciliation_id") references "reconciliations" ("id");`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "reconciliation_lines" drop constraint "reconciliation_lines_reconciliation_id_foreign";`);
    this.addSql(`alter table "statement_lines" drop constraint "statement_lines_reconciliation_id_foreign";`);

    this.addSql(`drop table if exists "reconciliations" cascade;`);
    this.addSql(`drop table if exists "reconciliation_lines" cascade;`);
    this.addSql(`drop table if exists "statement_lines" cascade;`);

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_resource_type_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_resource_type_check" check ("resource_type" in ('ORDER', 'ENTITLEMENT', 'DOWNLOAD_LINK', 'SUPPORT_REQUEST', 'SKU', 'USER'));`,
    );
  }
}
