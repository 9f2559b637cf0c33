import { Migration } from '@mikro-orm/migrations';

/** Entries of operators who begin jobs anew or give them up. */
export class Migration20261128040000_job_entries extends Migration {
  override name = 'Migration20261128040000_job_entries';

  override up(): void | Promise<void> {
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'JOB_RETRIED', 'JOB_GIVEN_UP', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'RECONCILIATION_IMPORTED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "activity_entries" drop constraint "activity_entries_action_check";`);
    this.addSql(
      `alter table "activity_entries" add constraint "activity_entries_action_check" check ("action" in ('ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED', 'CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED', 'CANCELLATION_REFUSED', 'PRODUCT_KEY_REVEALED', 'PRODUCT_KEYS_STORED', 'PRODUCT_KEYS_RAN_OUT', 'DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED', 'SUPPORT_REQUEST_SUBMITTED', 'SUPPORT_REQUEST_UPDATED', 'SUPPORT_FILE_DOWNLOADED', 'SUPPORT_FILE_REFUSED', 'RECONCILIATION_IMPORTED', 'ACCESS_REVOKED', 'ACCESS_RESTORED', 'SESSION_ENDED', 'ACCESS_DENIED'));`,
    );
  }
}
