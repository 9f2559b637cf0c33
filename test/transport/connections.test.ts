import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { holdReads } from '../support/held-reads.js';
import { openLine } from '../support/line.js';
import { metricOf } from '../support/metrics.js';
import { answersIn } from '../support/raw-http.js';
import { openAcknowledged, openRaw } from '../support/raw-socket.js';
import { until } from '../support/until.js';

const VIEWER = '{ viewer { userPrincipalName } }';
const CUSTOMERS = '{ customers(first: 1) { nodes { id } } }';
const LARGE =
  'query { a: __schema { ...T } b: __schema { ...T } c: __schema { ...T } d: __schema { ...T } } fragment T on __Schema { types { name description fields { name description args { name description } } } }';
/** Pings of 4 KB that are answered with more than the kernel takes of a line. */
const PINGS = 3_000;
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

const HANDSHAKE =
  'GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n';

const ask = (query: string, token: string | null) => gateway.run(query, {}, token === null ? null : { token });

describe(`what a client does not take, on ${engine}`, () => {
  test('stays on its side of the line: who pings at length and reads nothing is read no further, and then closed', async () => {
    await start({ config: { socketPingMs: 5_000 } });
    let [most, isOver] = [0, false];
    const watched = (async () => {
      while (!isOver) {
        most = Math.max(most, await metricOf(gateway, 'csp_graph_sockets_backlog_bytes'));
        // Metrics keep the process busy, and messages are taken in turns of its loop.
        await setTimeout(25);
      }
    })();
    const payload = { filler: 'x'.repeat(4_000) };
    const sockets = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const { socket } = await openAcknowledged(gateway, null);
        socket.pause();
        for (let count = 0; count < PINGS; count += 1) socket.send(JSON.stringify({ type: 'ping', payload }));
        return socket;
      }),
    );
    // Pongs that answer no ping of ours.
    const pongs = setInterval(() => {
      for (const socket of sockets) socket.pong();
    }, 50);
    await until('answers wait', () => most > 0);
    await until('they are closed', async () => (await metricOf(gateway, 'csp_graph_sockets')) === 0);
    isOver = true;
    await watched;
    clearInterval(pongs);
    // A message beyond the 64 KiB of each, and what its chunk brought with it.
    expect(most).toBeLessThan(4 * 700_000);
    for (const socket of sockets) socket.terminate();
  });

  test('whoever reads gets every answer, however much was sent at once', async () => {
    await start();
    const raw = await openAcknowledged(gateway, null);
    const payload = { filler: 'x'.repeat(4_000) };
    raw.socket.pause();
    for (let count = 0; count < PINGS; count += 1) raw.send({ type: 'ping', payload: { ...payload, count } });
    for (let id = 0; id < 40; id += 1) raw.send(subscribe(LARGE, `${id}`));
    await until('answers wait', async () => (await metricOf(gateway, 'csp_graph_sockets_backlog_bytes')) > 65_536);
    raw.socket.resume();
    for (let count = 0; count < PINGS; count += 1)
      expect(await raw.next()).toMatchObject({ type: 'pong', payload: { count } });
    for (let answers = 0; answers < 40; ) if ((await raw.next()).type === 'next') answers += 1;
    raw.socket.terminate();
  });

  test('operations that wait for their turn are not read on either', async () => {
    await start();
    const token = await user('waits');
    const raw = await openAcknowledged(gateway, token);
    const release = await holdReads(gateway);
    const query = `${CUSTOMERS} # ${'x'.repeat(100_000)}`;
    for (let id = 0; id < 40; id += 1) raw.send(subscribe(query, `${id}`));
    const running = () =>
      gateway.gateway.services.sessions['open' as never] as unknown as Map<
        string,
        { figures: () => { operations: number } }
      >;
    const operations = () => [...running().values()].reduce((sum, session) => sum + session.figures().operations, 0);
    await until('some of them wait', () => operations() >= 3);
    for (let look = 0; look < 20; look += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(operations()).toBeLessThan(10);
    await release();
    for (let answers = 0; answers < 40; ) if ((await raw.next()).type === 'next') answers += 1;
    raw.socket.terminate();
  });

  test('is cut off over HTTP, and counted; who waits itself is not', async () => {
    await start({ bounds: { stalledTimeoutMs: 200 }, config: { feedCheckpointMs: 1_000 } });
    const quiet = await openEvents(gateway, { query: feed('a') });
    await quiet.nextOf('FeedCaughtUp');
    const request = `GET /graphql?query=${encodeURIComponent(LARGE)} HTTP/1.1\r\nhost: x\r\napollo-require-preflight: 1\r\nauthorization: Bearer ${await user('a')}\r\n\r\n`;
    const stalled = await openLine(gateway, request.repeat(100));
    stalled.socket.pause();
    await until('it is cut off', () => refused('stalled') > 0);
    stalled.socket.resume();
    await stalled.closed;
    // It comes long after the bound.
    await quiet.nextOf('FeedCheckpoint');
    quiet.end();
  });
});

