import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Orm, openOrm } from '../../src/database/orm.js';
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
});
