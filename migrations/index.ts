import type { MigrationObject } from '@mikro-orm/core';
import { Migration20261122180000_initial } from './Migration20261122180000_initial.js';
import { Migration20261122215340_feed_incarnation } from './Migration20261122215340_feed_incarnation.js';
import { Migration20261122220209_scale } from './Migration20261122220209_scale.js';
import { Migration20261122223854_activity_seals } from './Migration20261122223854_activity_seals.js';
import { Migration20261123070000_customer_search } from './Migration20261123070000_customer_search.js';
import { Migration20261127122349_encryption_canaries } from './Migration20261127122349_encryption_canaries.js';
import { Migration20261127122957_identities } from './Migration20261127122957_identities.js';
import { Migration20261127163404_names } from './Migration20261127163404_names.js';
import { Migration20261127165500_cost } from './Migration20261127165500_cost.js';
import { Migration20261127232605_sales_counts } from './Migration20261127232605_sales_counts.js';
import { Migration20261127232929_policies } from './Migration20261127232929_policies.js';
import { Migration20261127234827_price_identity } from './Migration20261127234827_price_identity.js';
import { Migration20261127234839_product_key_pool } from './Migration20261127234839_product_key_pool.js';
import { Migration20261128000059_support_served } from './Migration20261128000059_support_served.js';
import { Migration20261128002109_download_uses } from './Migration20261128002109_download_uses.js';
import { Migration20261128002800_jobs } from './Migration20261128002800_jobs.js';
import { Migration20261128004810_software_artifacts } from './Migration20261128004810_software_artifacts.js';
import { Migration20261128030954_charge_types } from './Migration20261128030954_charge_types.js';
import { Migration20261128032924_ledger_entries } from './Migration20261128032924_ledger_entries.js';
import { Migration20261128034200_reconciliations } from './Migration20261128034200_reconciliations.js';
import { Migration20261128040000_job_entries } from './Migration20261128040000_job_entries.js';
import { Migration20261128040100_periodic_work } from './Migration20261128040100_periodic_work.js';
import { Migration20261128040310_imported_from } from './Migration20261128040310_imported_from.js';
import { Migration20261128041500_month_closings } from './Migration20261128041500_month_closings.js';
import { Migration20261128080805_partner_center_sign_in } from './Migration20261128080805_partner_center_sign_in.js';
import { Migration20261128083000_imports_and_closings_told } from './Migration20261128083000_imports_and_closings_told.js';
import { Migration20261128090000_amounts_and_evidence } from './Migration20261128090000_amounts_and_evidence.js';
import { Migration20261128091500_write_functions } from './Migration20261128091500_write_functions.js';
import { Migration20261128092000_upstream_intents } from './Migration20261128092000_upstream_intents.js';
import { Migration20261128124559_upstream_mirror } from './Migration20261128124559_upstream_mirror.js';
import { Migration20261128130000_idempotency_keys_by_index } from './Migration20261128130000_idempotency_keys_by_index.js';
import { Migration20261128133958_invoice_series_guard } from './Migration20261128133958_invoice_series_guard.js';

/** Every migration, oldest first. One that has landed is never edited. */
export const migrations: MigrationObject[] = [
  { name: 'Migration20261122180000_initial', class: Migration20261122180000_initial },
  { name: 'Migration20261122215340_feed_incarnation', class: Migration20261122215340_feed_incarnation },
  { name: 'Migration20261122220209_scale', class: Migration20261122220209_scale },
  { name: 'Migration20261122223854_activity_seals', class: Migration20261122223854_activity_seals },
  { name: 'Migration20261123070000_customer_search', class: Migration20261123070000_customer_search },
  { name: 'Migration20261127122349_encryption_canaries', class: Migration20261127122349_encryption_canaries },
  { name: 'Migration20261127122957_identities', class: Migration20261127122957_identities },
  { name: 'Migration20261127163404_names', class: Migration20261127163404_names },
  { name: 'Migration20261127165500_cost', class: Migration20261127165500_cost },
  { name: 'Migration20261127232605_sales_counts', class: Migration20261127232605_sales_counts },
  { name: 'Migration20261127232929_policies', class: Migration20261127232929_policies },
  { name: 'Migration20261127234827_price_identity', class: Migration20261127234827_price_identity },
  { name: 'Migration20261127234839_product_key_pool', class: Migration20261127234839_product_key_pool },
  { name: 'Migration20261128000059_support_served', class: Migration20261128000059_support_served },
  { name: 'Migration20261128002109_download_uses', class: Migration20261128002109_download_uses },
  { name: 'Migration20261128002800_jobs', class: Migration20261128002800_jobs },
  { name: 'Migration20261128004810_software_artifacts', class: Migration20261128004810_software_artifacts },
  { name: 'Migration20261128030954_charge_types', class: Migration20261128030954_charge_types },
  { name: 'Migration20261128032924_ledger_entries', class: Migration20261128032924_ledger_entries },
  { name: 'Migration20261128034200_reconciliations', class: Migration20261128034200_reconciliations },
  { name: 'Migration20261128040000_job_entries', class: Migration20261128040000_job_entries },
  { name: 'Migration20261128040100_periodic_work', class: Migration20261128040100_periodic_work },
  { name: 'Migration20261128040310_imported_from', class: Migration20261128040310_imported_from },
  { name: 'Migration20261128041500_month_closings', class: Migration20261128041500_month_closings },
  { name: 'Migration20261128080805_partner_center_sign_in', class: Migration20261128080805_partner_center_sign_in },
  {
    name: 'Migration20261128083000_imports_and_closings_told',
    class: Migration20261128083000_imports_and_closings_told,
  },
  { name: 'Migration20261128090000_amounts_and_evidence', class: Migration20261128090000_amounts_and_evidence },
  { name: 'Migration20261128091500_write_functions', class: Migration20261128091500_write_functions },
  { name: 'Migration20261128092000_upstream_intents', class: Migration20261128092000_upstream_intents },
  { name: 'Migration20261128124559_upstream_mirror', class: Migration20261128124559_upstream_mirror },
  {
    name: 'Migration20261128130000_idempotency_keys_by_index',
    class: Migration20261128130000_idempotency_keys_by_index,
  },
  { name: 'Migration20261128133958_invoice_series_guard', class: Migration20261128133958_invoice_series_guard },
];
