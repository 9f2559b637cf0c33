import { Migration } from '@mikro-orm/migrations';

/**
 * Support requests are served: states, notes, and files that are judged before anybody downloads them. Files are stored
 * as they are, so that a piece of one is read without the rest.
 */
export class Migration20261128000059_support_served extends Migration {
  override name = 'Migration20261128000059_support_served';

  override up(): void {
    this.addSql(
      `create table "support_notes" ("id" uuid not null, "support_request_id" uuid not null, "text" text not null, "created_at" timestamptz(3) not null, "created_by" text not null, primary key ("id"));`,
    );
    this.addSql(
      `create index "support_notes_request_idx" on "support_notes" ("support_request_id", "created_at", "id");`,
    );

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );

    this.addSql(`alter table "support_requests" drop constraint "support_requests_status_check";`);
    this.addSql(
      `alter table "support_requests" add constraint "support_requests_status_check" check ("status" in ('OPEN', 'ATTENTION_NEEDED', 'CLOSED'));`,
    );

    this.addSql(
      `alter table "support_files" add "uploaded_by" text null, add "uploaded_by_role" text null, add "uploaded_by_identity" text null, add "scan_verdict" text null, add "scan_reason" text null, add "scanned_at" timestamptz(3) null, add "scan_attempts" int not null default 0, add "scan_due_at" timestamptz(3) not null default now();`,
    );
    this.addSql(`alter table "support_files" alter column "content" set storage external;`);
    this.addSql(
      `create index "support_files_scan_idx" on "support_files" ("scan_due_at") where "scan_verdict" is null;`,
    );
    this.addSql(
      `alter table "support_files" add constraint "support_files_scanned" check ((scan_verdict is null) = (scanned_at is null));`,
    );
    this.addSql(
      `alter table "support_files" add constraint "support_files_refused" check ((coalesce(scan_verdict, '') = 'REFUSED') = (scan_reason is not null));`,
    );
    this.addSql(
      `alter table "support_files" add constraint "support_files_scan_verdict_check" check ("scan_verdict" in ('CLEAN', 'REFUSED'));`,
    );

    this.addSql(
      `alter table "support_notes" add constraint "support_notes_support_request_id_foreign" foreign key ("support_request_id") references "support_requests" ("id");`,
    );
  }

  override down(): void {
    this.addSql(`drop table if exists "support_notes" cascade;`);

    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED')) not valid;`,
    );

    this.addSql(`alter table "support_files" alter column "content" set storage extended;`);
    this.addSql(`drop index "support_files_scan_idx";`);
    this.addSql(`alter table "support_files" drop constraint "support_files_scanned";`);
    this.addSql(`alter table "support_files" drop constraint "support_files_refused";`);
    this.addSql(`alter table "support_files" drop constraint "support_files_scan_verdict_check";`);
    this.addSql(
      `alter table "support_files" drop column "uploaded_by", drop column "uploaded_by_role", drop column "uploaded_by_identity", drop column "scan_verdict", drop column "scan_reason", drop column "scanned_at", drop column "scan_attempts", drop column "scan_due_at";`,
    );

    this.addSql(`update "support_requests" set "status" = 'OPEN' where "status" = 'ATTENTION_NEEDED';`);
    this.addSql(`alter table "support_requests" drop constraint "support_requests_status_check";`);
    this.addSql(
      `alter table "support_requests" add constraint "support_requests_status_check" check ("status" in ('OPEN', 'CLOSED'));`,
    );
  }
}
