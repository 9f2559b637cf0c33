import { Migration } from '@mikro-orm/migrations';

export class Migration20261127232605_sales_counts extends Migration {
  override name = 'Migration20261127232605_sales_counts';

  override up(): void | Promise<void> {
    this.addSql(`alter table "sales_by_customer" alter column "count" type bigint using ("count"::bigint);`);

    this.addSql(`alter table "sales_by_product" alter column "count" type bigint using ("count"::bigint);`);

    this.addSql(`alter table "sales_deltas" alter column "count" type bigint using ("count"::bigint);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "sales_by_customer" alter column "count" type int using ("count"::int);`);

    this.addSql(`alter table "sales_by_product" alter column "count" type int using ("count"::int);`);

    this.addSql(`alter table "sales_deltas" alter column "count" type int using ("count"::int);`);
  }
}
