import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Orm, openOrm } from '../../src/database/orm.js';
import { isOutOfReach } from '../../src/lib/connection-errors.js';
import { entities } from '../../src/schema/entities.js';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';

const POOL_SIZE = 2;
const onServer = serverUrl ? test : test.skip;
if (!serverUrl) console.warn('Lost connections need a server: set TEST_DATABASE_URL.');

describe('connections that the server ends', () => {
  let database: TestDatabase;
  let orm: Orm;
  beforeAll(async () => {
    database = await testDatabase();
    orm = await openOrm(
      database.config.kind === 'server' ? { ...database.config, poolSize: POOL_SIZE } : database.config,
      { entities, pglite: database.pglite },
    );
  });
  afterAll(async () => {
    await orm.close(true);
    await database.drop();
  });

  onServer('inside a transaction are given back: as many losses as the pool holds leave it working', async () => {
    const lose = () =>
      orm.em.fork().transactional(async (em) => {
        await em.execute('select pg_terminate_backend(pg_backend_pid())');
      });
    for (let loss = 0; loss <= POOL_SIZE; loss += 1) await expect(lose()).rejects.toThrow(/terminat|closed|ended/i);
    expect(await orm.em.fork().transactional((em) => em.execute('select 1 as "one"'))).toEqual([{ one: 1 }]);
  });

  onServer('between two statements of a transaction: the next one says that the database is out of reach', async () => {
    const lost = orm.em.fork().transactional(async (em) => {
      const [{ pid }] = await em.execute<[{ pid: number }]>('select pg_backend_pid() as "pid"');
      await orm.em.fork().execute('select pg_terminate_backend(?, 5000)', [pid]);
      await em.execute('select 1');
    });
    expect(isOutOfReach(await lost.catch((error) => error))).toBe(true);
  });
});
