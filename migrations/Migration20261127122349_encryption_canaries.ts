import { Migration } from '@mikro-orm/migrations';

/** A known text per encryption key, and an index by which a rotation walks the product keys of one. */
export class Migration20261127122349_encryption_canaries extends Migration {
  override name = 'Migration20261127122349_encryption_canaries';

  override up(): void {
    this.addSql(
      `create table "encryption_canaries" ("key_id" text not null, "encrypted" bytea not null, "created_at" timestamptz(3) not null default now(), primary key ("key_id"));`,
    );
    this.addSql(`create index "product_keys_rotation_idx" on "product_keys" ("key_id", "entitlement_id", "version");`);
  }

  override down(): void {
    this.addSql(`drop table if exists "encryption_canaries" cascade;`);
    this.addSql(`drop index if exists "product_keys_rotation_idx";`);
  }
}
