import { afterEach, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { holdReads } from '../support/held-reads.js';
import { openLine } from '../support/line.js';
import { metricOf } from '../support/metrics.js';
import { openAcknowledged, openRaw } from '../support/raw-socket.js';
import { settled } from '../support/software.js';
import { until } from '../support/until.js';

const VIEWER = '{ viewer { userPrincipalName } }';
const CUSTOMERS = '{ customers(first: 1) { nodes { id } } }';
/** Subscriptions that differ by an alias alone. */
const feed = (alias: string) => `subscription { ${alias}: activity { __typename } }`;
const subscribe = (query: string, id = '1') => ({ id, type: 'subscribe', payload: { query } });

let gateway: TestGateway;
let isStopped = false;
const start = async (...options: Parameters<typeof startTestGateway>) => {
  gateway = await startTestGateway(...options);
  isStopped = false;
};
afterEach(async () => {
  if (!isStopped) await gateway.stop();
});

const refused = (bound: string) => gateway.gateway.services.refusals.counts.get(bound) ?? 0;
const user = (name: string) => gateway.token('GLOBAL_ADMIN', { user: `${name}@partner.example` });

const ask = (query: string, token: string | null) => gateway.run(query, {}, token === null ? null : { token });

describe(`what a caller may hold, on ${engine}`, () => {
  test('sockets of a user: one more is told to come back later, and does', async () => {
    await start({ bounds: { socketsPerUser: 2 } });
    const [first, second] = [
      await openAcknowledged(gateway, await user('a')),
      await openAcknowledged(gateway, await user('a')),
    ];
    const third = await openRaw(gateway);
    third.send({ type: 'connection_init', payload: { authorization: `Bearer ${await user('a')}` } });
    expect(await third.closed).toEqual({
      code: 1013,
      reason: 'A user may have 2 WebSockets at once. Wait until one has ended, or end one.',
    });
    expect(refused('socketsPerUser')).toBe(1);
    const other = await openAcknowledged(gateway, await user('b'));
    const token = await user('a');
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 100,
      retryWait: () => until('one has ended', () => second.socket.readyState === second.socket.CLOSED),
      on: { closed: () => second.socket.close() },
    });
    const { value } = await client.iterate({ query: VIEWER }).next();
    expect(value).toMatchObject({ data: { viewer: { userPrincipalName: 'a@partner.example' } } });
    await client.dispose();
    for (const { socket } of [first, other]) socket.terminate();
  });

  test('sockets of an address: without a token they count for it; beyond its own bound no handshake is taken', async () => {
    await start({ bounds: { socketsPerUser: 2, socketsPerAddress: 4 } });
    const nobodies = [await openAcknowledged(gateway, null), await openAcknowledged(gateway, null)];
    const third = await openRaw(gateway);
    third.send({ type: 'connection_init' });
    expect(await third.closed).toMatchObject({
      code: 1013,
      reason: expect.stringContaining('An address without a token may have 2'),
    });
    await until('it is gone', async () => (await metricOf(gateway, 'csp_graph_sockets')) === 2);
    // Sockets that nobody has introduced count too.
    const silent = [await openRaw(gateway), await openRaw(gateway)];
    await expect(openRaw(gateway)).rejects.toThrow('429');
    expect(refused('socketsPerAddress')).toBe(1);
    silent[0]?.socket.close();
    await silent[0]?.closed;
    await until('it is gone', async () => (await metricOf(gateway, 'csp_graph_sockets')) === 3);
    const next = await openAcknowledged(gateway, await user('a'));
    for (const { socket } of [...nobodies, ...silent, next]) socket.terminate();
  });

  test('operations of a user, over all transports; the bound is told in words, and others go on', async () => {
    await start({ bounds: { operationsPerUser: 3 } });
    const [a, b] = [await user('a'), await user('b')];
    for (const token of [a, b]) expect((await ask(VIEWER, token)).status).toBe(200);
    // A document that is known waits for no turn.
    expect((await ask(CUSTOMERS, b)).status).toBe(200);
    const [raw, other] = [await openAcknowledged(gateway, a), await openAcknowledged(gateway, a)];
    const release = await holdReads(gateway);
    // Each may find the places taken by the one that looks whether they are there.
    const held = async () => {
      for (;;) {
        const answer = await ask(CUSTOMERS, a);
        if (answer.status !== 429) return answer;
      }
    };
    const heldOverSocket = async () => {
      for (let at = 0; ; at += 1) {
        other.send(subscribe(CUSTOMERS, `held${at}`));
        const answer = await other.next();
        if (answer.type !== 'error') return answer;
      }
    };
    const asked = [held(), held()];
    const overSocket = heldOverSocket();
    const error = {
      message: 'A user may have 3 operations at once. Wait until one has ended, or end one.',
      extensions: { code: 'LIMIT_EXCEEDED', limit: 'operationsPerUser' },
    };
    // One that is refused says that the others are there.
    let answer = await ask(VIEWER, a);
    await until('the three are there', async () => {
      if (answer.status === 200) answer = await ask(VIEWER, a);
      return answer.status === 429;
    });
    expect(answer.errors).toEqual([error]);
    expect(answer.headers.get('retry-after')).toBe('1');
    raw.send(subscribe(VIEWER, 'beyond'));
    expect(await raw.next()).toEqual({ id: 'beyond', type: 'error', payload: [error] });
    expect((await ask('{ __typename }', b)).status).toBe(200);
    expect(refused('operationsPerUser')).toBeGreaterThanOrEqual(2);
    await release();
    for (const { status } of await Promise.all(asked)) expect(status).toBe(200);
    expect(await overSocket).toMatchObject({ type: 'next', payload: { data: { customers: expect.anything() } } });
    await other.next();
    expect((await ask(VIEWER, a)).status).toBe(200);
    for (const { socket } of [raw, other]) socket.terminate();
  });

  test('operations of an address, apart those of users who are known; who watches the gateway is answered all the same', async () => {
    await start({ bounds: { operationsPerAddress: 1 } });
    const [token, another] = [await user('a'), await user('b')];
    for (const known of [token, another]) expect((await ask(VIEWER, known)).status).toBe(200);
    const refusedTo = async (whom: string | null) => {
      let answer = await ask('{ __typename }', whom);
      await until('it is there', async () => {
        if (answer.status === 200) answer = await ask('{ __typename }', whom);
        return answer.status === 429;
      });
      expect(answer.errors).toMatchObject([{ extensions: { limit: 'operationsPerAddress' } }]);
      expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
    };
    for (const [holder, query, same, other] of [
      [token, CUSTOMERS, another, null],
      [null, '{ markets { code } }', null, token],
    ] as const) {
      const release = await holdReads(gateway);
      const held = ask(query, holder);
      await refusedTo(same);
      expect((await ask('{ __typename }', other)).status).toBe(200);
      await release();
      expect((await held).status).toBe(200);
    }
  });

  test('different subscriptions of a user, over sockets and event streams; the same one, however often, is one', async () => {
    await start({ bounds: { subscriptionsPerUser: 2, streamsPerUser: 4 } });
    const as = { token: await user('a') };
    const [one, other] = [await openAcknowledged(gateway, as.token), await openAcknowledged(gateway, as.token)];
    const begins = async (raw: typeof one, alias: string, id: string) => {
      raw.send(subscribe(feed(alias), id));
      return raw.next();
    };
    expect(await begins(one, 'a', '1')).toMatchObject({ id: '1', type: 'next' });
    const events = await openEvents(gateway, { query: feed('b'), as });
    await events.nextOf('FeedCaughtUp');
    const limit = (bound: string) => ({ extensions: { code: 'LIMIT_EXCEEDED', limit: bound } });
    expect(await begins(other, 'c', '1')).toMatchObject({ type: 'error', payload: [limit('subscriptionsPerUser')] });
    const refusedEvents = await openEvents(gateway, { query: feed('d'), as });
    expect((await refusedEvents.next())?.data.errors).toMatchObject([limit('subscriptionsPerUser')]);
    expect(await begins(other, 'a', '2')).toMatchObject({ type: 'next' });
    expect(await begins(other, 'b', '3')).toMatchObject({ type: 'next' });
    expect(await begins(other, 'a', '4')).toMatchObject({ type: 'error', payload: [limit('streamsPerUser')] });
    expect(await metricOf(gateway, 'csp_graph_feed_shared_subscriptions')).toBe(2);
    // Somebody else has the same ones, and others.
    const somebody = await openAcknowledged(gateway, await user('b'));
    expect(await begins(somebody, 'a', '1')).toMatchObject({ type: 'next' });
    expect(await begins(somebody, 'e', '2')).toMatchObject({ type: 'next' });
    one.send({ id: '1', type: 'complete' });
    other.send({ id: '2', type: 'complete' });
    await until('they are over', async () => (await metricOf(gateway, 'csp_graph_feed_subscribers')) === 4);
    expect(await begins(other, 'c', '5')).toMatchObject({ type: 'next' });
    events.end();
    for (const { socket } of [one, other, somebody]) socket.terminate();
  });

  test('event streams of a user', async () => {
    await start({ bounds: { eventStreamsPerUser: 1 } });
    const as = { token: await user('a') };
    const first = await openEvents(gateway, { query: feed('a'), as });
    await first.nextOf('FeedCaughtUp');
    const second = await openEvents(gateway, { query: feed('a'), as });
    expect((await second.next())?.data.errors).toMatchObject([{ extensions: { limit: 'eventStreamsPerUser' } }]);
    first.end();
    await until('it is gone', async () => (await metricOf(gateway, 'csp_graph_event_streams')) === 0);
    const third = await openEvents(gateway, { query: feed('a'), as });
    await third.nextOf('FeedCaughtUp');
    third.end();
  });

  test('a subscription is not kept however large it is', async () => {
    await start();
    const raw = await openAcknowledged(gateway, await user('a'));
    raw.send(subscribe(`${feed('a')} # ${'x'.repeat(70_000)}`));
    expect(await raw.next()).toMatchObject({ type: 'error', payload: [{ extensions: { limit: 'subscriptionSize' } }] });
    expect(refused('subscriptionSize')).toBe(1);
    raw.socket.terminate();
  });

  test('large answers that wait: who takes none gets no further ones, others do', async () => {
    await start({ bounds: { answerBytesPerUser: 8 * 2 ** 20 } });
    await gateway.sql(
      `insert into activity_entries (id, action, outcome, actor, actor_role, resource_type, resource_id, resource_label, correlation_id, detail)
       values (gen_random_uuid(), 'PRODUCT_KEY_REVEALED', 'SUCCEEDED', 'a@partner.example', 'ADMIN_AGENT', 'ENTITLEMENT', 'ent',
         repeat('x', 7 * 1024 * 1024), gen_random_uuid(), '{"version": "2022"}')`,
    );
    await settled(gateway);
    const LARGE = '{ activity(last: 1) { nodes { resource { label } } } }';
    const full = { errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'answerBytes' } }] };
    const token = await user('a');
    const { socket: http } = await openLine(gateway);
    const body = JSON.stringify({ query: LARGE });
    http.write(
      `POST /graphql HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    // It begins to arrive, and is read no further.
    await new Promise<void>((resolve) =>
      http.once('data', () => {
        http.pause();
        resolve();
      }),
    );
    expect(await ask(LARGE, token)).toMatchObject({ status: 429, ...full });
    expect((await ask(LARGE, await user('b'))).errors).toBeUndefined();
    http.destroy();
    await until('it is given back', async () => (await ask(LARGE, token)).status === 200);

    const slow = [await openAcknowledged(gateway, token), await openAcknowledged(gateway, token)];
    for (const { socket, send } of slow) {
      socket.pause();
      send(subscribe(LARGE));
    }
    const other = await openAcknowledged(gateway, token);
    let asked = 0;
    const isRefused = async () => {
      asked += 1;
      const id = String(asked);
      other.send(subscribe(VIEWER, id));
      const { payload } = await other.next();
      expect(await other.next()).toEqual({ id, type: 'complete' });
      return payload.errors?.[0].extensions.limit === 'answerBytes';
    };
    await until('they wait', isRefused);
    for (const { socket } of slow) socket.terminate();
    await until('they are given back', async () => (await ask(LARGE, token)).status === 200);
    other.socket.terminate();
    expect(refused('answerBytes')).toBeGreaterThan(1);
  });

  test('connections of an address, unless it is a trusted proxy’s', async () => {
    await start({ bounds: { connectionsPerAddress: 2 } });
    const lines = [await openLine(gateway), await openLine(gateway)];
    await (await openLine(gateway)).closed;
    expect(refused('connectionsPerAddress')).toBe(1);
    lines[0]?.socket.destroy();
    await until(
      'there is room',
      async () => (await fetch(`${gateway.url}/health/live`).catch(() => null))?.ok === true,
    );
    lines[1]?.socket.destroy();
    await gateway.stop();
    await start({ bounds: { connectionsPerAddress: 2 }, config: { trustedProxies: ['127.0.0.1'] } });
    const proxied = [
      await openLine(gateway),
      await openLine(gateway),
      await openLine(gateway, 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n'),
    ];
    await until('it is answered', () => proxied[2]?.heard().startsWith('HTTP/1.1 200') === true);
    for (const { socket } of proxied) socket.destroy();
  });

  test('connections of the process: one more is closed at once', async () => {
    await start({ bounds: { connections: 2 } });
    const lines = [await openLine(gateway), await openLine(gateway)];
    const third = await openLine(gateway);
    await third.closed;
    expect(refused('connections')).toBe(1);
    for (const { socket } of lines) socket.destroy();
  });
});
