import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import WebSocket from 'ws';
import { limits } from '../../src/graphql/limits.js';
import { ActivityFeedDocument, PurchaseDocument } from '../generated/graphql.js';
import { engine, serverUrl } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { openAcknowledged, openRaw } from '../support/raw-socket.js';
import { aCustomer, buy, skus, stockShop } from '../support/shop.js';
import { until } from '../support/until.js';

const onServer = serverUrl ? test : test.skip;

const VIEWER = '{ viewer { userPrincipalName roles } }';
const FEED = 'subscription { activity { __typename ... on ActivityRecorded { cursor entry { id action } } } }';
const subscribe = (query: string, variables: object = {}, id = '1', more: object = {}) => ({
  id,
  type: 'subscribe',
  payload: { query, variables, ...more },
});
const init = (token?: string) => ({
  type: 'connection_init',
  ...(token ? { payload: { authorization: `Bearer ${token}` } } : {}),
});

describe(`GraphQL over WebSocket, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
  });
  afterAll(() => gateway.stop());

  /** What one operation on a socket answers, until it is complete. */
  const operate = async (
    role: Parameters<TestGateway['token']>[0] | null,
    query: string,
    variables: object = {},
    more: object = {},
  ) => {
    const raw = await openAcknowledged(gateway, role && (await gateway.token(role)));
    raw.send(subscribe(query, variables, '1', more));
    const message = await raw.next();
    raw.socket.terminate();
    return message;
  };

  describe('closes a socket that breaks the protocol', () => {
    test.each([
      ['text that is no JSON', 'nonsense'],
      ['a list', '[]'],
      ['a message without a type', '{}'],
      ['an unknown type', '{"type":"start"}'],
      ['a message that only servers send', '{"type":"next","id":"1","payload":{}}'],
      ['bytes that are no text', new Uint8Array([0xc0, 0xff, 0x00])],
      [
        'letters of ISO-8859-1 as bytes',
        Buffer.from(JSON.stringify({ type: 'ping', payload: { name: 'M\u00fcller' } }), 'latin1'),
      ],
      ['a subscribe without an id', JSON.stringify({ type: 'subscribe', payload: { query: VIEWER } })],
      ['a subscribe without a query', JSON.stringify({ type: 'subscribe', id: '1', payload: {} })],
      ['a query that is no text', JSON.stringify({ type: 'subscribe', id: '1', payload: { query: 7 } })],
      [
        'variables that are text',
        JSON.stringify({ type: 'subscribe', id: '1', payload: { query: VIEWER, variables: '' } }),
      ],
      ['a payload of connection_init that is text', JSON.stringify({ type: 'connection_init', payload: 'token' })],
    ])('4400: %s', async (_what, message) => {
      const raw = await openRaw(gateway);
      raw.send(message);
      expect(await raw.closed).toEqual({ code: 4400, reason: 'Invalid message received' });
    });

    test('4401: subscribes before it is acknowledged', async () => {
      const raw = await openRaw(gateway);
      raw.send(subscribe(VIEWER));
      expect((await raw.closed).code).toBe(4401);
    });

    test('4401: subscribes before its token is judged, unless that is done in the turn between', async () => {
      const raw = await openRaw(gateway);
      raw.send(init(await gateway.token('GLOBAL_ADMIN')));
      raw.send(subscribe(FEED));
      const types: string[] = [];
      const told = async () => {
        while (types.at(-1) !== 'next') types.push((await raw.next()).type);
        raw.socket.terminate();
        return types.join();
      };
      expect(await told().catch(({ message }) => message)).toMatch(/^connection_ack,next$|^closed with 4401/);
    });

    test('4406: speaks no protocol, or the old one', async () => {
      expect((await (await openRaw(gateway, null)).closed).code).toBe(4406);
      await expect(openRaw(gateway, 'graphql-ws')).rejects.toThrow(/subprotocol/);
    });

    test('4408: says nothing for five seconds', async () => {
      const raw = await openRaw(gateway);
      expect((await raw.closed).code).toBe(4408);
    });

    test('4409: uses the id of an operation that runs', async () => {
      const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
      raw.send(subscribe(FEED));
      raw.send(subscribe(VIEWER));
      expect((await raw.closed).code).toBe(4409);
    });

    test('4429: introduces itself twice', async () => {
      const raw = await openAcknowledged(gateway, null);
      raw.send(init());
      expect((await raw.closed).code).toBe(4429);
    });

    test('1009: sends more bytes than a request may have', async () => {
      const raw = await openAcknowledged(gateway, null);
      raw.send(subscribe(VIEWER, {}, '1', { extensions: { padding: 'x'.repeat(limits.bodyBytes) } }));
      expect((await raw.closed).code).toBe(1009);
    });

    test('404 or 400: another address takes no sockets', async () => {
      await expect(openRaw(gateway, 'graphql-transport-ws', '/nothing')).rejects.toThrow(/400|404/);
    });

    test('and lives on', async () => {
      expect(await operate(null, VIEWER)).toMatchObject({ type: 'next' });
    });
  });

  describe('knows who asks', () => {
    test.each([
      [
        'signed by another',
        'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl',
        'The token is not valid: its signature, issuer, audience or form is wrong.',
      ],
      ['that is none', 'nonsense', 'Authorization must be "Bearer" and a JWT.'],
    ])('4401, to stay away, and why: a token %s', async (_what, token, reason) => {
      const raw = await openRaw(gateway);
      raw.send(init(token));
      expect(await raw.closed).toEqual({ code: 4401, reason });
    });

    test('4403: an expired token, at the door and in the middle of a stream', async () => {
      const expired = await openRaw(gateway);
      expired.send(init(await gateway.token('GLOBAL_ADMIN', { ttl: '-1s' })));
      expect((await expired.closed).code).toBe(4403);

      const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN', { ttl: '2s' }));
      raw.send(subscribe(FEED));
      expect((await raw.next()).payload.data.activity.__typename).toBe('FeedCaughtUp');
      expect(await raw.closed).toEqual({ code: 4403, reason: 'Token expired' });
    });

    onServer('4403: an operation that runs when the token ends hears TOKEN_EXPIRED first (server only)', async () => {
      const { database } = gateway.gateway.services.config;
      const holder = new pg.Client(database.kind === 'server' ? database.url : '');
      await holder.connect();
      try {
        await holder.query('begin');
        await holder.query('lock table access_revocations in access exclusive mode');
        const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN', { ttl: '2s' }));
        raw.send(
          subscribe(
            'mutation { restoreAccess(input: { userPrincipalName: "somebody@partner.example" }) { __typename } }',
          ),
        );
        expect(await raw.next()).toMatchObject({
          type: 'next',
          payload: { errors: [{ extensions: { code: 'TOKEN_EXPIRED', expired: true } }] },
        });
        expect((await raw.closed).code).toBe(4403);
      } finally {
        await holder.end();
      }
    });

    test('4401: revoked while idle: the next operation of a socket that was acknowledged does not begin', async () => {
      const user = 'idle@partner.example';
      const raw = await openAcknowledged(gateway, await gateway.token('ADMIN_AGENT', { user }));
      const customer = await aCustomer(gateway);
      await gateway.run('mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }', {
        input: { userPrincipalName: user },
      });
      const { revocations } = gateway.gateway.services;
      expect(revocations.isEmpty).toBe(false);
      const input = { idempotencyKey: 'k', customerId: customer.id, lines: [{ ...skus.perpetual, quantity: 1 }] };
      raw.send(subscribe(PurchaseDocument.toString(), { input }));
      expect(await raw.closed).toEqual({
        code: 4401,
        reason: 'Your access was revoked. Sign in again once it is given back.',
      });
      expect(await gateway.sql('select 1 from orders where customer_id = ?', [customer.rowId])).toEqual([]);
    });

    test('no token is an anonymous viewer, and no stream is theirs', async () => {
      expect(await operate(null, VIEWER)).toEqual({
        id: '1',
        type: 'next',
        payload: { data: { viewer: { userPrincipalName: 'anonymous', roles: [] } } },
      });
      expect(await operate(null, FEED)).toMatchObject({
        payload: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
      });
    });
  });

  describe('answers as HTTP does', () => {
    test('queries and mutations work', async () => {
      expect(await operate('ADMIN_AGENT', VIEWER)).toMatchObject({
        type: 'next',
        payload: { data: { viewer: { roles: ['ADMIN_AGENT'] } } },
      });
      const customer = await aCustomer(gateway);
      const input = { idempotencyKey: 'k', customerId: customer.id, lines: [{ ...skus.perpetual, quantity: 1 }] };
      expect(await operate('ADMIN_AGENT', PurchaseDocument.toString(), { input })).toMatchObject({
        payload: { data: { purchase: { __typename: 'PurchaseSuccess' } } },
      });
    });

    test('a refused role gets null and one error, and no stream', async () => {
      expect(await operate('REPORT_VIEWER', '{ invoices { totalCount } }')).toMatchObject({
        type: 'next',
        payload: { data: { invoices: null }, errors: [{ extensions: { code: 'FORBIDDEN' }, path: ['invoices'] }] },
      });
      const refused = await operate('REPORT_VIEWER', FEED);
      expect(refused.payload).toEqual({
        errors: [expect.objectContaining({ extensions: expect.objectContaining({ code: 'FORBIDDEN' }) })],
      });
    });

    test('what does not parse, validate or resolve is an error message with a code and a place', async () => {
      expect(await operate(null, '{')).toMatchObject({
        type: 'error',
        payload: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED' }, locations: [{ line: 1 }] }],
      });
      expect(await operate(null, '{ unknown }')).toMatchObject({
        type: 'error',
        payload: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' }, locations: [{ line: 1 }] }],
      });
      for (const [query, operationName] of [
        ['query A { viewer { roles } }', 'B'],
        ['query A { viewer { roles } } query B { viewer { roles } }'],
        ['fragment F on Query { viewer { roles } }'],
      ])
        expect(await operate(null, query as string, {}, operationName ? { operationName } : {})).toMatchObject({
          type: 'error',
          payload: [
            {
              extensions: { code: expect.stringMatching(/^(OPERATION_RESOLUTION_FAILURE|GRAPHQL_VALIDATION_FAILED)$/) },
            },
          ],
        });
    });

    test.each([
      [
        'a broken id in the filter',
        ActivityFeedDocument.toString(),
        { filter: { customerId: 'broken' } },
        'BAD_USER_INPUT',
      ],
      [
        'an id of another type',
        'subscription ($id: ID) { cancellationConfirmed(customerId: $id) { __typename } }',
        { id: `ord_${randomUUID()}` },
        'BAD_USER_INPUT',
      ],
      ['a broken cursor', ActivityFeedDocument.toString(), { after: 'broken' }, 'BAD_USER_INPUT'],
      [
        'a cursor of another database',
        ActivityFeedDocument.toString(),
        {
          after: `${Buffer.from(JSON.stringify([`feed:${randomUUID()}`, '1', '1'])).toString('base64url')}.${'A'.repeat(22)}`,
        },
        'CURSOR_EXPIRED',
      ],
      [
        'an instant without a zone',
        ActivityFeedDocument.toString(),
        { filter: { from: '2026-01-01T00:00:00' } },
        'BAD_USER_INPUT',
      ],
      ['an unknown action', ActivityFeedDocument.toString(), { filter: { actions: ['NOTHING'] } }, 'BAD_USER_INPUT'],
    ])('a subscription with %s is refused with a code', async (_what, query, variables, code) => {
      const { payload } = await operate('GLOBAL_ADMIN', query, variables);
      expect(payload).toEqual({ errors: [expect.objectContaining({ extensions: expect.objectContaining({ code }) })] });
    });

    test('a subscription has one root field', async () => {
      expect(
        await operate('GLOBAL_ADMIN', 'subscription { activity { __typename } cancellationConfirmed { __typename } }'),
      ).toMatchObject({
        type: 'error',
        payload: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
      });
    });

    test('ping is answered by pong with the same payload, also before connection_init', async () => {
      const raw = await openRaw(gateway);
      raw.send({ type: 'ping' });
      expect(await raw.next()).toEqual({ type: 'pong' });
      raw.send({ type: 'ping', payload: { at: 7 } });
      expect(await raw.next()).toEqual({ type: 'pong', payload: { at: 7 } });
      raw.socket.terminate();
    });

    test('an operation id is refused that every message would repeat at length', async () => {
      const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
      raw.send(subscribe(VIEWER, {}, 'i'.repeat(128)));
      expect(await raw.next()).toMatchObject({ type: 'next' });
      expect(await raw.next()).toMatchObject({ type: 'complete' });
      raw.send(subscribe(FEED, {}, 'i'.repeat(129)));
      expect(await raw.next()).toMatchObject({
        type: 'error',
        payload: [{ message: 'An operation id may have 128 characters.', extensions: { code: 'LIMIT_EXCEEDED' } }],
      });
      raw.socket.terminate();
    });

    test('a client that takes no answers gets no further ones made for it; once it reads, it gets all', async () => {
      const LARGE =
        'query { a: __schema { ...T } b: __schema { ...T } c: __schema { ...T } d: __schema { ...T } } fragment T on __Schema { types { name description fields { name description args { name description } } } }';
      const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
      raw.socket.pause();
      for (let id = 1; id <= 50; id += 1) raw.send(subscribe(LARGE, {}, String(id)));
      let [backlog, looks] = [0, 0];
      await until('the backlog grows no more', async () => {
        const now = await metricOf(gateway, 'csp_graph_sockets_backlog_bytes');
        looks = now > 0 && now === backlog ? looks + 1 : 0;
        backlog = now;
        return looks === 20;
      });
      raw.socket.resume();
      let [answers, bytes] = [0, 0];
      while (answers < 50) {
        const message = await raw.next();
        if (message.type !== 'next') continue;
        answers += 1;
        bytes = JSON.stringify(message).length;
      }
      expect(50 * bytes).toBeGreaterThan(10_000_000);
      expect(backlog).toBeLessThan(6 * bytes);
      raw.socket.terminate();
    });

    test('50 operations run side by side on a socket; the one after is refused, the others go on', async () => {
      const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
      for (let id = 1; id <= 50; id += 1) raw.send(subscribe(FEED, {}, String(id)));
      for (let id = 1; id <= 50; id += 1) expect((await raw.next()).type).toBe('next');
      raw.send(subscribe(FEED, {}, '51'));
      expect(await raw.next()).toMatchObject({
        id: '51',
        type: 'error',
        payload: [{ extensions: { code: 'LIMIT_EXCEEDED' } }],
      });
      raw.send({ id: '7', type: 'complete' });
      raw.send(subscribe(VIEWER, {}, '52'));
      expect(await raw.next()).toMatchObject({ id: '52', type: 'next' });
      raw.socket.terminate();
    });
  });

  test('every event sees the rows as they are then', async () => {
    const customer = await aCustomer(gateway);
    const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
    raw.send(
      subscribe(
        'subscription ($id: ID) { activity(filter: { customerId: $id }) { __typename ... on ActivityRecorded { entry { customer { companyName } } } } }',
        { id: customer.id },
      ),
    );
    expect((await raw.next()).payload.data.activity.__typename).toBe('FeedCaughtUp');
    for (const companyName of ['Before', 'After']) {
      await gateway.sql('update customers set company_name = ? where id = ?', [companyName, customer.rowId]);
      await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
      // Placed and confirmed.
      for (let told = 0; told < 2; told += 1)
        expect((await raw.next()).payload.data.activity.entry).toEqual({ customer: { companyName } });
    }
    raw.socket.terminate();
  });
});

describe(`a socket's end, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const subscribers = (count: number) => async () => (await metricOf(gateway, 'csp_graph_feed_subscribers')) === count;
  const streams = async (count: number) => {
    const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
    for (let id = 1; id <= count; id += 1) raw.send(subscribe(FEED, {}, String(id)));
    await until(`there are ${count}`, subscribers(count));
    return raw;
  };

  test('unsubscribing releases the stream, and only that', async () => {
    const raw = await streams(2);
    raw.send({ id: '1', type: 'complete' });
    await until('one is left', subscribers(1));
    raw.send({ id: '2', type: 'complete' });
    await until('none is left', subscribers(0));
    raw.socket.terminate();
  });

  test('an id that is used again at once is one stream, and it is released', async () => {
    const raw = await streams(1);
    for (let round = 0; round < 20; round += 1) {
      raw.send({ id: '1', type: 'complete' });
      raw.send(subscribe(FEED, {}, '1'));
    }
    raw.send(subscribe(FEED, {}, 'last'));
    await until('both are there', subscribers(2));
    raw.send({ id: 'last', type: 'complete' });
    await until('one is left', subscribers(1));
    raw.socket.terminate();
    await until('none is left', subscribers(0));
  });

  test('an id that is used again before its stream began is one stream, and it is released', async () => {
    const raw = await streams(0);
    for (let round = 0; round < 20; round += 1) {
      raw.send(subscribe(FEED, {}, '1'));
      raw.send({ id: '1', type: 'complete' });
    }
    raw.send(subscribe(FEED, {}, '1'));
    await until('it says that it has caught up', async () => (await raw.next()).type === 'next');
    await until('there is one', subscribers(1));
    raw.socket.close();
    await raw.closed;
    await until('none is left', subscribers(0));
  });

  test.each(['terminate', 'close'] as const)('a socket that is lost (%s) releases its streams', async (end) => {
    const raw = await streams(3);
    raw.socket[end]();
    await until('none is left', subscribers(0));
  });
});

