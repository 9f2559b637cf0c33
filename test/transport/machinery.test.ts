import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { type Message, openAcknowledged, type RawSocket } from '../support/raw-socket.js';

/** An operation as a client may send it, however odd. */
interface Odd {
  query: string;
  variables?: unknown;
  operationName?: unknown;
  extensions?: unknown;
}

const CONDITIONAL = 'subscription($b: Boolean = true) { activity @include(if: $b) { __typename } }';
const ENTRY = 'subscription { activity { __typename ... on ActivityRecorded { entry { at } } } }';

/** Values that variables are sent with, as JSON has them. */
const values = [
  'null',
  '[]',
  '{}',
  '[[[[[[1]]]]]]',
  '"\\ud800"',
  '"\\u0000"',
  '1e400',
  '-1e999',
  '123456789012345678901234567890',
  '0.1',
  '""',
  'true',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{}}}',
  '{"toString":1,"hasOwnProperty":2}',
  `${'['.repeat(400)}${']'.repeat(400)}`,
  `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`,
].map((text) => JSON.parse(text) as unknown);

const declared = [
  ['Boolean = true', '{ viewer { roles @include(if: $v) } }'],
  ['Boolean = true', '{ viewer @skip(if: $v) { roles } }'],
  ['Boolean = true', '{ ... @include(if: $v) { viewer { roles } } }'],
  ['Boolean!', '{ viewer { ... on Viewer @skip(if: $v) { roles } } }'],
  ['Int = 5', '{ customers(first: $v) { nodes { id } } }'],
  ['Int', '{ customers(last: $v) { totalCount } }'],
  ['ID!', '{ node(id: $v) { id } }'],
  ['[ID!]!', '{ nodes(ids: $v) { id } }'],
  ['CustomerBy!', '{ customer(by: $v) { id } }'],
  ['ActivityFilter', '{ activity(filter: $v) { totalCount } }'],
  ['String', 'subscription X($v: String) { activity(after: $v) { __typename } }'],
  ['ActivityFilter', 'subscription X($v: ActivityFilter) { activity(filter: $v) { __typename } }'],
] as const;

const document = (type: string, body: string, name = 'v') =>
  body.startsWith('subscription') ? body : `query X($${name}: ${type}) ${body.replaceAll('$v', `$${name}`)}`;

/** Odd operations of every kind: documents, variables, names. */
function* oddOperations(): Generator<Odd> {
  for (const [type, body] of declared) {
    yield { query: document(type, body) };
    yield { query: document(type, body, '__proto__'), variables: JSON.parse('{"__proto__":{"a":1}}') };
    for (const value of values) yield { query: document(type, body), variables: { v: value } };
  }
  for (const value of values) yield { query: '{ viewer { roles } }', variables: value };
  const documents = [
    '',
    ' ',
    '#',
    '\ufeff',
    '{',
    '{}',
    '{ }',
    '{ viewer }',
    '{ viewer {} }',
    '{ viewer { } }',
    '{ a: viewer { roles } a: __typename }',
    '{ __proto__: viewer { constructor: roles toString: tenantId } }',
    '{ viewer { roles } } # \ud800',
    '{ viewer(x: "\ud800") { roles } }',
    '{ node(id: """\udfff""") { id } }',
    '{ node(id: "\\ud800") { id } }',
    '{ viewer { roles @include } }',
    '{ viewer { roles @include(if: null) } }',
    '{ viewer { roles @include(if: "true") } }',
    '{ viewer { roles @include(if: [true]) } }',
    '{ viewer { roles @include(if: $unknown) } }',
    '{ viewer { roles @skip(if: true) @skip(if: false) } }',
    '{ viewer @deprecated { roles } }',
    '{ viewer { roles @auth(requires: []) } }',
    'query @skip(if: true) { viewer { roles } }',
    'subscription { activity @include { __typename } }',
    'subscription { activity @include(if: null) { __typename } }',
    'subscription { activity @include(if: "x") { __typename } }',
    'subscription { ...F @skip(if: false) } fragment F on Subscription { activity { __typename } }',
    'subscription { ...F } fragment F on Subscription { activity @include(if: true) { __typename } }',
    'subscription { ... @include(if: true) { activity { __typename } } }',
    'subscription { ...F } fragment F on Subscription { ...F activity { __typename } }',
    'subscription { ...F } fragment F on Query { viewer { roles } }',
    'subscription { ...F } fragment F on ActivityFilter { after }',
    'subscription { ...Missing }',
    'subscription { __typename }',
    'subscription { activity { __typename } cancellationConfirmed { __typename } }',
    'subscription { nothing }',
    'subscription A { activity { __typename } } subscription A { activity { __typename } }',
    'query A { viewer { roles } } mutation B { nothing }',
    'fragment F on Query { viewer { roles } }',
    'type Query { a: Int }',
    'extend type Query { a: Int }',
    'schema { query: Query }',
    '{ viewer { roles } } type A { a: Int }',
    'mutation { __typename }',
    'mutation($b: Boolean = true) { ... @include(if: $b) { __typename } }',
    'query ($a: Nothing) { viewer { roles } }',
    'query ($a: Viewer) { viewer { roles } }',
    'query ($a: Int = "x") { viewer { roles } }',
    'query ($a: [Int!]! = [null]) { viewer { roles } }',
    'query ($a: Int, $a: String) { viewer { roles } }',
    'query ($a: Int = $a) { viewer { roles } }',
    '{ __schema { types { name } } __type(name: "\\u0000") { name } }',
    '{ __type(name: null) { name } }',
    `{ ${'viewer { '.repeat(2_000)}`,
    `{ viewer ${'@a '.repeat(2_000)} { roles } }`,
    `query ($a: ${'['.repeat(2_000)}Int${']'.repeat(2_000)}) { viewer { roles } }`,
    `{ node(id: ${'['.repeat(2_400)}${']'.repeat(2_400)}) { id } }`,
    `{ customer(by: ${'{ a: '.repeat(1_200)}1${' }'.repeat(1_200)}) { id } }`,
    `{ ${'... { '.repeat(1_500)} viewer { roles } ${'} '.repeat(1_500)} }`,
  ];
  for (const query of documents) yield { query };
  const names = ['', ' ', 'X', 'Y', '__proto__', 'constructor', '\ud800', 'x'.repeat(1_000), 'ä', null];
  for (const operationName of names) {
    yield { query: 'query X { viewer { roles } } query Z { viewer { tenantId } }', operationName };
    yield { query: 'subscription Y { activity @skip(if: false) { __typename } }', operationName };
    yield { query: '{ viewer { roles } }', operationName };
  }
  for (const extensions of [{}, { __proto__: 1 }, { persistedQuery: {} }, { csp: [[]] }, { a: { b: '\ud800' } }])
    yield { query: '{ viewer { roles } }', extensions };
}

