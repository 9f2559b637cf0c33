import { Migration } from '@mikro-orm/migrations';

/** All tables. What the rules of product.md need is enforced here too, not only in code. */
export class Migration20261122180000_initial extends Migration {
  override name = 'Migration20261122180000_initial';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "access_revocations" ("user_principal_name" text not null, "revoked_at" timestamptz(3) not null, "revoked_by" text not null, "reason" text null, primary key ("user_principal_name"));`,
    );

    this.addSql(
      `create table "activity_entries" ("seq" bigserial primary key, "xid" xid8 not null default pg_current_xact_id(), "id" uuid not null, "at" timestamptz(3) not null default clock_timestamp(), "action" text not null, "outcome" text not null, "actor" text not null, "actor_role" text not null, "application" text null, "customer_id" uuid null, "order_id" uuid null, "product_ids" text[] not null default '{}', "resource_type" text not null, "resource_id" text not null, "resource_label" text not null, "correlation_id" uuid not null, "detail" jsonb not null);`,
    );
    this.addSql(`alter table "activity_entries" add constraint "activity_entries_id_key" unique ("id");`);
    this.addSql(`create index "activity_entries_order_idx" on "activity_entries" ("xid", "seq");`);
    this.addSql(`create index "activity_entries_customer_idx" on "activity_entries" ("customer_id", "xid", "seq");`);
    this.addSql(`create index "activity_entries_action_idx" on "activity_entries" ("action", "xid", "seq");`);
    this.addSql(`create index "activity_entries_actor_idx" on "activity_entries" ("actor", "xid", "seq");`);
    this.addSql(`create index "activity_entries_order_id_idx" on "activity_entries" ("order_id", "xid", "seq");`);
    this.addSql(`create index "activity_entries_at_idx" on "activity_entries" ("at");`);
    this.addSql(`create index "activity_entries_products_idx" on "activity_entries" using gin ("product_ids");`);

    this.addSql(
      `create table "database_incarnation" ("singleton" boolean not null default true, "id" uuid not null default gen_random_uuid(), primary key ("singleton"));`,
    );

    this.addSql(
      `create table "idempotency_keys" ("caller" text not null, "operation" text not null, "key" text not null, "fingerprint" text not null, "answer" jsonb not null, "created_at" timestamptz(3) not null, "expires_at" timestamptz(3) not null, primary key ("caller", "operation", "key"));`,
    );
    this.addSql(`create index "idempotency_keys_expiry_idx" on "idempotency_keys" ("expires_at");`);

    this.addSql(
      `create table "markets" ("code" char(2) not null, "name" text not null, "tax_inclusive" boolean not null default false, "currencies" text[] not null, primary key ("code"));`,
    );

    this.addSql(
      `create table "customers" ("id" uuid not null, "tenant_id" uuid not null, "domain" text not null, "company_name" text not null, "market_code" char(2) not null, "segment" text not null default 'COMMERCIAL', "contact_first_name" text not null, "contact_last_name" text not null, "contact_email" text not null, "contact_phone" text null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(`alter table "customers" add constraint "customers_tenant_id_key" unique ("tenant_id");`);
    this.addSql(`alter table "customers" add constraint "customers_domain_key" unique ("domain");`);
    this.addSql(`create index "customers_company_name_idx" on "customers" ("company_name", "id");`);
    this.addSql(`create index "customers_created_at_idx" on "customers" ("created_at", "id");`);
    this.addSql(`create index "customers_market_idx" on "customers" ("market_code", "company_name", "id");`);

    this.addSql(
      `create table "invoices" ("id" uuid not null, "number" text not null, "customer_id" uuid not null, "currency" char(3) not null, "period_start" date not null, "period_end" date not null, primary key ("id"));`,
    );
    this.addSql(`alter table "invoices" add constraint "invoices_number_key" unique ("number");`);
    this.addSql(`create index "invoices_recent_idx" on "invoices" ("period_start", "id");`);
    this.addSql(
      `alter table "invoices" add constraint "invoices_period_key" unique ("customer_id", "currency", "period_start");`,
    );

    this.addSql(
      `create table "market_closures" ("market_code" char(2) not null, "kind" text not null, primary key ("market_code", "kind"));`,
    );

    this.addSql(
      `create table "orders" ("id" uuid not null, "number" text not null, "customer_id" uuid not null, "market_code" char(2) not null, "status" text not null, "currency" char(3) not null, "total" numeric not null, "tax_included" boolean not null, "placed_at" timestamptz(3) not null, "placed_by" text not null, "correlation_id" uuid not null, primary key ("id"));`,
    );
    this.addSql(`alter table "orders" add constraint "orders_number_key" unique ("number");`);
    this.addSql(`create index "orders_customer_recent_idx" on "orders" ("customer_id", "placed_at", "id");`);
    this.addSql(`create index "orders_recent_idx" on "orders" ("placed_at", "id");`);
    this.addSql(`create index "orders_status_recent_idx" on "orders" ("status", "placed_at", "id");`);

    this.addSql(
      `create table "cancellations" ("id" uuid not null, "order_id" uuid not null, "customer_id" uuid not null, "status" text not null, "credit" numeric not null, "currency" char(3) not null, "reason" text null, "requested_at" timestamptz(3) not null, "requested_by" text not null, "requested_by_role" text not null, "due_at" timestamptz(3) not null, "confirmed_at" timestamptz(3) null, "correlation_id" uuid not null, primary key ("id"));`,
    );
    this.addSql(`create index "cancellations_order_idx" on "cancellations" ("order_id", "requested_at", "id");`);
    this.addSql(`create index "cancellations_due_idx" on "cancellations" ("due_at") where "status" = 'PENDING';`);

    this.addSql(
      `create table "products" ("id" uuid not null, "product_id" text not null, "title" text not null, "publisher" text not null, primary key ("id"));`,
    );
    this.addSql(`alter table "products" add constraint "products_product_id_key" unique ("product_id");`);

    this.addSql(
      `create table "skus" ("id" uuid not null, "product_id" uuid not null, "sku_id" text not null, "title" text not null, "kind" text not null, "term_duration" text null, "billing_plan" text not null default 'ONE_TIME', "minimum_quantity" int not null default 1, "maximum_quantity" int not null default 10000, "refund_type" text null, "cancellation_window_days" int null, "support_request_required" boolean not null default false, "windows_server_edition" text null, "cores_per_unit" int null, primary key ("id"));`,
    );
    this.addSql(`alter table "skus" add constraint "skus_product_sku_key" unique ("product_id", "sku_id");`);

    this.addSql(
      `create table "prices" ("id" uuid not null, "sku_id" uuid not null, "market_code" char(2) not null, "currency" char(3) not null, "segment" text not null, "unit_price" numeric not null, "erp_price" numeric null, "pricing_tier_range_min" int null, "pricing_tier_range_max" int null, "effective_start_date" timestamptz(3) not null, "effective_end_date" timestamptz(3) not null, "source" text not null, primary key ("id"));`,
    );
    this.addSql(
      `create unique index "prices_identity_key" on "prices" ("sku_id", "market_code", "currency", "segment", "effective_start_date", coalesce("pricing_tier_range_min", 0));`,
    );

    this.addSql(
      `create table "order_lines" ("id" uuid not null, "order_id" uuid not null, "line_number" int not null, "sku_id" uuid not null, "quantity" int not null, "unit_price" numeric not null, "total" numeric not null, "status" text not null, "refund_type" text null, "cancellable_until" timestamptz(3) null, "term_start" date null, "term_end" date null, primary key ("id"));`,
    );
    this.addSql(`create index "order_lines_sku_idx" on "order_lines" ("sku_id");`);
    this.addSql(
      `alter table "order_lines" add constraint "order_lines_number_key" unique ("order_id", "line_number");`,
    );

    this.addSql(
      `create table "cancellation_lines" ("id" uuid not null, "cancellation_id" uuid not null, "order_line_id" uuid not null, "refund_type" text not null, "unit_credit" numeric not null, "quantity" int not null, "credit" numeric not null, "term_days" int null, "unused_days" int null, "standing" boolean not null default true, primary key ("id"));`,
    );
    this.addSql(`create index "cancellation_lines_cancellation_idx" on "cancellation_lines" ("cancellation_id");`);
    this.addSql(
      `create unique index "cancellation_lines_once_key" on "cancellation_lines" ("order_line_id") where "standing";`,
    );

    this.addSql(
      `create table "invoice_lines" ("id" uuid not null, "invoice_id" uuid not null, "kind" text not null, "order_line_id" uuid not null, "cancellation_line_id" uuid null, "description" text not null, "quantity" int not null, "unit_amount" numeric not null, "amount" numeric not null, "booked_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_credit_once_key" unique ("cancellation_line_id");`,
    );
    this.addSql(`create index "invoice_lines_invoice_idx" on "invoice_lines" ("invoice_id", "booked_at", "id");`);
    this.addSql(
      `create unique index "invoice_lines_charge_once_key" on "invoice_lines" ("order_line_id") where "kind" = 'CHARGE';`,
    );

    this.addSql(
      `create table "entitlements" ("id" uuid not null, "order_line_id" uuid not null, "customer_id" uuid not null, "sku_id" uuid not null, "quantity" int not null, "status" text not null, "granted_at" timestamptz(3) not null, "expires_at" timestamptz(3) null, "revoked_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`alter table "entitlements" add constraint "entitlements_order_line_key" unique ("order_line_id");`);
    this.addSql(`create index "entitlements_customer_idx" on "entitlements" ("customer_id", "granted_at", "id");`);
    this.addSql(`create index "entitlements_recent_idx" on "entitlements" ("granted_at", "id");`);
    this.addSql(`create index "entitlements_sku_idx" on "entitlements" ("sku_id", "granted_at", "id");`);

    this.addSql(
      `create table "product_keys" ("entitlement_id" uuid not null, "version" text not null, "key_id" text not null, "sealed" bytea not null, "issued_at" timestamptz(3) not null, primary key ("entitlement_id", "version"));`,
    );

    this.addSql(
      `create table "download_links" ("id" uuid not null, "entitlement_id" uuid not null, "version" text not null, "language" text not null, "architecture" text not null, "created_at" timestamptz(3) not null, "created_by" text not null, "created_by_role" text not null, "expires_at" timestamptz(3) not null, "maximum_downloads" int not null default 50, "downloads" int not null default 0, "revoked_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "download_links_entitlement_idx" on "download_links" ("entitlement_id");`);

    this.addSql(
      `create table "software_versions" ("sku_id" uuid not null, "version" text not null, "position" int not null, "languages" text[] not null, "architectures" text[] not null, primary key ("sku_id", "version"));`,
    );

    this.addSql(
      `create table "support_requests" ("id" uuid not null, "number" text not null, "customer_id" uuid not null, "order_id" uuid null, "topic" text not null, "impact" text not null, "title" text not null, "description" text not null, "refund_reason" text null, "amount" numeric null, "currency" char(3) null, "contact_name" text not null, "contact_email" text not null, "contact_phone" text not null, "status" text not null, "submitted_at" timestamptz(3) not null, "submitted_by" text not null, primary key ("id"));`,
    );
    this.addSql(`alter table "support_requests" add constraint "support_requests_number_key" unique ("number");`);
    this.addSql(`create index "support_requests_recent_idx" on "support_requests" ("submitted_at", "id");`);
    this.addSql(
      `create index "support_requests_customer_idx" on "support_requests" ("customer_id", "submitted_at", "id");`,
    );

    this.addSql(
      `create table "support_files" ("id" uuid not null, "support_request_id" uuid not null, "name" text not null, "content_type" text not null, "size" int not null, "sha256" text not null, "content" bytea not null, "uploaded_at" timestamptz(3) not null, primary key ("id"));`,
    );
    this.addSql(
      `create index "support_files_request_idx" on "support_files" ("support_request_id", "uploaded_at", "id");`,
    );

    this.addSql(
      `alter table "access_revocations" add constraint "access_revocations_user_principal_name_check" check (user_principal_name = lower(user_principal_name));`,
    );

    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'ACCESS_REVOKED', 'ACCESS_DENIED'));`,
    );
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_outcome_check" check ("outcome" in ('SUCCEEDED', 'FAILED', 'DENIED'));`,
    );
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_resource_type_check" check ("resource_type" in ('ORDER', 'ENTITLEMENT', 'DOWNLOAD_LINK', 'SUPPORT_REQUEST', 'USER'));`,
    );
    this.addSql(
      `create or replace function "activity_entries_activity_entries_append_only_fn"() returns trigger as $$ begin raise exception 'activity_entries is append-only (rule 22)' using errcode = 'insufficient_privilege'; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "activity_entries_append_only" BEFORE UPDATE OR DELETE on "activity_entries" for each STATEMENT execute function "activity_entries_activity_entries_append_only_fn"();`,
    );

    this.addSql(
      `alter table "database_incarnation" add constraint "database_incarnation_singleton_check" check (singleton);`,
    );

    this.addSql(`alter table "markets" add constraint "markets_code_check" check (code ~ '^[A-Z]{2}$');`);
    this.addSql(`alter table "markets" add constraint "markets_currencies_check" check (cardinality(currencies) > 0);`);

    this.addSql(
      `alter table "customers" add constraint "customers_market_code_foreign" foreign key ("market_code") references "markets" ("code");`,
    );
    this.addSql(`alter table "customers" add constraint "customers_domain_check" check (domain = lower(domain));`);
    this.addSql(
      `alter table "customers" add constraint "customers_segment_check" check ("segment" in ('COMMERCIAL', 'EDUCATION', 'CHARITY', 'GOVERNMENT'));`,
    );

    this.addSql(
      `alter table "invoices" add constraint "invoices_customer_id_foreign" foreign key ("customer_id") references "customers" ("id");`,
    );
    this.addSql(`alter table "invoices" add constraint "invoices_period" check (period_end >= period_start);`);
    this.addSql(`alter table "invoices" add constraint "invoices_number_check" check (number ~ '^G[0-9]{9}$');`);

    this.addSql(
      `alter table "market_closures" add constraint "market_closures_market_code_foreign" foreign key ("market_code") references "markets" ("code") on delete cascade;`,
    );
    this.addSql(
      `alter table "market_closures" add constraint "market_closures_kind_check" check ("kind" in ('PERPETUAL_SOFTWARE', 'SOFTWARE_SUBSCRIPTION', 'AZURE_RESERVATION', 'LINUX_PLAN'));`,
    );

    this.addSql(
      `alter table "orders" add constraint "orders_customer_id_foreign" foreign key ("customer_id") references "customers" ("id");`,
    );
    this.addSql(
      `alter table "orders" add constraint "orders_market_code_foreign" foreign key ("market_code") references "markets" ("code");`,
    );
    this.addSql(`alter table "orders" add constraint "orders_number_check" check (number ~ '^[0-9a-f]{12}$');`);
    this.addSql(`alter table "orders" add constraint "orders_total_check" check (total >= 0);`);
    this.addSql(
      `alter table "orders" add constraint "orders_status_check" check ("status" in ('PENDING', 'COMPLETED', 'CANCELLED'));`,
    );

    this.addSql(
      `alter table "cancellations" add constraint "cancellations_order_id_foreign" foreign key ("order_id") references "orders" ("id");`,
    );
    this.addSql(
      `alter table "cancellations" add constraint "cancellations_customer_id_foreign" foreign key ("customer_id") references "customers" ("id");`,
    );
    this.addSql(
      `alter table "cancellations" add constraint "cancellations_confirmed" check ((status = 'CONFIRMED') = (confirmed_at is not null));`,
    );
    this.addSql(`alter table "cancellations" add constraint "cancellations_credit_check" check (credit >= 0);`);
    this.addSql(
      `alter table "cancellations" add constraint "cancellations_status_check" check ("status" in ('PENDING', 'CONFIRMED', 'REFUSED'));`,
    );

    this.addSql(
      `alter table "products" add constraint "products_product_id_check" check (product_id ~ '^[A-Z0-9]{12}$');`,
    );

    this.addSql(
      `alter table "skus" add constraint "skus_product_id_foreign" foreign key ("product_id") references "products" ("id");`,
    );
    this.addSql(
      `alter table "skus" add constraint "skus_quantity_bounds" check (minimum_quantity >= 1 and maximum_quantity >= minimum_quantity);`,
    );
    this.addSql(
      `alter table "skus" add constraint "skus_policy" check ((refund_type is null) = (cancellation_window_days is null));`,
    );
    this.addSql(
      `alter table "skus" add constraint "skus_linux_plan_final" check (kind <> 'LINUX_PLAN' or (refund_type is null and not support_request_required));`,
    );
    this.addSql(
      `alter table "skus" add constraint "skus_perpetual_without_term" check ((kind = 'PERPETUAL_SOFTWARE') = (term_duration is null));`,
    );
    this.addSql(`alter table "skus" add constraint "skus_sku_id_check" check (sku_id ~ '^[A-Z0-9]{4}$');`);
    this.addSql(
      `alter table "skus" add constraint "skus_term_duration_check" check (term_duration ~ '^P[1-9][0-9]*[MY]$');`,
    );
    this.addSql(
      `alter table "skus" add constraint "skus_kind_check" check ("kind" in ('PERPETUAL_SOFTWARE', 'SOFTWARE_SUBSCRIPTION', 'AZURE_RESERVATION', 'LINUX_PLAN'));`,
    );
    this.addSql(
      `alter table "skus" add constraint "skus_billing_plan_check" check ("billing_plan" in ('ONE_TIME', 'MONTHLY', 'ANNUAL', 'TRIENNIAL'));`,
    );
    this.addSql(
      `alter table "skus" add constraint "skus_refund_type_check" check ("refund_type" in ('FULL', 'PRORATED'));`,
    );
    this.addSql(
      `alter table "skus" add constraint "skus_windows_server_edition_check" check ("windows_server_edition" in ('DATACENTER', 'STANDARD'));`,
    );

    this.addSql(
      `alter table "prices" add constraint "prices_sku_id_foreign" foreign key ("sku_id") references "skus" ("id");`,
    );
    this.addSql(
      `alter table "prices" add constraint "prices_market_code_foreign" foreign key ("market_code") references "markets" ("code");`,
    );
    this.addSql(
      `alter table "prices" add constraint "prices_period" check (effective_end_date > effective_start_date);`,
    );
    this.addSql(`alter table "prices" add constraint "prices_currency_check" check (currency ~ '^[A-Z]{3}$');`);
    this.addSql(
      `alter table "prices" add constraint "prices_unit_price_check" check (unit_price >= 0 and scale(unit_price) <= 4);`,
    );
    this.addSql(`alter table "prices" add constraint "prices_erp_price_check" check (erp_price >= 0);`);
    this.addSql(
      `alter table "prices" add constraint "prices_segment_check" check ("segment" in ('COMMERCIAL', 'EDUCATION', 'CHARITY', 'GOVERNMENT'));`,
    );
    this.addSql(
      `alter table "prices" add constraint "prices_source_check" check ("source" in ('INVENTED', 'PRICE_LIST'));`,
    );

    this.addSql(
      `alter table "order_lines" add constraint "order_lines_order_id_foreign" foreign key ("order_id") references "orders" ("id");`,
    );
    this.addSql(
      `alter table "order_lines" add constraint "order_lines_sku_id_foreign" foreign key ("sku_id") references "skus" ("id");`,
    );
    this.addSql(`alter table "order_lines" add constraint "order_lines_total" check (total = unit_price * quantity);`);
    this.addSql(
      `alter table "order_lines" add constraint "order_lines_term" check ((term_start is null) = (term_end is null) and term_end >= term_start);`,
    );
    this.addSql(`alter table "order_lines" add constraint "order_lines_line_number_check" check (line_number >= 0);`);
    this.addSql(`alter table "order_lines" add constraint "order_lines_quantity_check" check (quantity >= 1);`);
    this.addSql(`alter table "order_lines" add constraint "order_lines_unit_price_check" check (unit_price >= 0);`);
    this.addSql(
      `alter table "order_lines" add constraint "order_lines_status_check" check ("status" in ('ACTIVE', 'CANCELLATION_PENDING', 'CANCELLED'));`,
    );
    this.addSql(
      `alter table "order_lines" add constraint "order_lines_refund_type_check" check ("refund_type" in ('FULL', 'PRORATED'));`,
    );

    this.addSql(
      `alter table "cancellation_lines" add constraint "cancellation_lines_cancellation_id_foreign" foreign key ("cancellation_id") references "cancellations" ("id");`,
    );
    this.addSql(
      `alter table "cancellation_lines" add constraint "cancellation_lines_order_line_id_foreign" foreign key ("order_line_id") references "order_lines" ("id");`,
    );
    this.addSql(
      `alter table "cancellation_lines" add constraint "cancellation_lines_credit" check (credit = unit_credit * quantity and credit >= 0);`,
    );
    this.addSql(
      `alter table "cancellation_lines" add constraint "cancellation_lines_refund_type_check" check ("refund_type" in ('FULL', 'PRORATED'));`,
    );

    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_invoice_id_foreign" foreign key ("invoice_id") references "invoices" ("id");`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_order_line_id_foreign" foreign key ("order_line_id") references "order_lines" ("id");`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_cancellation_line_id_foreign" foreign key ("cancellation_line_id") references "cancellation_lines" ("id") on delete set null;`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_amount" check ((kind = 'CHARGE' and amount = unit_amount * quantity and cancellation_line_id is null) or (kind = 'CREDIT' and amount = -unit_amount * quantity and cancellation_line_id is not null));`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_kind_check" check ("kind" in ('CHARGE', 'CREDIT'));`,
    );

    this.addSql(
      `alter table "entitlements" add constraint "entitlements_order_line_id_foreign" foreign key ("order_line_id") references "order_lines" ("id");`,
    );
    this.addSql(
      `alter table "entitlements" add constraint "entitlements_customer_id_foreign" foreign key ("customer_id") references "customers" ("id");`,
    );
    this.addSql(
      `alter table "entitlements" add constraint "entitlements_sku_id_foreign" foreign key ("sku_id") references "skus" ("id");`,
    );
    this.addSql(
      `alter table "entitlements" add constraint "entitlements_revoked" check ((status = 'REVOKED') = (revoked_at is not null));`,
    );
    this.addSql(`alter table "entitlements" add constraint "entitlements_quantity_check" check (quantity >= 1);`);
    this.addSql(
      `alter table "entitlements" add constraint "entitlements_status_check" check ("status" in ('PENDING', 'ACTIVE', 'REVOKED'));`,
    );

    this.addSql(
      `alter table "product_keys" add constraint "product_keys_entitlement_id_foreign" foreign key ("entitlement_id") references "entitlements" ("id");`,
    );

    this.addSql(
      `alter table "download_links" add constraint "download_links_entitlement_id_foreign" foreign key ("entitlement_id") references "entitlements" ("id");`,
    );
    this.addSql(
      `alter table "download_links" add constraint "download_links_bound" check (downloads >= 0 and downloads <= maximum_downloads);`,
    );

    this.addSql(
      `alter table "software_versions" add constraint "software_versions_sku_id_foreign" foreign key ("sku_id") references "skus" ("id") on delete cascade;`,
    );

    this.addSql(
      `alter table "support_requests" add constraint "support_requests_customer_id_foreign" foreign key ("customer_id") references "customers" ("id");`,
    );
    this.addSql(
      `alter table "support_requests" add constraint "support_requests_order_id_foreign" foreign key ("order_id") references "orders" ("id") on delete set null;`,
    );
    this.addSql(
      `alter table "support_requests" add constraint "support_requests_money" check ((amount is null) = (currency is null));`,
    );
    this.addSql(
      `alter table "support_requests" add constraint "support_requests_number_check" check (number ~ '^[0-9]{15}$');`,
    );
    this.addSql(`alter table "support_requests" add constraint "support_requests_amount_check" check (amount >= 0);`);
    this.addSql(
      `alter table "support_requests" add constraint "support_requests_impact_check" check ("impact" in ('CRITICAL', 'MODERATE', 'MINIMAL'));`,
    );
    this.addSql(
      `alter table "support_requests" add constraint "support_requests_status_check" check ("status" in ('OPEN', 'CLOSED'));`,
    );

    this.addSql(
      `alter table "support_files" add constraint "support_files_support_request_id_foreign" foreign key ("support_request_id") references "support_requests" ("id");`,
    );
    this.addSql(`alter table "support_files" add constraint "support_files_size_check" check (size > 0);`);

    // Rule 22: nobody changes an entry; the triggers stop the owner and superusers too.
    this.addSql(
      `create trigger "activity_entries_no_truncate" before truncate on "activity_entries" for each statement execute function "activity_entries_activity_entries_append_only_fn"();`,
    );
    this.addSql(`revoke update, delete, truncate on "activity_entries" from public, current_user;`);
    this.addSql(`insert into "database_incarnation" default values;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "customers" drop constraint "customers_market_code_foreign";`);
    this.addSql(`alter table "market_closures" drop constraint "market_closures_market_code_foreign";`);
    this.addSql(`alter table "orders" drop constraint "orders_market_code_foreign";`);
    this.addSql(`alter table "prices" drop constraint "prices_market_code_foreign";`);
    this.addSql(`alter table "invoices" drop constraint "invoices_customer_id_foreign";`);
    this.addSql(`alter table "orders" drop constraint "orders_customer_id_foreign";`);
    this.addSql(`alter table "cancellations" drop constraint "cancellations_customer_id_foreign";`);
    this.addSql(`alter table "entitlements" drop constraint "entitlements_customer_id_foreign";`);
    this.addSql(`alter table "support_requests" drop constraint "support_requests_customer_id_foreign";`);
    this.addSql(`alter table "invoice_lines" drop constraint "invoice_lines_invoice_id_foreign";`);
    this.addSql(`alter table "cancellations" drop constraint "cancellations_order_id_foreign";`);
    this.addSql(`alter table "order_lines" drop constraint "order_lines_order_id_foreign";`);
    this.addSql(`alter table "support_requests" drop constraint "support_requests_order_id_foreign";`);
    this.addSql(`alter table "cancellation_lines" drop constraint "cancellation_lines_cancellation_id_foreign";`);
    this.addSql(`alter table "skus" drop constraint "skus_product_id_foreign";`);
    this.addSql(`alter table "prices" drop constraint "prices_sku_id_foreign";`);
    this.addSql(`alter table "order_lines" drop constraint "order_lines_sku_id_foreign";`);
    this.addSql(`alter table "entitlements" drop constraint "entitlements_sku_id_foreign";`);
    this.addSql(`alter table "software_versions" drop constraint "software_versions_sku_id_foreign";`);
    this.addSql(`alter table "cancellation_lines" drop constraint "cancellation_lines_order_line_id_foreign";`);
    this.addSql(`alter table "invoice_lines" drop constraint "invoice_lines_order_line_id_foreign";`);
    this.addSql(`alter table "entitlements" drop constraint "entitlements_order_line_id_foreign";`);
    this.addSql(`alter table "invoice_lines" drop constraint "invoice_lines_cancellation_line_id_foreign";`);
    this.addSql(`alter table "product_keys" drop constraint "product_keys_entitlement_id_foreign";`);
    this.addSql(`alter table "download_links" drop constraint "download_links_entitlement_id_foreign";`);
    this.addSql(`alter table "support_files" drop constraint "support_files_support_request_id_foreign";`);

    this.addSql(`drop table if exists "access_revocations" cascade;`);
    this.addSql(`drop trigger if exists "activity_entries_no_truncate" on "activity_entries";`);
    this.addSql(`drop trigger if exists "activity_entries_append_only" on "activity_entries";`);
    this.addSql(`drop function if exists "activity_entries_activity_entries_append_only_fn"();`);
    this.addSql(`drop table if exists "activity_entries" cascade;`);
    this.addSql(`drop table if exists "database_incarnation" cascade;`);
    this.addSql(`drop table if exists "idempotency_keys" cascade;`);
    this.addSql(`drop table if exists "markets" cascade;`);
    this.addSql(`drop table if exists "customers" cascade;`);
    this.addSql(`drop table if exists "invoices" cascade;`);
    this.addSql(`drop table if exists "market_closures" cascade;`);
    this.addSql(`drop table if exists "orders" cascade;`);
    this.addSql(`drop table if exists "cancellations" cascade;`);
    this.addSql(`drop table if exists "products" cascade;`);
    this.addSql(`drop table if exists "skus" cascade;`);
    this.addSql(`drop table if exists "prices" cascade;`);
    this.addSql(`drop table if exists "order_lines" cascade;`);
    this.addSql(`drop table if exists "cancellation_lines" cascade;`);
    this.addSql(`drop table if exists "invoice_lines" cascade;`);
    this.addSql(`drop table if exists "entitlements" cascade;`);
    this.addSql(`drop table if exists "product_keys" cascade;`);
    this.addSql(`drop table if exists "download_links" cascade;`);
    this.addSql(`drop table if exists "software_versions" cascade;`);
    this.addSql(`drop table if exists "support_requests" cascade;`);
    this.addSql(`drop table if exists "support_files" cascade;`);
  }
}