describe(`a line that is dead, on ${engine}`, () => {
  test('is noticed by ping, and what it held is released', async () => {
    const gateway = await startTestGateway({ config: { socketPingMs: 1_000 } });
    const dead = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      autoPong: false,
    });
    dead.on('error', () => undefined);
    await once(dead, 'open');
    dead.send(
      JSON.stringify({
        type: 'connection_init',
        payload: { authorization: `Bearer ${await gateway.token('GLOBAL_ADMIN')}` },
      }),
    );
    await once(dead, 'message');
    const [closed] = [once(dead, 'close'), dead.send(JSON.stringify(subscribe(FEED)))];
    await closed;
    await until('nothing is left of it', async () => (await metricOf(gateway, 'csp_graph_feed_subscribers')) === 0);
    expect(await metricOf(gateway, 'csp_graph_sockets')).toBe(0);
    await gateway.stop();
  });
});

describe(`a gateway that stops, on ${engine}`, () => {
  test('says FeedDraining with a cursor on every stream, then closes with 1012, and keeps nothing', async () => {
    const gateway = await startTestGateway();
    const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
    const idle = await openAcknowledged(gateway, null);
    raw.send(subscribe('subscription { activity { __typename ... on FeedDraining { cursor } } }'));
    expect((await raw.next()).payload.data.activity.__typename).toBe('FeedCaughtUp');
    await gateway.stop();
    expect((await raw.next()).payload.data.activity).toEqual({
      __typename: 'FeedDraining',
      cursor: expect.any(String),
    });
    expect([await raw.closed, await idle.closed]).toEqual(Array(2).fill({ code: 1012, reason: 'Service Restart' }));
    expect(gateway.gateway.services.feed.waiters).toBe(0);
    await expect(fetch(`${gateway.url}/health/live`)).rejects.toThrow();
  });

  test('does not wait for a socket whose line is dead', async () => {
    const gateway = await startTestGateway({ config: { drainTimeoutMs: 100 } });
    // Speaks just enough HTTP to be upgraded, and never answers again.
    const line = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    line.write(
      'GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
    );
    await new Promise((resolve) => line.once('data', resolve));
    const gone = new Promise((resolve) => line.once('close', resolve));
    await gateway.stop();
    await gone;
  });
});
