import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-sse';
import { FeedCursors } from '../../src/activity-log/feed-cursors.js';
import { START } from '../../src/activity-log/position.js';
import { engine } from '../support/database.js';
import { insertEntries } from '../support/entries.js';
import { type OpenEvents, openEvents, type RawEvents } from '../support/event-stream.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/until.js';
import { come } from '../support/users.js';

const FEED = `subscription ($after: String, $filter: ActivityFilter) { activity(after: $after, filter: $filter) { __typename
  ... on FeedMessage { cursor } ... on ActivityRecorded { entry { action resource { label } } }
  ... on AccessChanged { message } } }`;
/** Cursors alone need no read for each event. */
const CURSORS =
  'subscription ($after: String) { activity(after: $after) { __typename ... on ActivityRecorded { cursor } } }';
/** The same in messages of 3 kB, so that what a slow line has not taken does not fit into the system's buffers. */
const WIDE = `subscription ($after: String) { activity(after: $after) { __typename ... on ActivityRecorded { cursor
  ${Array.from({ length: 30 }, (_, at) => `c${at}: cursor`).join(' ')} } } }`;
const REVOKE = 'mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }';

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => String(from + at));
const labelOf = ({ message }: { message: { entry: { resource: { label: string } } } }) => message.entry.resource.label;
async function recorded(stream: RawEvents, count: number) {
  const events: Awaited<ReturnType<RawEvents['nextOf']>>[] = [];
  while (events.length < count) events.push(await stream.nextOf('ActivityRecorded'));
  return events;
}

