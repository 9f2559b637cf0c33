import { Migration } from '@mikro-orm/migrations';

export class Migration20261128080805_partner_center_sign_in extends Migration {
  override name = 'Migration20261128080805_partner_center_sign_in';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "partner_center_sign_ins" ("singleton" boolean not null default true, "key_id" text not null, "encrypted" bytea not null, "renewed_at" timestamptz(3) not null, "held_by" uuid null, "held_until" timestamptz(3) null, primary key ("singleton"));`,
    );
    this.addSql(`create index "partner_center_sign_ins_key_id_idx" on "partner_center_sign_ins" ("key_id");`);

    this.addSql(
      `alter table "partner_center_sign_ins" add constraint "partner_center_sign_ins_singleton_check" check (singleton);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "partner_center_sign_ins" cascade;`);
  }
}