/** Ids of any text. */
const ids = ['__proto__', 'constructor', 'toString', ' ', '\u0000', '\ud800', '"', '\n', '💥', '0', 'x'.repeat(129)];

const codesOf = (errors: { extensions?: { code?: string } }[] | undefined) =>
  (errors ?? []).map(({ extensions }) => extensions?.code);

describe(`whatever is asked is answered, on ${engine}`, () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const post = async (body: unknown) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await gateway.token('GLOBAL_ADMIN')}`,
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as { data?: unknown; errors?: Message[] } };
  };

  /** A socket with a stream that goes on beside whatever else is asked. */
  const socketWithStream = async (): Promise<RawSocket> => {
    const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
    raw.send({ id: 'beside', type: 'subscribe', payload: { query: ENTRY } });
    expect((await raw.next()).payload.data.activity.__typename).toBe('FeedCaughtUp');
    return raw;
  };

  /** What an operation of a socket is answered first; streams end then. */
  const ask = async (raw: RawSocket, id: string, payload: unknown): Promise<Message> => {
    raw.send({ id, type: 'subscribe', payload: payload as object });
    for (;;) {
      const message = await raw.next();
      if (message.id !== id) continue;
      if (message.type === 'next') {
        raw.send({ id, type: 'complete' });
        raw.send({ type: 'ping', payload: { after: id } });
        for (let other = message; other.type !== 'pong'; ) other = await raw.next();
      }
      return message;
    }
  };

  const lives = async (raw: RawSocket) => {
    expect(raw.socket.readyState).toBe(raw.socket.OPEN);
    raw.send({ type: 'ping' });
    while ((await raw.next()).type !== 'pong');
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toMatch(/^csp_graph_feed_subscribers [1-9]/m);
  };

  test('a condition at the root of a subscription is refused with the same words on all transports', async () => {
    const refused = {
      message: expect.stringContaining('@skip and @include may not stand at its root'),
      extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      locations: [{ line: 1, column: 45 }],
    };
    for (const variables of [{}, { b: null }, { b: false }]) {
      const overHttp = await post({ query: CONDITIONAL, variables });
      expect(overHttp).toMatchObject({ status: 400, body: { errors: [refused] } });
      const raw = await socketWithStream();
      expect(await ask(raw, 'odd', { query: CONDITIONAL, variables })).toMatchObject({
        type: 'error',
        payload: [refused],
      });
      await lives(raw);
      raw.socket.close();
      const events = await openEvents(gateway, { query: CONDITIONAL, variables });
      expect(await events.next()).toMatchObject({ event: 'next', data: { errors: [refused] } });
      events.end();
    }
  });

  test.each([
    [
      'a condition of a nested field',
      'subscription($v: Boolean = true) { activity { __typename ... on ActivityRecorded @include(if: $v) { cursor } } }',
      'Boolean!',
    ],
    [
      'an argument of a nested field, in a fragment',
      `subscription($v: ID = "a") { activity { ... on ActivityRecorded { entry { customer { ...C } } } } }
       fragment C on Customer { id companyName @skip(if: $w) }`.replaceAll('$v: ID = "a"', '$w: Boolean = false'),
      'Boolean!',
    ],
  ])('null where it may not be is told once, before a stream begins: %s', async (_what, query, type) => {
    const name = query.includes('$w') ? 'w' : 'v';
    const refused = [
      {
        message: `Variable "$${name}" must not be null: it stands where ${type} is asked for.`,
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ];
    const raw = await socketWithStream();
    const answer = await ask(raw, 'odd', { query, variables: { [name]: null } });
    expect(answer).toMatchObject({ type: 'error', payload: refused });
    await lives(raw);
    raw.socket.close();
    const events = await openEvents(gateway, { query, variables: { [name]: null } });
    expect(await events.next()).toMatchObject({ event: 'next', data: { errors: refused } });
    events.end();
  });

  test('two texts that differ by half a surrogate pair never pass for one another', async () => {
    const query = '{ viewer { roles } } # \ufffd';
    expect((await post({ query })).body.errors).toBeUndefined();
    const other = await post({ query: '{ viewer { roles } } # \ud800' });
    expect(codesOf(other.body.errors)).toEqual(['GRAPHQL_PARSE_FAILED']);
  });

  test('odd operations over HTTP are answered, and none as an internal error', async () => {
    for (const odd of oddOperations()) {
      const { status, body } = await post(odd);
      const told = JSON.stringify({ odd, status, body }).slice(0, 600);
      if (status >= 500 || (body.data === undefined && !body.errors?.length)) throw new Error(told);
      if (codesOf(body.errors).some((code) => !code || code === 'INTERNAL_SERVER_ERROR')) throw new Error(told);
    }
  });

  test('odd operations over a WebSocket are answered on their id, and end nothing beside them', async () => {
    const raw = await socketWithStream();
    let count = 0;
    for (const odd of oddOperations()) {
      const answer = await ask(raw, ids[count % 10] ? `${ids[count % 10]}${count}` : `o${count}`, odd);
      const told = JSON.stringify({ odd, answer }).slice(0, 600);
      const errors = answer.type === 'error' ? answer.payload : answer.payload.errors;
      if (answer.type === 'error' && !errors.length) throw new Error(told);
      if (codesOf(errors).some((code) => !code || code === 'INTERNAL_SERVER_ERROR')) throw new Error(told);
      count += 1;
    }
    for (const payload of [undefined, null, [], 'x', {}, { query: 7 }]) {
      const answer = await ask(raw, `p${count}`, payload);
      expect([payload, answer.type, codesOf(answer.payload)]).toEqual([payload, 'error', ['BAD_REQUEST']]);
      count += 1;
    }
    expect(count).toBeGreaterThan(200);
    await lives(raw);
    raw.socket.close();
  });

  test('an id may be any text', async () => {
    const raw = await socketWithStream();
    for (const id of ids) {
      const answer = await ask(raw, id, { query: '{ viewer { roles } }' });
      expect(answer.type).toBe(id.length > 128 ? 'error' : 'next');
    }
    await lives(raw);
    raw.socket.close();
  });

  test('odd operations as event streams are answered', async () => {
    for (const odd of oddOperations()) {
      const { query, variables, operationName, extensions } = odd;
      const response = await fetch(`${gateway.url}/graphql/stream`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${await gateway.token('GLOBAL_ADMIN')}`,
        },
        body: JSON.stringify({ query, variables, operationName, extensions }),
      });
      const chunk = response.body ? await response.body.getReader().read() : undefined;
      const text = Buffer.from(chunk?.value ?? '').toString();
      await response.body?.cancel().catch(() => undefined);
      const told = JSON.stringify({ odd, status: response.status, text }).slice(0, 600);
      if (response.status >= 500 || text.includes('INTERNAL_SERVER_ERROR') || text === '') throw new Error(told);
    }
  });
});
