import { Migration } from '@mikro-orm/migrations';

/** Texts that people read and search by. */
const composed: Record<string, readonly string[]> = {
  customers: ['company_name', 'contact_first_name', 'contact_last_name'],
  products: ['title', 'publisher'],
  skus: ['title'],
};

/**
 * Names have Unicode's order instead of that of bytes, by the collation of their columns, so that the indexes of pages
 * have it too. They are kept composed (NFC): rows that came otherwise are mended, and a trigger does it for whoever writes
 * more. Where the server was built without ICU names keep the order that they had; where its encoding is not UTF-8 there
 * is nothing to compose.
 */
export class Migration20261127163404_names extends Migration {
  override name = 'Migration20261127163404_names';

  override up(): void {
    this.addSql(`do $$ begin
      alter table "customers" alter column "company_name" type text collate "und-x-icu";
      alter table "products" alter column "title" type text collate "und-x-icu";
    exception when undefined_object or feature_not_supported then
      raise warning 'names are ordered as the database orders text: %', sqlerrm;
    end $$;`);
    for (const [table, columns] of Object.entries(composed)) {
      const isOther = columns.map((column) => `"${column}" is not nfc normalized`).join(' or ');
      const set = columns.map((column) => `"${column}" = normalize("${column}", nfc)`).join(', ');
      const assign = columns.map((column) => `new.${column} := normalize(new.${column}, nfc);`).join(' ');
      this.addSql(`do $$ begin
        if getdatabaseencoding() = 'UTF8' then update "${table}" set ${set} where ${isOther}; end if;
      end $$;`);
      this.addSql(
        `create or replace function "${table}_${table}_composed_fn"() returns trigger as $$ begin if getdatabaseencoding() = 'UTF8' then ${assign} end if; return new; end; $$ language plpgsql;`,
      );
      this.addSql(
        `create trigger "${table}_composed" BEFORE INSERT OR UPDATE on "${table}" for each ROW execute function "${table}_${table}_composed_fn"();`,
      );
    }
  }

  override down(): void {
    for (const table of Object.keys(composed)) {
      this.addSql(`drop trigger if exists "${table}_composed" on "${table}";`);
      this.addSql(`drop function if exists "${table}_${table}_composed_fn"();`);
    }
    this.addSql(`alter table "customers" alter column "company_name" type text collate "default";`);
    this.addSql(`alter table "products" alter column "title" type text collate "default";`);
  }
}
