import { Migration } from '@mikro-orm/migrations';

/**
 * A search that few customers fit reads an index of trigrams. Where the extension is not to be had (no contrib
 * packages, no right to create it) searches go on without: they walk the list's own index.
 */
export class Migration20261123070000_customer_search extends Migration {
  override name = 'Migration20261123070000_customer_search';

  override up(): void {
    this.addSql(`do $$ begin
      create extension if not exists pg_trgm;
      create index "customers_search_idx" on "customers" using gin ("company_name" gin_trgm_ops, "domain" gin_trgm_ops);
    exception when insufficient_privilege or undefined_file or undefined_object or feature_not_supported then
      raise warning 'customers are searched without an index: %', sqlerrm;
    end $$;`);
  }

  override down(): void {
    // The extension stays: it may have been there before.
    this.addSql(`drop index if exists "customers_search_idx";`);
  }
}
