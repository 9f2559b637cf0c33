import { Migration } from '@mikro-orm/migrations';

/** Queues of work that comes again by itself: one process does it for all. */
export class Migration20261128040100_periodic_work extends Migration {
  override name = 'Migration20261128040100_periodic_work';

  override up(): void | Promise<void> {
    for (const queue of ['sales_roll_up', 'refused_attempts'])
      this.addSql(`select "pgboss"."create_queue"('${queue}', '{"policy": "standard"}');`);
  }

  override down(): void | Promise<void> {
    for (const queue of ['sales_roll_up', 'refused_attempts'])
      this.addSql(`select "pgboss"."delete_queue"('${queue}');`);
  }
}
