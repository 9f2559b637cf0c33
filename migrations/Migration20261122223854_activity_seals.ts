import { Migration } from '@mikro-orm/migrations';

/** Checkpoints of the activity log (src/seal/). Nothing is added to the log's own table: writers do what they did. */
export class Migration20261122223854_activity_seals extends Migration {
  override name = 'Migration20261122223854_activity_seals';

  override up(): void {
    this.addSql(
      `create table "activity_seals" ("number" bigint not null, "xid" xid8 not null, "seq" bigint not null, "entries" int not null, "leaves" bytea not null, "hash" bytea not null, "sealed_at" timestamptz(3) not null default clock_timestamp(), primary key ("number"));`,
    );
    this.addSql(
      `alter table "activity_seals" add constraint "activity_seals_leaves" check (octet_length(leaves) = 16 * entries);`,
    );
    this.addSql(`alter table "activity_seals" add constraint "activity_seals_entries_check" check (entries > 0);`);
    this.addSql(
      `create or replace function "activity_seals_activity_seals_append_only_fn"() returns trigger as $$ begin raise exception 'activity_seals is append-only' using errcode = 'insufficient_privilege'; return null; end; $$ language plpgsql;`,
    );
    this.addSql(
      `create trigger "activity_seals_append_only" BEFORE UPDATE OR DELETE on "activity_seals" for each STATEMENT execute function "activity_seals_activity_seals_append_only_fn"();`,
    );
    this.addSql(
      `create trigger "activity_seals_no_truncate" before truncate on "activity_seals" for each statement execute function "activity_seals_activity_seals_append_only_fn"();`,
    );
    this.addSql(`revoke update, delete, truncate on "activity_seals" from public, current_user;`);
  }

  override down(): void {
    this.addSql(`drop trigger if exists "activity_seals_no_truncate" on "activity_seals";`);
    this.addSql(`drop trigger if exists "activity_seals_append_only" on "activity_seals";`);
    this.addSql(`drop function if exists "activity_seals_activity_seals_append_only_fn"();`);
    this.addSql(`drop table if exists "activity_seals" cascade;`);
  }
}
