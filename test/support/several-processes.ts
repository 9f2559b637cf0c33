import { afterEach, describe, expect, test } from '@jest/globals';
import { START } from '../../src/activity-log/position.js';
import type { Config } from '../../src/config/config.js';
import { serverUrl, type TestDatabase, testDatabase } from './database.js';
import {
  caughtUp,
  client,
  cursorAt,
  feedOf,
  insert,
  insertOn,
  LABELS,
  labelsOf,
  numbers,
  pull,
  shared,
  table,
} from './feed.js';
import { startTestGateway, type TestGateway } from './gateway.js';
import { come } from './users.js';

const onServer = serverUrl ? test : test.skip;

/** How the feeds of the processes are fed. */
export interface FeedSettings {
  /** Asked for each gateway. */
  config(): Partial<Config>;
  /** Waits until a gateway is fed that way. */
  ready(gateway: TestGateway): Promise<void>;
}

/** The promise of the feed where several processes share a database, whatever its feeds are fed by. */
export function severalProcesses(what: string, settings: FeedSettings): void {
  describe(`the feed of several processes on one database, ${what}`, () => {
    const gateways: TestGateway[] = [];
    afterEach(async () => {
      for (const gateway of gateways.splice(0).reverse()) await gateway.stop();
    });
    const started = async (options: { database: TestDatabase }) => {
      const gateway = await startTestGateway({ ...options, config: settings.config() });
      gateways.push(gateway);
      await settings.ready(gateway);
      return gateway;
    };

    onServer('two gateways tell everything that either writes, in the same order', async () => {
      const database = await testDatabase();
      const first = await started({ database });
      const second = await started({ database: shared(database) });
      const streams = await Promise.all([first, second].map((gateway) => gateway.subscribe(LABELS)));
      for (const stream of streams) await stream.nextOf('FeedCaughtUp');
      const writers = [first, second, first, second, first, second].map(async (gateway, writer) => {
        for (let turn = 0; turn < 20; turn += 1) {
          const user = `user-${writer}-${turn}@partner.example`;
          await come(gateway, user);
          await gateway.run('mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }', {
            input: { userPrincipalName: user },
          });
        }
      });
      await Promise.all(writers);
      const [one, other] = await Promise.all(streams.map((stream) => labelsOf(stream, 120)));
      expect(other).toEqual(one);
      expect(new Set(one).size).toBe(120);
      expect(one).toEqual(
        (
          await first.sql<{ label: string }>('select resource_label as label from activity_entries order by xid, seq')
        ).map(({ label }) => label),
      );
      for (const stream of streams) await stream.end();
    });

    onServer('a transaction that commits late is not skipped: what began after it waits for it', async () => {
      const database = await testDatabase();
      const gateway = await started({ database });
      const stream = await gateway.subscribe(LABELS);
      await stream.nextOf('FeedCaughtUp');
      const [early, late] = [await client(database), await client(database)];
      await early.query('begin');
      await insertOn(early, 2);
      await late.query('begin');
      await insertOn(late, 3);
      await late.query('commit');
      // The later transaction is committed, and in the table for everybody who reads it carelessly.
      expect(await gateway.sql('select 1 from activity_entries')).toHaveLength(3);
      expect(await table(gateway)).toEqual([]);
      await early.query('commit');
      expect(await labelsOf(stream, 5)).toEqual(['1', '2', '1', '2', '3']);
      for (const connection of [early, late]) await connection.end();
      await stream.end();
    });

    onServer(
      'twelve writers with transactions that overlap and roll back: nothing is lost, repeated or invented',
      async () => {
        const database = await testDatabase();
        const gateway = await started({ database });
        const begin = feedOf(gateway).position;
        const connections = await Promise.all(Array.from({ length: 12 }, () => client(database)));
        await Promise.all(
          connections.map(async (connection, writer) => {
            for (let turn = 0; turn < 40; turn += 1) {
              await connection.query('begin');
              await insertOn(connection, 1 + (turn % 3));
              await insertOn(connection, 1);
              await connection.query((turn + writer) % 4 === 0 ? 'rollback' : 'commit');
            }
          }),
        );
        for (const connection of connections) await connection.end();
        const [{ count } = { count: 0 }] = await gateway.sql<{ count: number }>(
          'select count(*)::int as count from activity_entries',
        );
        await caughtUp(gateway, count);
        const told = await pull(feedOf(gateway), begin);
        expect(told).toHaveLength(count);
        expect(told.map((entry) => entry.id)).toEqual((await table(gateway)).map((entry) => entry.id));
      },
    );

    onServer('a client goes on at another gateway where it left one', async () => {
      const database = await testDatabase();
      const first = await started({ database });
      const second = await started({ database: shared(database) });
      await insert(first, 10);
      await caughtUp(first, 10);
      const stream = await first.subscribe(LABELS, { after: cursorAt(first, START) });
      const { cursor } = await stream.nextOf('ActivityRecorded');
      await stream.end();
      const resumed = await second.subscribe(LABELS, { after: cursor });
      expect(await labelsOf(resumed, 9)).toEqual(numbers(10).slice(1));
      await resumed.end();
    });
  });
}
