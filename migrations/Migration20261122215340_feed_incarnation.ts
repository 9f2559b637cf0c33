import { Migration } from '@mikro-orm/migrations';

/**
 * Entries of a restored dump keep the transaction ids of the cluster that they are from, which may lie above this
 * one's: they would stay above the horizon, unseen, and new ones would come before them. So transaction ids are counted
 * on from the highest restored one: `feed_xid()` stamps, `feed_horizon()` bounds, `xid_offset` lies between.
 */
export class Migration20261122215340_feed_incarnation extends Migration {
  override name = 'Migration20261122215340_feed_incarnation';

  override up(): void {
    this.addSql(
      `alter table "database_incarnation" add "fingerprint" text null, add "xid_offset" bigint not null default '0';`,
    );
    this.addSql(`create function "feed_xid"() returns xid8 language plpgsql volatile as $$
begin
  return ((pg_current_xact_id()::text::bigint + (select "xid_offset" from "database_incarnation"))::text)::xid8;
end $$;`);
    // STABLE: only so it has the snapshot of the statement that asks. A later one would lie above rows that the
    // statement cannot see yet, and its reader would go past them.
    this.addSql(`create function "feed_horizon"() returns xid8 language plpgsql stable as $$
begin
  return ((pg_snapshot_xmin(pg_current_snapshot())::text::bigint + (select "xid_offset" from "database_incarnation"))::text)::xid8;
end $$;`);
    this.addSql(`alter table "activity_entries" alter column "xid" set default feed_xid();`);
  }

  override down(): void {
    this.addSql(`do $$ begin
  if exists (select from "database_incarnation" where "xid_offset" <> 0) then
    raise exception 'This database was restored from a dump: without feed_xid() its entries would be out of order.';
  end if;
end $$;`);
    this.addSql(`alter table "activity_entries" alter column "xid" set default pg_current_xact_id();`);
    this.addSql(`drop function "feed_horizon"();`);
    this.addSql(`drop function "feed_xid"();`);
    this.addSql(`alter table "database_incarnation" drop column "fingerprint", drop column "xid_offset";`);
  }
}
