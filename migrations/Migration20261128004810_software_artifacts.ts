import { Migration } from '@mikro-orm/migrations';

/** Where the image of a version lies, where that is not its own place. */
export class Migration20261128004810_software_artifacts extends Migration {
  override name = 'Migration20261128004810_software_artifacts';

  override up(): void | Promise<void> {
    this.addSql(`alter table "software_versions" add "artifact" text null;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "software_versions" drop column "artifact";`);
  }
}
