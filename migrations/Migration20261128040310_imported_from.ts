import { Migration } from '@mikro-orm/migrations';

/** Customers, catalog and orders that were created out of a reconciliation file say of which. */
export class Migration20261128040310_imported_from extends Migration {
  override name = 'Migration20261128040310_imported_from';

  override up(): void | Promise<void> {
    this.addSql(`alter table "customers" add "imported_from" uuid null;`);

    this.addSql(`alter table "orders" add "imported_from" uuid null;`);

    this.addSql(`alter table "products" add "imported_from" uuid null;`);

    this.addSql(`alter table "skus" add "imported_from" uuid null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "customers" drop column "imported_from";`);

    this.addSql(`alter table "orders" drop column "imported_from";`);

    this.addSql(`alter table "products" drop column "imported_from";`);

    this.addSql(`alter table "skus" drop column "imported_from";`);
  }
}
