import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AbortFlag } from '../../src/lib/abort-flag.js';
import { Turns } from '../../src/lib/turns.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { until } from '../support/until.js';

/** What is sent at once, over what its client then leaves. */
interface Leaving {
  count: number;
  send(): unknown;
  leave(): unknown;
}

describe(`what is asked by a client that has gone is not begun, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const user = 'gone@partner.example';
  const known = () => metricOf(gateway, 'csp_graph_documents');
  const documents = Array.from({ length: 8 }, (_, index) => `{ gone${index}: viewer { roles } }`);
  const subscriptions = documents.map((_, index) => `subscription { gone${index}: activity { __typename } }`);

  test.each<[string, (token: string) => Promise<Leaving>]>([
    [
      'operations of a socket',
      async (token) => {
        const raw = await openAcknowledged(gateway, token);
        return {
          count: documents.length,
          send: () => {
            for (const query of documents) raw.send({ id: query, type: 'subscribe', payload: { query } });
          },
          leave: () => raw.socket.terminate(),
        };
      },
    ],
    [
      'an operation that its client completes',
      async (token) => {
        const raw = await openAcknowledged(gateway, token);
        const [query = ''] = subscriptions;
        return {
          count: 1,
          send: () => raw.send({ id: 'completed', type: 'subscribe', payload: { query } }),
          leave: () => raw.send({ id: 'completed', type: 'complete' }),
        };
      },
    ],
    [
      'event streams',
      async (token) => {
        const leaving = new AbortController();
        return {
          count: subscriptions.length,
          send: () => {
            for (const query of subscriptions)
              void fetch(`${gateway.url}/graphql/stream?${new URLSearchParams({ query })}`, {
                headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
                signal: leaving.signal,
              }).catch(() => undefined);
          },
          leave: () => leaving.abort(),
        };
      },
    ],
    [
      'requests',
      async (token) => {
        const { hostname, port } = new URL(gateway.url);
        const socket = connect(Number(port), hostname);
        await once(socket, 'connect');
        const requests = documents.map((query) => {
          const body = JSON.stringify({ query });
          return `POST /graphql HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
        });
        return {
          count: documents.length,
          send: () => socket.write(requests.join('')),
          leave: () => socket.destroy(),
        };
      },
    ],
  ])('%s that wait for their turn', async (_what, ask) => {
    const { turns } = gateway.gateway.services;
    const takeOnce = turns.takeOnce.bind(turns);
    const hold = Promise.withResolvers<void>();
    const waiting: (AbortFlag | undefined)[] = [];
    const token = await gateway.token('GLOBAL_ADMIN', { user });
    const { count, send, leave } = await ask(token);
    turns.takeOnce = async (...asked) => {
      waiting.push(asked[3]);
      await hold.promise;
      return takeOnce(...asked);
    };
    send();
    await until('all wait', () => waiting.length === count);
    const before = await known();
    leave();
    await until('the gateway has heard that they have gone', () => waiting.every((abort) => abort?.aborted));
    turns.takeOnce = takeOnce;
    hold.resolve();
    // Its turn comes after theirs.
    const { data } = await gateway.run(`{ after${before}: viewer { roles } }`, {}, { token });
    expect(data).toEqual({ [`after${before}`]: { roles: ['GLOBAL_ADMIN'] } });
    expect(await known()).toBe(before + 1);
  });
});

test('what waits for a turn and has gone takes none; whoever waits for the same goes on in its place', async () => {
  const turns = new Turns();
  const done: string[] = [];
  const piece = async (name: string, abort?: AbortFlag) => {
    await turns.takeOnce('a', 'the same', () => false, abort);
    done.push(name);
  };
  const [first, second] = [new AbortFlag(), new AbortFlag()];
  const all = [piece('first', first), piece('second', second), piece('third')];
  first.abort();
  second.abort();
  await all[2];
  expect(done).toEqual(['first', 'second', 'third']);
  await turns.take('a', first);
  await turns.take('a');
});
