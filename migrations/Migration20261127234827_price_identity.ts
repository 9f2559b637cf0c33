import { Migration } from '@mikro-orm/migrations';

/** Term and billing plan belong to what a price is told by, and it is kept which price list had it last. */
export class Migration20261127234827_price_identity extends Migration {
  override name = 'Migration20261127234827_price_identity';

  override up(): void | Promise<void> {
    this.addSql(
      `alter table "prices" add "term_duration" text null, add "billing_plan" text null, add "list_view" text null, add "list_begins_at" timestamptz(3) null;`,
    );
    this.addSql(
      `alter table "prices" add constraint "prices_term_duration_check" check (term_duration ~ '^P[1-9][0-9]*[MY]$');`,
    );
    this.addSql(
      `alter table "prices" add constraint "prices_billing_plan_check" check ("billing_plan" in ('ONE_TIME', 'MONTHLY', 'ANNUAL', 'TRIENNIAL'));`,
    );
    this.addSql(
      `alter table "prices" add constraint "prices_list_view_check" check ("list_view" in ('SOFTWARE', 'LICENSES', 'AZURE_RESERVATIONS'));`,
    );
    this.addSql(
      `create or replace function "prices_prices_of_own_term_fn"() returns trigger as $$ begin if new.billing_plan is null then select term_duration, billing_plan into new.term_duration, new.billing_plan from skus where id = new.sku_id; end if; return new; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "prices_of_own_term" BEFORE INSERT on "prices" for each ROW execute function "prices_prices_of_own_term_fn"();`,
    );

    // Until now a SKU had one term and one plan: those of its prices.
    this.addSql(
      `update "prices" set "term_duration" = "skus"."term_duration", "billing_plan" = "skus"."billing_plan" from "skus" where "skus"."id" = "prices"."sku_id";`,
    );
    this.addSql(`alter table "prices" alter column "billing_plan" set not null;`);
    this.addSql(`drop index "prices_identity_key";`);
    this.addSql(
      `create unique index "prices_identity_key" on "prices" ("sku_id", "market_code", "currency", "segment", coalesce("term_duration", ''), "billing_plan", "effective_start_date", coalesce("pricing_tier_range_min", 0));`,
    );

    this.addSql(`alter table "order_lines" add "billing_plan" text null;`);
    this.addSql(
      `alter table "order_lines" add constraint "order_lines_billing_plan_check" check ("billing_plan" in ('ONE_TIME', 'MONTHLY', 'ANNUAL', 'TRIENNIAL'));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "order_lines" drop constraint "order_lines_billing_plan_check";`);
    this.addSql(`alter table "order_lines" drop column "billing_plan";`);

    // What a SKU is sold for besides cannot be kept: before there was one term and one plan.
    this.addSql(
      `delete from "prices" using "skus" where "skus"."id" = "prices"."sku_id" and ("prices"."term_duration", "prices"."billing_plan") is distinct from ("skus"."term_duration", "skus"."billing_plan");`,
    );
    this.addSql(`drop index "prices_identity_key";`);
    this.addSql(
      `create unique index "prices_identity_key" on "prices" ("sku_id", "market_code", "currency", "segment", "effective_start_date", coalesce("pricing_tier_range_min", 0));`,
    );
    this.addSql(`alter table "prices" drop constraint "prices_term_duration_check";`);
    this.addSql(`alter table "prices" drop constraint "prices_billing_plan_check";`);
    this.addSql(`alter table "prices" drop constraint "prices_list_view_check";`);
    this.addSql(`drop trigger if exists "prices_of_own_term" on "prices";`);
    this.addSql(`drop function if exists "prices_prices_of_own_term_fn"();`);
    this.addSql(
      `alter table "prices" drop column "term_duration", drop column "billing_plan", drop column "list_view", drop column "list_begins_at";`,
    );
  }
}
