import { Migration } from '@mikro-orm/migrations';

/** Product keys come from a pool. Those from before were invented, and only customers of the demonstration get such from now on. */
export class Migration20261127234839_product_key_pool extends Migration {
  override name = 'Migration20261127234839_product_key_pool';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "fingerprint_secret" ("singleton" boolean not null default true, "key_id" text not null, "encrypted" bytea not null, primary key ("singleton"));`,
    );

    this.addSql(
      `create table "product_key_shortages" ("sku_id" uuid not null, "version" text not null, "since" timestamptz(3) not null, primary key ("sku_id", "version"));`,
    );

    this.addSql(
      `create table "product_key_pool" ("fingerprint" text not null, "sku_id" uuid not null, "version" text not null, "key_id" text null, "encrypted" bytea null, "stored_at" timestamptz(3) not null, "taken_at" timestamptz(3) null, primary key ("fingerprint"));`,
    );
    this.addSql(
      `create index "product_key_pool_free_idx" on "product_key_pool" ("sku_id", "version", "stored_at", "fingerprint") where "taken_at" is null;`,
    );
    this.addSql(`create index "product_key_pool_sku_idx" on "product_key_pool" ("sku_id", "version");`);
    this.addSql(`create index "product_key_pool_rotation_idx" on "product_key_pool" ("key_id", "fingerprint");`);

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_resource_type_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_resource_type_check" check ("resource_type" in ('ORDER', 'ENTITLEMENT', 'DOWNLOAD_LINK', 'SUPPORT_REQUEST', 'SKU', 'USER'));`,
    );

    this.addSql(`alter table "customers" add "is_demonstration" boolean not null default false;`);

    // Ids of demonstration rows are made of their names (UUID version 5), those of all others are not.
    this.addSql(`update "customers" set "is_demonstration" = true where substring("id"::text from 15 for 1) = '5';`);

    this.addSql(`alter table "product_keys" add "is_invented" boolean not null default false;`);
    this.addSql(`update "product_keys" set "is_invented" = true;`);

    this.addSql(
      `alter table "fingerprint_secret" add constraint "fingerprint_secret_singleton_check" check (singleton);`,
    );

    this.addSql(
      `alter table "product_key_shortages" add constraint "product_key_shortages_sku_id_foreign" foreign key ("sku_id") references "skus" ("id");`,
    );

    this.addSql(
      `alter table "product_key_pool" add constraint "product_key_pool_sku_id_foreign" foreign key ("sku_id") references "skus" ("id");`,
    );
    this.addSql(
      `alter table "product_key_pool" add constraint "product_key_pool_taken" check ((taken_at is null) = (encrypted is not null) and (key_id is null) = (encrypted is null));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "fingerprint_secret" cascade;`);
    this.addSql(`drop table if exists "product_key_shortages" cascade;`);
    this.addSql(`drop table if exists "product_key_pool" cascade;`);

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_resource_type_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED')) not valid;`,
    );
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_resource_type_check" check ("resource_type" in ('ORDER', 'ENTITLEMENT', 'DOWNLOAD_LINK', 'SUPPORT_REQUEST', 'USER')) not valid;`,
    );

    this.addSql(`alter table "customers" drop column "is_demonstration";`);

    this.addSql(`alter table "product_keys" drop column "is_invented";`);
  }
}