describe(`event streams, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const open = (options: Partial<OpenEvents> = {}) => openEvents(gateway, { query: FEED, ...options });
  const insert = (count: number) => gateway.sql(insertEntries, [count]);
  const gauge = async (name: string) =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await (await fetch(`${gateway.url}/metrics`)).text())?.[1]);
  const isReleased = () =>
    until(
      'nothing is held',
      async () => (await gauge('csp_graph_event_streams')) + (await gauge('csp_graph_feed_waiters')) === 0,
    );
  const start = () => gateway.gateway.services.feedCursors.encode({ xid: '0', seq: '0' });
  /** A cursor at which nothing is before the test. */
  const now = async () => {
    const stream = await open();
    const { id } = await stream.nextOf('FeedCaughtUp');
    stream.end();
    return id as string;
  };
  /** What refuses a stream: its only event before it is complete. */
  const refusal = async (stream: RawEvents) => {
    const first = await stream.next();
    expect([stream.status, first?.event, first?.id]).toEqual([200, 'next', undefined]);
    expect(await stream.next()).toEqual({ event: 'complete', id: undefined, data: null });
    expect(await stream.next()).toBeUndefined();
    return first?.data.errors[0];
  };

  test('tells history, says that it is over, goes on live; each message bears its cursor as id', async () => {
    const after = await now();
    await insert(3);
    await until('they are read', async () => (await now()) !== after);
    const stream = await open({ variables: { after } });
    const replay = await recorded(stream, 3);
    expect(replay.map(labelOf)).toEqual(numbers(1, 3));
    const caughtUp = await stream.nextOf('FeedCaughtUp');
    expect(caughtUp.id).toBe(replay[2]?.id);
    await insert(2);
    const live = await recorded(stream, 2);
    expect(live.map(labelOf)).toEqual(numbers(1, 2));
    for (const { id, message } of [...replay, caughtUp, ...live]) expect(id).toBe(message.cursor);
    stream.end();
    await isReleased();
  });

  test('is not buffered, kept or changed on the way', async () => {
    const stream = await open();
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-correlation-id': expect.any(String),
      'x-content-type-options': 'nosniff',
    });
    expect(stream.headers['content-encoding']).toBeUndefined();
    await stream.nextOf('FeedCaughtUp');
    stream.end();
  });

  test.each<[string, string, (old: string) => Record<string, unknown>]>([
    ['without a cursor', FEED, () => ({})],
    ['over a variable', FEED, (old) => ({ after: old })],
    ['over a literal', 'literal', () => ({})],
  ])('Last-Event-ID says where to go on, %s', async (_name, query, variables) => {
    const old = await now();
    await insert(4);
    const first = await open({ variables: { after: old } });
    const [, second] = await recorded(first, 2);
    first.end();
    for (const method of ['GET', 'POST'] as const) {
      const resumed = await open({
        method,
        query: query === 'literal' ? FEED.replaceAll('$after: String, ', '').replace('$after', `"${old}"`) : query,
        variables: variables(old),
        lastEventId: second?.id as string,
      });
      expect((await recorded(resumed, 2)).map(labelOf)).toEqual(numbers(3, 4));
      resumed.end();
    }
  });

  test('a filter is the one of the graph', async () => {
    const after = await now();
    const stream = await open({ variables: { after, filter: { actions: ['ACCESS_REVOKED'] } } });
    await insert(2);
    await come(gateway, 'nobody@partner.example');
    await gateway.run(REVOKE, { input: { userPrincipalName: 'nobody@partner.example' } });
    expect((await stream.nextOf('ActivityRecorded')).message.entry.action).toBe('ACCESS_REVOKED');
    stream.end();
  });

  test('a stream that was cut goes on by Last-Event-ID, with nothing lost or repeated', async () => {
    const after = await now();
    const heard: string[] = [];
    let lastEventId: string | undefined = after;
    for (let round = 0; round < 20; round += 1) {
      const stream = await open({ ...(lastEventId ? { lastEventId } : {}) });
      await insert(3);
      for (const event of await recorded(stream, 1 + (round % 3))) {
        heard.push(labelOf(event));
        lastEventId = event.id;
      }
      stream.end();
    }
    const rest = await open({ ...(lastEventId ? { lastEventId } : {}) });
    while (heard.length < 60) heard.push(labelOf(await rest.nextOf('ActivityRecorded')));
    rest.end();
    expect(heard).toEqual(Array.from({ length: 20 }, () => numbers(1, 3)).flat());
    await isReleased();
  });

  test('refusals are told as the only event', async () => {
    const foreign = new FeedCursors(new Uint8Array(32), '6f1d3c5e-0000-4000-8000-000000000000').encode({
      xid: '1',
      seq: '1',
    });
    expect(await refusal(await open({ variables: { after: 'nonsense' } }))).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', field: 'after' },
    });
    expect(await refusal(await open({ lastEventId: 'nonsense' }))).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', field: 'after' },
    });
    expect(await refusal(await open({ lastEventId: foreign }))).toMatchObject({
      extensions: { code: 'CURSOR_EXPIRED' },
    });
    expect(await refusal(await open({ as: 'SALES_AGENT' }))).toMatchObject({ extensions: { code: 'FORBIDDEN' } });
    expect(await refusal(await open({ as: null }))).toMatchObject({ extensions: { code: 'UNAUTHENTICATED' } });
    expect(await refusal(await open({ query: '{' }))).toMatchObject({ extensions: { code: 'GRAPHQL_PARSE_FAILED' } });
    expect(await refusal(await open({ query: 'subscription { nothing }' }))).toMatchObject({
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
    });
    const aliases = Array.from({ length: 31 }, (_, at) => `c${at}: cursor`).join(' ');
    expect(
      await refusal(await open({ query: `subscription { activity { ... on FeedCaughtUp { ${aliases} } } }` })),
    ).toMatchObject({ extensions: { code: 'LIMIT_EXCEEDED', limit: 'aliases' } });
    await isReleased();
  });

  test('queries and mutations have their own address', async () => {
    for (const method of ['GET', 'POST'] as const) {
      for (const query of [
        '{ __typename }',
        'mutation { revokeAccess(input: {userPrincipalName: "a@b.example"}) { __typename } }',
      ]) {
        expect(await refusal(await open({ query, method }))).toEqual({
          message: 'Only subscriptions are streamed here. Send the rest to /graphql.',
          extensions: { code: 'BAD_REQUEST' },
        });
      }
    }
  });

  test('what is no request for an event stream has its status and a code', async () => {
    const told = async (stream: RawEvents) => [
      stream.status,
      JSON.parse(await stream.text()).errors[0].extensions.code,
    ];
    expect(await told(await open({ as: { token: 'nonsense' } }))).toEqual([401, 'UNAUTHENTICATED']);
    expect(await told(await open({ headers: { accept: 'application/json' } }))).toEqual([406, 'BAD_REQUEST']);
    expect(await told(await open({ headers: { 'content-type': 'text/plain' } }))).toEqual([415, 'BAD_REQUEST']);
    expect(await told(await open({ query: 'x'.repeat(300_000) }))).toEqual([413, 'LIMIT_EXCEEDED']);
    expect(await told(await open({ variables: [] as never, query: FEED }))).toEqual([400, 'BAD_REQUEST']);
    await isReleased();
  });

  test('a user has so many streams and no more; one that ends makes room', async () => {
    const as = { token: await gateway.token('GLOBAL_ADMIN') };
    const streams = await Promise.all(Array.from({ length: 50 }, () => open({ as })));
    for (const stream of streams) await stream.nextOf('FeedCaughtUp');
    expect(await gauge('csp_graph_event_streams')).toBe(50);
    expect(await refusal(await open({ as }))).toMatchObject({ extensions: { code: 'LIMIT_EXCEEDED' } });
    const other = await open({ as: 'ACCOUNT_ADMIN' });
    await other.nextOf('FeedCaughtUp');
    other.end();
    streams.pop()?.end();
    await until('one has ended', async () => (await gauge('csp_graph_event_streams')) === 49);
    const next = await open({ as });
    await next.nextOf('FeedCaughtUp');
    for (const stream of [...streams, next]) stream.end();
    await isReleased();
  });

  test('whose access is revoked hears AccessChanged and is complete; coming back is refused', async () => {
    const as = { token: await gateway.token('ACCOUNT_ADMIN', { user: 'leaver@partner.example' }) };
    const stream = await open({ as });
    await stream.nextOf('FeedCaughtUp');
    await gateway.run(REVOKE, { input: { userPrincipalName: 'leaver@partner.example' } });
    const { id, message } = await stream.nextOf('AccessChanged');
    expect(message.cursor).toBe(id);
    expect(await stream.next()).toMatchObject({ event: 'complete' });
    expect(await stream.next()).toBeUndefined();
    expect((await open({ as })).status).toBe(401);
    await isReleased();
  });

  test('whose token expires is told, and cut off without complete: a new token goes on', async () => {
    const stream = await open({ as: { token: await gateway.token('GLOBAL_ADMIN', { ttl: '1s' }) } });
    const { id } = await stream.nextOf('FeedCaughtUp');
    expect(await stream.next()).toEqual({
      event: 'next',
      id: undefined,
      data: { errors: [{ message: expect.any(String), extensions: { code: 'TOKEN_EXPIRED', expired: true } }] },
    });
    expect(await stream.next()).toBeUndefined();
    const resumed = await open({ lastEventId: id as string });
    await resumed.nextOf('FeedCaughtUp');
    resumed.end();
    await isReleased();
  });

  test('a slow reader loses nothing, holds nobody up, and nothing is kept for them', async () => {
    const after = await now();
    const slow = await open({ query: WIDE, variables: { after } });
    await slow.nextOf('FeedCaughtUp');
    slow.pause();
    const quick = await open({ query: CURSORS, variables: { after } });
    const total = 8_000;
    await insert(total);
    const ids = (await recorded(quick, total)).map(({ id }) => id);
    quick.end();
    await until('only the slow one is left', async () => (await gauge('csp_graph_event_streams')) === 1);
    // It reads at its own pace; what waits for it is the bound, and the batch that went past it.
    expect(await gauge('csp_graph_feed_subscribers_catching_up')).toBe(1);
    expect(await gauge('csp_graph_event_streams_backlog_bytes')).toBeLessThan(2 * 1024 * 1024);
    slow.resume();
    expect((await recorded(slow, total)).map(({ id }) => id)).toEqual(ids);
    slow.end();
    await isReleased();
  });

  test('a stream that cannot be read for a while says so in the log, and goes on where it was', async () => {
    const { feed } = gateway.gateway.services;
    const { seq } = feed.position;
    // More than memory keeps (feed.ts): the beginning is read from the table.
    await insert(10_001);
    await until('they are read', () => feed.position.seq > seq + 10_000n);
    const [first] = await gateway.sql<{ label: string }>(
      'select resource_label as label from activity_entries order by xid, seq limit 1',
    );
    await gateway.sql('alter table activity_entries rename column product_ids to product_ids_gone');
    const events = await open({ variables: { after: start() } });
    try {
      await until('it is told', () => gateway.log.some((line) => line.includes('a subscriber waits')));
    } finally {
      await gateway.sql('alter table activity_entries rename column product_ids_gone to product_ids');
    }
    expect((await events.nextOf('ActivityRecorded')).message.entry.resource.label).toBe(first?.label);
    events.end();
    await isReleased();
  });

  test("graphql-sse's own client reads it, and leaves nothing behind", async () => {
    const authorization = `Bearer ${await gateway.token('GLOBAL_ADMIN')}`;
    const client = createClient({ url: `${gateway.url}/graphql/stream`, headers: { authorization }, retryAttempts: 0 });
    const messages = client.iterate<{ activity: Record<string, unknown> }>({ query: FEED });
    expect((await messages.next()).value?.data?.activity).toMatchObject({ __typename: 'FeedCaughtUp' });
    await insert(1);
    expect((await messages.next()).value?.data?.activity).toMatchObject({ entry: { resource: { label: '1' } } });
    await messages.return?.(undefined);
    client.dispose();
    await isReleased();
  });
});

describe(`event streams of a gateway that stops, on ${engine}`, () => {
  test('say FeedDraining with a cursor, and end without complete', async () => {
    const gateway = await startTestGateway();
    const streams = await Promise.all(Array.from({ length: 20 }, () => openEvents(gateway, { query: FEED })));
    for (const stream of streams) await stream.nextOf('FeedCaughtUp');
    const stopped = gateway.stop();
    for (const stream of streams) {
      expect((await stream.nextOf('FeedDraining')).id).toEqual(expect.any(String));
      expect(await stream.next()).toBeUndefined();
    }
    await stopped;
  });

  test('one that does not read does not hold the stop up', async () => {
    const gateway = await startTestGateway({ config: { drainTimeoutMs: 300 } });
    const stuck = await openEvents(gateway, { query: WIDE });
    await stuck.nextOf('FeedCaughtUp');
    stuck.pause();
    await gateway.sql(insertEntries, [8_000]);
    const { feed } = gateway.gateway.services;
    await until('they are read', () => feed.position.seq >= 8_000n && feed.position.xid > START.xid);
    await gateway.stop();
    stuck.end();
  });
});