describe(`how long the other end may take, on ${engine}`, () => {
  test('for a request: a silent connection, half a head, half a handshake, half a body', async () => {
    await start({ bounds: { headersTimeoutMs: 300, requestTimeoutMs: 600 } });
    const upload =
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{';
    const lines = [
      await openLine(gateway),
      await openLine(gateway, 'GET / HTT'),
      await openLine(gateway, HANDSHAKE),
      await openLine(gateway, upload),
    ];
    // A body that comes a byte at a time gains nothing by it.
    const trickled = await openLine(gateway, upload);
    const trickle = setInterval(() => trickled.socket.write(' '), 50);
    await Promise.all([...lines, trickled].map(({ closed }) => closed));
    clearInterval(trickle);
    expect(lines[3]?.heard()).toMatch(/^HTTP\/1\.1 408 /);
    expect((await ask(VIEWER, null)).status).toBe(200);
  });

  test('for an introduction, and for the answer to a close', async () => {
    await start({ bounds: { connectionInitTimeoutMs: 100, closeTimeoutMs: 100 } });
    expect(await (await openRaw(gateway)).closed).toMatchObject({ code: 4408 });
    // It says no word after the handshake, and answers no close.
    const { closed } = await openLine(gateway, `${HANDSHAKE}\r\n`);
    await closed;
    await until('nothing is left of it', async () => (await metricOf(gateway, 'csp_graph_sockets')) === 0);
  });

  test('to stop: connections on which nothing runs do not hold it up', async () => {
    await start({ config: { drainTimeoutMs: 600_000 } });
    const lines = [await openLine(gateway), await openLine(gateway, 'GET / HTT'), await openLine(gateway, HANDSHAKE)];
    await ask(VIEWER, null);
    isStopped = true;
    await gateway.stop();
    await Promise.all(lines.map(({ closed }) => closed));
  });
});

describe(`a client that leaves, on ${engine}`, () => {
  test('while it is looked at who it is gives its place back', async () => {
    await start({ bounds: { operationsPerUser: 1, operationsPerAddress: 10 } });
    const token = await user('gone');
    const release = await holdReads(gateway, 'known_users');
    const body = JSON.stringify({ query: VIEWER });
    for (let times = 0; times < 20; times += 1) {
      const { socket, closed } = await openLine(
        gateway,
        `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      // What came before on the same event loop has been heard once this is answered: the request, and that it is over.
      expect((await ask('{ __typename }', null)).status).toBe(200);
      socket.destroy();
      await closed;
      expect((await ask('{ __typename }', null)).status).toBe(200);
    }
    await release();
    expect(await ask(VIEWER, token)).toMatchObject({ status: 200 });
    expect(refused('operationsPerUser') + refused('operationsPerAddress')).toBe(0);
  });
});

test('a request that comes while the gateway stops is told so, as operations are told of errors', async () => {
  await start();
  const body = JSON.stringify({ query: '{ viewer { roles } }' });
  const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  // One that is under way keeps its connection open: it has been seen where the one before it is answered.
  const line = await openLine(gateway, `${head}${body}${head}${body.slice(0, 9)}`);
  await until('the first is answered', () => line.heard().includes('"data"'));
  isStopped = true;
  const stopped = gateway.stop();
  await until('nobody else gets in', async () =>
    fetch(`${gateway.url}/health/live`).then(
      () => false,
      () => true,
    ),
  );
  line.socket.write(`${body.slice(9)}${head}${body}`);
  await line.closed;
  await stopped;
  const answers = answersIn(line.heard());
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 503]);
  expect(answers[2]?.headers).toMatchObject({ 'retry-after': '1', 'content-type': 'application/json; charset=utf-8' });
  expect(JSON.parse(answers[2]?.body ?? '')).toEqual({
    errors: [{ message: expect.stringContaining('stopping'), extensions: { code: 'UNAVAILABLE', retryAfter: 1 } }],
  });
});
