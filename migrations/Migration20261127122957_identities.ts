import { Migration } from '@mikro-orm/migrations';

/**
 * Who somebody is: issuer, tenant and object id beside the name. Revocations stand until access is given back; those from
 * before are kept by name, and cover whoever comes under it. Processes say what they know of revocations; sessions are
 * written down.
 */
export class Migration20261127122957_identities extends Migration {
  override name = 'Migration20261127122957_identities';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "gateway_processes" ("id" uuid not null, "started_at" timestamptz(3) not null, "alive_until" timestamptz(3) not null, "access_revision" bigint not null, primary key ("id"));`,
    );

    this.addSql(
      `create table "known_users" ("identity" text not null, "user_principal_name" text not null, "issuer" text not null, "tenant_id" uuid null, "object_id" text not null, "first_seen_at" timestamptz(3) not null default clock_timestamp(), primary key ("identity", "user_principal_name"));`,
    );
    this.addSql(`create index "known_users_name_idx" on "known_users" ("user_principal_name");`);
    this.addSql(`create index "known_users_object_idx" on "known_users" ("object_id");`);

    this.addSql(
      `create table "sessions" ("id" uuid not null, "process_id" uuid not null, "user_principal_name" text not null, "issuer" text null, "tenant_id" uuid null, "object_id" text null, "roles" text[] not null, "application" text null, "transport" text not null, "address" text not null, "opened_at" timestamptz(3) not null, "expires_at" timestamptz(3) null, "operations" int not null, "bytes_sent" bigint not null, "updated_at" timestamptz(3) not null default clock_timestamp(), "end_requested_at" timestamptz(3) null, primary key ("id"));`,
    );
    this.addSql(`create index "sessions_opened_idx" on "sessions" ("opened_at", "id");`);
    this.addSql(`create index "sessions_process_idx" on "sessions" ("process_id");`);

    this.addSql(`alter table "access_revocations" drop constraint "access_revocations_pkey";`);
    this.addSql(`create sequence "access_revision";`);
    this.addSql(
      `create function "next_access_revision"() returns bigint as $$ select nextval('access_revision') $$ language sql volatile;`,
    );
    this.addSql(
      `alter table "access_revocations" add "identity" text null, add "restored_at" timestamptz(3) null, add "restored_by" text null, add "revision" bigint not null default next_access_revision();`,
    );
    this.addSql(`update "access_revocations" set "identity" = 'name:' || "user_principal_name";`);
    this.addSql(`alter table "access_revocations" alter "identity" set not null;`);
    this.addSql(`create index "access_revocations_revision_idx" on "access_revocations" ("revision");`);
    this.addSql(`create index "access_revocations_name_idx" on "access_revocations" ("user_principal_name");`);
    this.addSql(`alter table "access_revocations" add primary key ("identity");`);

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" add "actor_issuer" text null, add "actor_tenant_id" uuid null, add "actor_object_id" text null;`,
    );
    this.addSql(
      `create index "activity_entries_actor_object_idx" on "activity_entries" ("actor_object_id", "xid", "seq");`,
    );
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );

    this.addSql(`alter table "cancellations" add "requested_by_identity" text null;`);

    this.addSql(`alter table "download_links" add "created_by_identity" text null;`);

    this.addSql(
      `alter table "sessions" add constraint "sessions_process_id_foreign" foreign key ("process_id") references "gateway_processes" ("id") on delete cascade;`,
    );
    this.addSql(
      `alter table "sessions" add constraint "sessions_transport_check" check ("transport" in ('WEBSOCKET', 'EVENT_STREAM', 'EXPORT'));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "sessions" drop constraint "sessions_process_id_foreign";`);

    this.addSql(`drop table if exists "gateway_processes" cascade;`);
    this.addSql(`drop table if exists "known_users" cascade;`);
    this.addSql(`drop table if exists "sessions" cascade;`);

    this.addSql(`drop index "access_revocations_revision_idx";`);
    this.addSql(`drop index "access_revocations_name_idx";`);
    this.addSql(`alter table "access_revocations" drop constraint "access_revocations_pkey";`);
    // Only those that stand, one for each name: more the table of before cannot hold.
    this.addSql(
      `delete from "access_revocations" r where "restored_at" is not null or exists (select from "access_revocations" newer where newer."user_principal_name" = r."user_principal_name" and newer."restored_at" is null and newer."revision" > r."revision");`,
    );
    this.addSql(
      `alter table "access_revocations" drop column "identity", drop column "restored_at", drop column "restored_by", drop column "revision";`,
    );
    this.addSql(`alter table "access_revocations" add primary key ("user_principal_name");`);
    this.addSql(`drop function "next_access_revision"();`);
    this.addSql(`drop sequence "access_revision";`);

    this.addSql(`drop index "activity_entries_actor_object_idx";`);
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" drop column "actor_issuer", drop column "actor_tenant_id", drop column "actor_object_id";`,
    );
    // The log keeps what it has: entries of the actions that came with this migration stay.
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'ACCESS_REVOKED', 'ACCESS_DENIED')) not valid;`,
    );

    this.addSql(`alter table "cancellations" drop column "requested_by_identity";`);

    this.addSql(`alter table "download_links" drop column "created_by_identity";`);
  }
}
