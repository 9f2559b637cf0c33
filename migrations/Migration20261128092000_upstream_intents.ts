import { Migration } from '@mikro-orm/migrations';

export class Migration20261128092000_upstream_intents extends Migration {
  override name = 'Migration20261128092000_upstream_intents';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "upstream_intents" ("id" uuid not null, "kind" text not null, "order_id" uuid not null, "state" text not null default 'REQUESTED', "request_id" uuid null, "cart_id" text null, "lines" jsonb not null default '[]', "has_reread" boolean not null default false, "first_sent_at" timestamptz(3) null, "last_sent_at" timestamptz(3) null, "problem" text null, "requested_at" timestamptz(3) not null default now(), "changed_at" timestamptz(3) not null default now(), primary key ("id"));`,
    );
    this.addSql(`create index "upstream_intents_order_idx" on "upstream_intents" ("order_id");`);
    this.addSql(
      `create index "upstream_intents_open_idx" on "upstream_intents" ("requested_at") where "state" in ('REQUESTED', 'SENT', 'UNKNOWN');`,
    );

    this.addSql(
      `alter table "upstream_intents" add constraint "upstream_intents_order_id_foreign" foreign key ("order_id") references "orders" ("id");`,
    );
    this.addSql(
      `alter table "upstream_intents" add constraint "upstream_intents_kind_check" check ("kind" in ('PURCHASE', 'CANCELLATION'));`,
    );
    this.addSql(
      `alter table "upstream_intents" add constraint "upstream_intents_state_check" check ("state" in ('REQUESTED', 'SENT', 'UNKNOWN', 'DONE', 'REFUSED'));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "upstream_intents" cascade;`);
  }
}
