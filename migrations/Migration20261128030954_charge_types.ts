import { Migration } from '@mikro-orm/migrations';

/** Lines of invoices say what they are for, as Microsoft's files do: charge type, days, order and product. */
export class Migration20261128030954_charge_types extends Migration {
  override name = 'Migration20261128030954_charge_types';

  override up(): void | Promise<void> {
    this.addSql(`alter table "invoice_lines" drop constraint "invoice_lines_amount";`);
    this.addSql(`drop index "invoice_lines_charge_once_key";`);
    this.addSql(
      `alter table "invoice_lines" add "charge_type" text null, add "charge_start" date null, add "charge_end" date null, add "order_id" uuid null, add "product_id" uuid null;`,
    );
    // A credit is for the unused days, which are the last ones of the term; a full refund is for all of them.
    this.addSql(
      `update "invoice_lines" i set
        "charge_type" = case i."kind" when 'CHARGE' then 'NEW' else 'CANCEL_IMMEDIATE' end,
        "charge_start" = case when c."unused_days" = 0 then null else coalesce(l."term_end" - c."unused_days" + 1, l."term_start") end,
        "charge_end" = case when c."unused_days" = 0 then null else l."term_end" end,
        "order_id" = l."order_id", "product_id" = s."product_id"
      from "order_lines" l join "skus" s on s."id" = l."sku_id", "invoice_lines" j
        left join "cancellation_lines" c on c."id" = j."cancellation_line_id"
      where l."id" = i."order_line_id" and j."id" = i."id";`,
    );
    this.addSql(
      `alter table "invoice_lines" alter column "charge_type" set not null, alter column "order_id" set not null, alter column "product_id" set not null;`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_order_id_foreign" foreign key ("order_id") references "orders" ("id");`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_product_id_foreign" foreign key ("product_id") references "products" ("id");`,
    );
    this.addSql(`create index "invoice_lines_order_idx" on "invoice_lines" ("order_id", "invoice_id");`);
    this.addSql(`create index "invoice_lines_product_idx" on "invoice_lines" ("product_id", "invoice_id");`);
    this.addSql(
      `create unique index "invoice_lines_charge_once_key" on "invoice_lines" ("order_line_id") where "charge_type" = 'NEW';`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_charge_type" check (case when charge_type in ('NEW', 'RENEW', 'CYCLE_CHARGE', 'ADD_QUANTITY', 'EXTEND_TERM') then kind = 'CHARGE' when charge_type in ('REMOVE_QUANTITY', 'CANCEL_IMMEDIATE', 'CUSTOMER_CREDIT') then kind = 'CREDIT' else true end);`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_cancellation" check ((charge_type = 'CANCEL_IMMEDIATE') = (cancellation_line_id is not null));`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_period" check ((charge_start is null) = (charge_end is null) and charge_end >= charge_start);`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_charge_type_check" check ("charge_type" in ('NEW', 'RENEW', 'CYCLE_CHARGE', 'ADD_QUANTITY', 'REMOVE_QUANTITY', 'MOVE_QUANTITY', 'CANCEL_IMMEDIATE', 'CONVERT', 'CHANGE_BILLING_PLAN', 'CUSTOMER_CREDIT', 'EXTEND_TERM'));`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_amount" check ((kind = 'CHARGE' and amount = unit_amount * quantity) or (kind = 'CREDIT' and amount = -unit_amount * quantity));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index "invoice_lines_charge_once_key";`);
    this.addSql(
      `alter table "invoice_lines" drop constraint "invoice_lines_order_id_foreign", drop constraint "invoice_lines_product_id_foreign", drop constraint "invoice_lines_charge_type", drop constraint "invoice_lines_cancellation", drop constraint "invoice_lines_period", drop constraint "invoice_lines_charge_type_check", drop constraint "invoice_lines_amount";`,
    );
    this.addSql(
      `alter table "invoice_lines" drop column "charge_type", drop column "charge_start", drop column "charge_end", drop column "order_id", drop column "product_id";`,
    );
    this.addSql(
      `create unique index "invoice_lines_charge_once_key" on "invoice_lines" ("order_line_id") where "kind" = 'CHARGE';`,
    );
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_amount" check ((kind = 'CHARGE' and amount = unit_amount * quantity and cancellation_line_id is null) or (kind = 'CREDIT' and amount = -unit_amount * quantity and cancellation_line_id is not null));`,
    );
  }
}
