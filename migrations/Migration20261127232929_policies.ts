import { Migration } from '@mikro-orm/migrations';

/** The day before anything was sold: what had no date holds from then on. */
const FROM_THE_BEGINNING = '2018-09-01';

/** One refund option in the place of a type and a number of days, null where there were none. */
const optionsOf = (type: string, ends: string) =>
  `case when ${type} is null then '[]' else jsonb_build_array(jsonb_build_object('sequence', 0, 'type', case ${type} when 'FULL' then 'FULL' else 'PARTIAL' end, ${ends})) end`;

/**
 * Cancellation policies and closed markets become rows with a date. Order lines keep what they were judged by until now,
 * the flag of their SKU with it. A SKU whose policy was not that of its kind keeps it as its own; the others have that of
 * the kind, which the next start loads.
 */
export class Migration20261127232929_policies extends Migration {
  override name = 'Migration20261127232929_policies';

  override up(): void {
    this.addSql(
      `create table "cancellation_policies" ("id" uuid not null, "kind" text not null, "sku_id" uuid null, "effective_date" date not null, "refund_options" jsonb not null default '[]', "support_request_required" boolean not null default false, primary key ("id"));`,
    );
    this.addSql(
      `create unique index "cancellation_policies_sku_key" on "cancellation_policies" ("sku_id", "effective_date") where "sku_id" is not null;`,
    );
    this.addSql(
      `create unique index "cancellation_policies_kind_key" on "cancellation_policies" ("kind", "effective_date") where "sku_id" is null;`,
    );

    this.addSql(`alter table "market_closures" drop constraint "market_closures_pkey";`);
    this.addSql(
      `alter table "market_closures" add "effective_date" date not null default '${FROM_THE_BEGINNING}', add "is_closed" boolean not null default true;`,
    );
    this.addSql(`alter table "market_closures" alter column "effective_date" drop default;`);
    this.addSql(`alter table "market_closures" add primary key ("market_code", "kind", "effective_date");`);

    this.addSql(
      `alter table "cancellation_policies" add constraint "cancellation_policies_sku_id_foreign" foreign key ("sku_id") references "skus" ("id") on delete cascade;`,
    );
    this.addSql(
      `alter table "cancellation_policies" add constraint "cancellation_policies_options" check (jsonb_typeof(refund_options) = 'array' and jsonb_array_length(refund_options) <= 20 and not jsonb_path_exists(refund_options, '$[*] ? (!(@.sequence >= 0) || !(@.type == "FULL" || @.type == "PARTIAL") || !(@.expiresAfter like_regex "^(P(0|[1-9][0-9]{0,3})D|PT[1-9][0-9]{0,4}H)$"))'));`,
    );
    this.addSql(
      `alter table "cancellation_policies" add constraint "cancellation_policies_support" check (not support_request_required or refund_options = '[]');`,
    );
    this.addSql(
      `alter table "cancellation_policies" add constraint "cancellation_policies_linux_plan_final" check (kind <> 'LINUX_PLAN' or (refund_options = '[]' and not support_request_required));`,
    );
    this.addSql(
      `alter table "cancellation_policies" add constraint "cancellation_policies_perpetual_full" check (kind <> 'PERPETUAL_SOFTWARE' or not jsonb_path_exists(refund_options, '$[*] ? (@.type == "PARTIAL")'));`,
    );
    this.addSql(
      `alter table "cancellation_policies" add constraint "cancellation_policies_kind_check" check ("kind" in ('PERPETUAL_SOFTWARE', 'SOFTWARE_SUBSCRIPTION', 'AZURE_RESERVATION', 'LINUX_PLAN'));`,
    );
    this.addSql(
      `create or replace function "cancellation_policies_cancellation_policies_of_kind_fn"() returns trigger as $$ begin if new.sku_id is not null then new.kind := (select kind from skus where id = new.sku_id); end if; return new; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "cancellation_policies_of_kind" BEFORE INSERT OR UPDATE on "cancellation_policies" for each ROW execute function "cancellation_policies_cancellation_policies_of_kind_fn"();`,
    );

    this.addSql(`insert into "cancellation_policies" ("id", "kind", "sku_id", "effective_date", "refund_options", "support_request_required")
      select gen_random_uuid(), "kind", "id", '${FROM_THE_BEGINNING}', case when "support_request_required" then '[]' else ${optionsOf('"refund_type"', `'expiresAfter', 'P' || "cancellation_window_days" || 'D'`)} end, "support_request_required"
      from "skus" where ("kind", coalesce("refund_type", ''), coalesce("cancellation_window_days", 0), "support_request_required") not in (
        ('PERPETUAL_SOFTWARE', 'FULL', 30, false), ('SOFTWARE_SUBSCRIPTION', 'PRORATED', 30, false),
        ('AZURE_RESERVATION', '', 0, true), ('LINUX_PLAN', '', 0, false));`);

    this.addSql(
      `alter table "order_lines" add "refund_options" jsonb not null default '[]', add "support_request_required" boolean not null default false;`,
    );
    this.addSql(`update "order_lines" l set
        "refund_options" = case when l."cancellable_until" is null then '[]' else ${optionsOf('l."refund_type"', `'expiresAt', to_char(l."cancellable_until" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`)} end,
        "cancellable_until" = case when l."refund_type" is not null then l."cancellable_until" end,
        "support_request_required" = s."support_request_required"
      from "skus" s where s."id" = l."sku_id" and (l."refund_type" is not null or l."cancellable_until" is not null or s."support_request_required");`);
    this.addSql(
      `alter table "order_lines" add constraint "order_lines_refund_options" check ((cancellable_until is null) = (refund_options = '[]'));`,
    );
    this.addSql(`alter table "order_lines" drop column "refund_type";`);

    this.addSql(`alter table "skus" drop constraint "skus_linux_plan_final";`);
    this.addSql(`alter table "skus" drop constraint "skus_policy";`);
    this.addSql(
      `alter table "skus" drop column "cancellation_window_days", drop column "refund_type", drop column "support_request_required";`,
    );
  }

  /** What has no place in the old columns is lost: dates, options before the last one, markets that opened again. */
  override down(): void {
    this.addSql(
      `alter table "order_lines" add "refund_type" text null constraint "order_lines_refund_type_check" check ("refund_type" in ('FULL', 'PRORATED'));`,
    );
    this.addSql(
      `update "order_lines" set "refund_type" = case "refund_options" -> -1 ->> 'type' when 'FULL' then 'FULL' else 'PRORATED' end where "refund_options" <> '[]';`,
    );
    this.addSql(`alter table "order_lines" drop constraint "order_lines_refund_options";`);
    this.addSql(`alter table "order_lines" drop column "refund_options", drop column "support_request_required";`);

    this.addSql(
      `alter table "skus" add "cancellation_window_days" int null, add "refund_type" text null constraint "skus_refund_type_check" check ("refund_type" in ('FULL', 'PRORATED')), add "support_request_required" boolean not null default false;`,
    );
    this.addSql(`update "skus" s set "support_request_required" = p."support_request_required",
        "refund_type" = case p."last" ->> 'type' when 'FULL' then 'FULL' when 'PARTIAL' then 'PRORATED' end,
        "cancellation_window_days" = coalesce(substring(p."last" ->> 'expiresAfter' from '^P([0-9]+)D$')::int, substring(p."last" ->> 'expiresAfter' from '^PT([0-9]+)H$')::int / 24)
      from (select distinct on (k."id") k."id", c."support_request_required", c."refund_options" -> -1 as "last"
        from "skus" k join "cancellation_policies" c on c."sku_id" = k."id" or (c."sku_id" is null and c."kind" = k."kind")
        where c."effective_date" <= current_date order by k."id", c."sku_id" is null, c."effective_date" desc) p
      where p."id" = s."id";`);
    this.addSql(
      `alter table "skus" add constraint "skus_linux_plan_final" check (kind <> 'LINUX_PLAN' or (refund_type is null and not support_request_required));`,
    );
    this.addSql(
      `alter table "skus" add constraint "skus_policy" check ((refund_type is null) = (cancellation_window_days is null));`,
    );

    this.addSql(`delete from "market_closures" c where not c."is_closed" or exists (select from "market_closures" newer
      where newer."market_code" = c."market_code" and newer."kind" = c."kind" and newer."effective_date" > c."effective_date");`);
    this.addSql(`alter table "market_closures" drop constraint "market_closures_pkey";`);
    this.addSql(`alter table "market_closures" drop column "effective_date", drop column "is_closed";`);
    this.addSql(`alter table "market_closures" add primary key ("market_code", "kind");`);

    this.addSql(`drop table if exists "cancellation_policies" cascade;`);
    this.addSql(`drop function if exists "cancellation_policies_cancellation_policies_of_kind_fn"();`);
  }
}
