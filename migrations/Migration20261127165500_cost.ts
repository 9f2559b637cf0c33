import { Migration } from '@mikro-orm/migrations';

/** What users have spent, shared by processes; refused attempts at keys and links, joined. */
export class Migration20261127165500_cost extends Migration {
  override name = 'Migration20261127165500_cost';

  override up(): void | Promise<void> {
    this.addSql(
      `create unlogged table "rate_limits" ("key" varchar(255) not null, "points" int not null default 0, "expire" bigint null, primary key ("key"));`,
    );

    this.addSql(
      `create table "refused_attempts" ("identity" text not null, "operation" text not null, "entitlement_id" uuid not null, "reason" text not null, "entry_id" uuid not null, "first_at" timestamptz(3) not null, "attempts" int not null default 1, primary key ("identity", "operation", "entitlement_id", "reason"));`,
    );
    this.addSql(`create index "refused_attempts_first_idx" on "refused_attempts" ("first_at");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "rate_limits" cascade;`);
    this.addSql(`drop table if exists "refused_attempts" cascade;`);
  }
}
