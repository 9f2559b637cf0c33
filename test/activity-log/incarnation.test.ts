import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { establishIncarnation } from '../../src/activity-log/incarnation.js';
import { ActivityDocument } from '../generated/graphql.js';
import { engine, type TestDatabase, testDatabase } from '../support/database.js';
import { insertEntries } from '../support/entries.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { restart } from '../support/software.js';
import { until } from '../support/until.js';

const FEED = `subscription ($after: String) {
  activity(after: $after) { __typename ... on ActivityRecorded { cursor entry { resource { label } } } ... on FeedCaughtUp { cursor } }
}`;
const LIST = '{ activity(first: 100) { edges { cursor node { resource { label } } } } }';

/** What a dump of another cluster leaves behind: its transaction ids, far above this one's, and its fingerprint. */
const restoredElsewhere = [
  'alter table activity_entries disable trigger user',
  'update activity_entries set xid = ((xid::text::bigint + 4000000000)::text)::xid8',
  'alter table activity_entries enable trigger user',
  "update database_incarnation set fingerprint = '7000000000000000000/16384/16999/00000001'",
];
/** What a promoted replica says of itself: all the same, but for its timeline. */
const failedOver = [
  "update database_incarnation set fingerprint = regexp_replace(fingerprint, '[0-9A-F]{8}$', '0000FFFF')",
];

describe.each([
  ['restored from a dump', restoredElsewhere],
  ['failed over', failedOver],
])(`a database that was %s, on ${engine}`, (_what, happening) => {
  let database: TestDatabase;
  let gateway: TestGateway;
  beforeAll(async () => {
    database = await testDatabase();
    gateway = await startTestGateway({ database });
  });
  afterAll(async () => {
    await gateway.stop();
    await database.drop();
  });
  const labels = async () => {
    const { data } = await gateway.run(LIST);
    return data.activity.edges.map((edge: { node: { resource: { label: string } } }) => edge.node.resource.label);
  };

  test('answers cursors from before with CURSOR_EXPIRED, and loses no entry', async () => {
    await gateway.sql(insertEntries, [3]);
    await until('the entries are below the horizon', async () => (await labels()).length === 3);
    const before = await gateway.run(LIST);
    const { cursor } = before.data.activity.edges[1];
    const { id: first } = await establishIncarnation(gateway.gateway.services.kysely as never);
    for (const statement of happening) await gateway.sql(statement);
    gateway = await restart(gateway, database, {});

    const { id: second } = await establishIncarnation(gateway.gateway.services.kysely as never);
    expect(second).not.toBe(first);
    expect((await gateway.run(ActivityDocument, { after: cursor })).errors?.[0].extensions.code).toBe('CURSOR_EXPIRED');
    const refused = await gateway.subscribe(FEED, { after: cursor });
    expect((await refused.next()).errors[0].extensions.code).toBe('CURSOR_EXPIRED');
    await refused.end();

    await gateway.sql(insertEntries, [2]);
    await until('the new entries are below the horizon', async () => (await labels()).length === 5);
    // The old ones first, in their order; the new ones after them.
    expect(await labels()).toEqual(['1', '2', '3', '1', '2']);
    const { edges } = (await gateway.run(LIST)).data.activity;
    const stream = await gateway.subscribe(FEED, { after: edges[1].cursor });
    const heard = [];
    for (const edge of edges.slice(2)) heard.push([await stream.nextOf('ActivityRecorded'), edge]);
    for (const [message, edge] of heard) expect([message.cursor, message.entry]).toEqual([edge.cursor, edge.node]);
    await stream.end();
  });

  test('is not taken for another one at the next start', async () => {
    const { id } = await establishIncarnation(gateway.gateway.services.kysely as never);
    gateway = await restart(gateway, database, {});
    expect(gateway.gateway.services.feedCursors.incarnation).toBe(id);
  });
});

describe(`a log that was put back, on ${engine}`, () => {
  test('a cursor whose entry is gone is CURSOR_EXPIRED, though it bears our signature', async () => {
    const database = await testDatabase();
    let gateway = await startTestGateway({ database });
    try {
      await gateway.sql(insertEntries, [2]);
      await until('both are below the horizon', async () => (await gateway.run(LIST)).data.activity.edges.length === 2);
      const { cursor } = (await gateway.run(LIST)).data.activity.edges[1];
      await gateway.sql('alter table activity_entries disable trigger user');
      await gateway.sql("delete from activity_entries where resource_label = '2'");
      await gateway.sql('alter table activity_entries enable trigger user');
      gateway = await restart(gateway, database, {});
      const stream = await gateway.subscribe(FEED, { after: cursor });
      expect((await stream.next()).errors[0].extensions.code).toBe('CURSOR_EXPIRED');
      await stream.end();
    } finally {
      await gateway.stop();
    }
  });

  test('a stream that is open when the feed finds another database ends with CURSOR_EXPIRED', async () => {
    const gateway = await startTestGateway();
    try {
      await gateway.sql(insertEntries, [1]);
      const stream = await gateway.subscribe(FEED);
      await stream.nextOf('FeedCaughtUp');
      for (const statement of failedOver) await gateway.sql(statement);
      // The database goes away under the feed's reader, and another one answers in its place.
      await gateway.sql('alter table activity_entries rename to activity_entries_away');
      await until('the feed has noticed', () => gateway.log.some((line) => line.includes('the feed could not read')));
      await gateway.sql('alter table activity_entries_away rename to activity_entries');
      // Whatever was committed before comes first.
      const told = async (): Promise<{ extensions: { code: string } } | undefined> => {
        try {
          return (await stream.next()) === undefined ? undefined : await told();
        } catch (errors) {
          return (errors as { extensions: { code: string } }[])[0];
        }
      };
      expect((await told())?.extensions.code).toBe('CURSOR_EXPIRED');
      await stream.end();
    } finally {
      await gateway.stop();
    }
  });
});
