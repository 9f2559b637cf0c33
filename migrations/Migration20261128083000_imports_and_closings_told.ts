import { Migration } from '@mikro-orm/migrations';

/** Entries of files that operators import and of months that are closed; and what became of work that comes again by itself. */
export class Migration20261128083000_imports_and_closings_told extends Migration {
  override name = 'Migration20261128083000_imports_and_closings_told';

  override up(): void | Promise<void> {
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'JOB_RETRIED', 'JOB_GIVEN_UP', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'RECONCILIATION_IMPORTED', 'FILE_IMPORTED', 'MONTH_CLOSED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_resource_type_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_resource_type_check" check ("resource_type" in ('ORDER', 'ENTITLEMENT', 'DOWNLOAD_LINK', 'SUPPORT_REQUEST', 'SKU', 'RECONCILIATION', 'FILE', 'MONTH', 'USER'));`,
    );
    // What has failed since it was last done: a turn that is done may leave an older one behind that waits to be tried again.
    this.addSql(`create view "pgboss"."periodic_work" as select upper("q"."name") as "kind", "f"."failures", "d"."at" as "succeeded_at", "f"."at" as "failed_at", "f"."error" as "last_error"
      from "pgboss"."queue" "q"
      cross join lateral (select max("completed_on")::timestamptz(3) as "at" from "pgboss"."job" where "name" = "q"."name" and "state" = 'completed') "d"
      cross join lateral (
        select coalesce(sum("retry_count" + case when "state" = 'active' then 0 else 1 end), 0)::int as "failures",
          max(coalesce("completed_on", "started_on"))::timestamptz(3) as "at",
          (array_agg("output"->>'message' order by coalesce("completed_on", "started_on") desc))[1] as "error"
        from "pgboss"."job" where "name" = "q"."name" and ("state" in ('retry', 'failed') or "state" = 'active' and "retry_count" > 0)
          and ("d"."at" is null or coalesce("completed_on", "started_on") > "d"."at")) "f"
      where "q"."name" in ('sales_roll_up', 'refused_attempts', 'month_close');`);
    this.addSql(`create view "periodic_work" as select * from "pgboss"."periodic_work";`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop view "periodic_work";`);
    this.addSql(`drop view "pgboss"."periodic_work";`);
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_resource_type_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_resource_type_check" check ("resource_type" in ('ORDER', 'ENTITLEMENT', 'DOWNLOAD_LINK', 'SUPPORT_REQUEST', 'SKU', 'RECONCILIATION', 'USER'));`,
    );
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'JOB_RETRIED', 'JOB_GIVEN_UP', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'RECONCILIATION_IMPORTED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );
  }
}
