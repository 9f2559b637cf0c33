import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Em, type Orm, openOrm } from '../../src/database/orm.js';
import { write } from '../../src/database/writes.js';
import { entities } from '../../src/schema/entities.js';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { type Lines, openLines } from '../support/proxy.js';

const onServer = serverUrl ? test : test.skip;
if (!serverUrl) console.warn('Statements that are refused need a line to a server: set TEST_DATABASE_URL.');

describe('transactions of which one of the statements fails that frame them', () => {
  let database: TestDatabase;
  let lines: Lines;
  let orm: Orm;
  /** Which one the server refuses as it refuses one that is cancelled: alone. */
  let spoilt: 'begin' | 'rollback' | null = null;
  beforeAll(async () => {
    database = await testDatabase();
    if (database.config.kind !== 'server') return;
    const url = new URL(database.config.url);
    lines = await openLines(Number(url.port || 5432), () => (client, server) => {
      client.on('data', (chunk) => {
        const at = spoilt ? chunk.indexOf(`${spoilt}\0`) : -1;
        if (at >= 0) chunk.write('x', at);
        server.write(chunk);
      });
      server.on('data', (chunk) => client.write(chunk));
    });
    url.host = `127.0.0.1:${lines.port}`;
    orm = await openOrm({ ...database.config, url: url.href, poolSize: 1 }, { entities });
    await orm.em.fork().execute('create table "written" ("by" text not null)');
  });
  afterAll(async () => {
    await orm?.close(true);
    await lines?.close();
    await database.drop();
  });

  const INSERT = `insert into "written" values ($1)`;
  const works: [string, (em: Em) => unknown][] = [
    ['what writes at once', (em) => em.execute(INSERT.replace('$1', '?'), ['at once'])],
    ['what writes at its end', (em) => write(em, INSERT, ['at the end'])],
    ['what reads, and writes at its end', (em) => em.execute('select 1').then(() => write(em, INSERT, ['after']))],
  ];
  onServer.each(works)('without begin nothing is done, and its connection is as it was: %s', async (_, work) => {
    const transaction = () => orm.em.fork().transactional(async (em) => void (await work(em)));
    const written = () => orm.em.fork().execute<{ count: number }[]>('select count(*)::int as "count" from "written"');
    spoilt = 'begin';
    await expect(transaction()).rejects.toThrow(/syntax error/);
    spoilt = null;
    expect(await written()).toEqual([{ count: 0 }]);
    await transaction();
    expect(await written()).toEqual([{ count: 1 }]);
    await orm.em.fork().execute('delete from "written"');
  });

  onServer(
    'without rollback its connection is ended at once, and the only place in the pool is free',
    async () => {
      spoilt = 'rollback';
      const failing = orm.em.fork().transactional((em) => em.execute('select 1 / 0'));
      await expect(failing).rejects.toThrow(/division by zero/);
      spoilt = null;
      const again = orm.em.fork().transactional((em) => em.execute('select 1 as "one"'));
      expect(await again).toEqual([{ one: 1 }]);
    },
    // The server itself ends it after 30 s.
    10_000,
  );

  onServer('a commit that commits nothing, as something failed before that nobody heeded, is none', async () => {
    const unheeded = orm.em.fork().transactional(async (em) => {
      await em.execute(INSERT.replace('$1', '?'), ['unheeded']);
      await em.execute('select 1 / 0').catch(() => undefined);
    });
    await expect(unheeded).rejects.toThrow(/nothing was committed/);
    expect(await orm.em.fork().transactional((em) => em.execute('select * from "written"'))).toEqual([]);
  });

  onServer('several statements of one transaction stay in order behind it', async () => {
    const counts = await orm.em.fork().transactional(async (em) => {
      const count = () => em.execute<{ count: number }[]>('select count(*)::int as "count" from "written"');
      const [, one] = await Promise.all([em.execute(INSERT.replace('$1', '?'), ['first']), count()]);
      return one;
    });
    expect(counts).toEqual([{ count: 1 }]);
    await orm.em.fork().execute('delete from "written"');
  });
});
