import { Migration } from '@mikro-orm/migrations';

/** A download is one for a link, an address and a day, in how many parts it may come. */
export class Migration20261128002109_download_uses extends Migration {
  override name = 'Migration20261128002109_download_uses';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "download_uses" ("link_id" uuid not null, "address" text not null, "day" date not null, "first_at" timestamptz(3) not null, primary key ("link_id", "address", "day"));`,
    );

    this.addSql(
      `alter table "download_uses" add constraint "download_uses_link_id_foreign" foreign key ("link_id") references "download_links" ("id");`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "download_uses" cascade;`);
  }
}
