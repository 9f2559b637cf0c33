import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { testDatabase } from '../support/database.js';
import { startTestGateway } from '../support/gateway.js';
import { until } from '../support/until.js';

const POOL_SIZE = 2;
const ANALYST_POOL_SIZE = 1;
const url = process.env['TEST_DATABASE_URL'];
/** Embedded there is one connection: nothing to set apart. */
const onServer = url ? describe : describe.skip;

onServer('reads of analysts', () => {
  test('have connections and a time limit of their own', async () => {
    const database = await testDatabase();
    if (database.config.kind !== 'server') throw new Error('needs a server');
    const config = {
      ...database.config,
      poolSize: POOL_SIZE,
      analysts: { poolSize: ANALYST_POOL_SIZE, statementTimeoutMs: 4_000 },
    };
    const gateway = await startTestGateway({ database, config: { database: config } });
    const locker = new pg.Client({ connectionString: config.url });
    await locker.connect();
    // Within a transaction PostgreSQL shows the activity of its first look.
    const watcher = new pg.Client({ connectionString: config.url });
    await watcher.connect();
    try {
      await locker.query('begin; lock table "products" in access exclusive mode');
      const document = '{ products(first: 1) { nodes { id } } }';
      // More than all the analysts' connections: the last waits for one, and would take one of the others' if it could.
      const reads = Array.from({ length: POOL_SIZE + ANALYST_POOL_SIZE }, () =>
        gateway.run(document, {}, 'REPORT_VIEWER'),
      );
      const blocked = Promise.all(reads);
      let settled = false;
      // Any of them: on shared connections the other's read would be answered once one of theirs has ended.
      void Promise.race(reads).then(() => {
        settled = true;
      });
      await until("the analysts' statements wait for the lock", async () => {
        const { rows } = await watcher.query(
          `select count(*)::int as "count" from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock' and state = 'active'`,
        );
        return rows[0].count >= ANALYST_POOL_SIZE;
      });
      const other = await gateway.run('{ customers(first: 1) { nodes { id } } }', {}, 'ADMIN_AGENT');
      expect(other.errors).toBeUndefined();
      expect(settled).toBe(false);
      const answers = await blocked;
      expect(answers.map(({ errors }) => errors?.[0].extensions.code)).toEqual(reads.map(() => 'TIMEOUT'));
    } finally {
      await locker.end();
      await watcher.end();
      await gateway.stop();
    }
  });
});
