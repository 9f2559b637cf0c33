import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hasTooManyValues, isNestedTooDeeply, MAXIMUM_NESTING, MAXIMUM_VALUES } from '../../src/lib/nesting.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { openAcknowledged } from '../support/raw-socket.js';

const lists = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

test.each([
  ['lists', lists(MAXIMUM_NESTING), false],
  ['lists one deeper', lists(MAXIMUM_NESTING + 1), true],
  ['objects one deeper', objects(MAXIMUM_NESTING + 1), true],
  ['both by turns', `${'[{"a":'.repeat(300)}1${'}]'.repeat(300)}`, true],
  ['many side by side', `[${Array(2_000).fill('[]').join()}]`, false],
  ['brackets of a text', JSON.stringify({ query: `"\\${'{'.repeat(2_000)}` }), false],
  ['a text that never ends', `"${'['.repeat(2_000)}`, false],
])('what is nested too deeply: %s', (_what, text, isTooDeep) => {
  expect(isNestedTooDeeply(text)).toBe(isTooDeep);
});

const many = (count: number) => `[${Array(count).fill('{}').join()}]`;

test.each([
  ['a list', many(MAXIMUM_VALUES), false],
  ['a list of one more', many(MAXIMUM_VALUES + 1), true],
  ['keys', JSON.stringify(Object.fromEntries(Array.from({ length: MAXIMUM_VALUES + 1 }, (_, at) => [at, 1]))), true],
  ['lists inside lists', `[${Array(50).fill(many(50)).join()}]`, true],
  ['commas of a text', JSON.stringify({ query: `"\\${','.repeat(10_000)}` }), false],
])('too many values: %s', (_what, text, isTooMuch) => {
  expect(hasTooManyValues(text)).toBe(isTooMuch);
});

describe(`whatever is nested is answered, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(async () => {
    // Nothing of it was a fault of the gateway's.
    expect(gateway.log.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
    await gateway.stop();
  });

  const QUERY = '"query":"{ viewer { roles } }"';
  const FEED = '"query":"subscription($after: String) { activity(after: $after) { __typename } }"';
  const ASKED = '"extensions":{"persistedQuery":{"version":1,"sha256Hash":DEEP}}';
  const kinds = [
    ['variables', `${QUERY},"variables":{"x":DEEP}`],
    ['a variable of a stream', `${FEED},"variables":{"after":DEEP}`],
    ['extensions', `${QUERY},"extensions":{"x":DEEP}`],
    ['a hash', `${QUERY},${ASKED}`],
    ['a hash alone', ASKED],
    ['variables of a named document', '"documentId":"sha256:00","variables":{"x":DEEP}'],
    ['an id of a document', '"documentId":DEEP'],
    ['a text', '"query":DEEP'],
    ['a name', `${QUERY},"operationName":DEEP`],
  ] as const;
  const depths = [
    ['450', 450],
    ['4,600', 4_600],
    ['60,000', 60_000],
  ] as const;
  const all = kinds.flatMap(([what, form]) => depths.map(([name, depth]) => [name, what, form, depth] as const));
  const bodyOf = (form: string, depth: number) => `{${form.replace('DEEP', lists(depth))}}`;
  const told = (text: string) => text.includes(`${MAXIMUM_NESTING} deep inside one another`);

  test.each(all)('over HTTP, %s deep: %s', async (_name, _what, form, depth) => {
    for (const path of ['/graphql', '/graphql/stream']) {
      const response = await fetch(`${gateway.url}${path}`, {
        method: 'POST',
        headers: {
          accept: path === '/graphql' ? 'application/json' : 'text/event-stream',
          'content-type': 'application/json',
          authorization: `Bearer ${await gateway.token('GLOBAL_ADMIN')}`,
        },
        body: bodyOf(form, depth),
      });
      expect(response.status).toBeLessThan(500);
      if (depth <= MAXIMUM_NESTING) await response.body?.cancel();
      else expect([response.status, told(await response.text())]).toEqual([400, true]);
    }
  });

  test.each(['variables', 'extensions'])('over GET: %s', async (name) => {
    for (const path of ['/graphql', '/graphql/stream']) {
      const asked = new URLSearchParams({ query: '{ viewer { roles } }', [name]: `{"x":${lists(2_000)}}` });
      const headers = {
        accept: path === '/graphql' ? 'application/json' : 'text/event-stream',
        'apollo-require-preflight': '1',
      };
      const response = await fetch(`${gateway.url}${path}?${asked}`, { headers });
      expect([response.status, told(await response.text())]).toEqual([400, true]);
    }
  });

  test.each(all)('over WebSocket, %s deep, on the operation’s id: %s', async (_name, _what, form, depth) => {
    const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
    raw.send(`{"type":"subscribe","id":"1","payload":${bodyOf(form, depth)}}`);
    const message = await raw.next();
    expect(message.id).toBe('1');
    if (depth > MAXIMUM_NESTING) {
      expect(message).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'BAD_REQUEST' } }] });
      expect(told(JSON.stringify(message.payload))).toBe(true);
    }
    raw.send({ type: 'ping', payload: { after: '1' } });
    for (let other = message; other.type !== 'pong'; ) other = await raw.next();
    raw.socket.terminate();
  });

  test('over WebSocket, variables of too many values are refused on the operation’s id', async () => {
    const raw = await openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN'));
    raw.send(`{"type":"subscribe","id":"1","payload":{${QUERY},"variables":{"x":${many(MAXIMUM_VALUES)}}}}`);
    expect(await raw.next()).toMatchObject({
      id: '1',
      type: 'error',
      payload: [{ message: expect.stringContaining('2000 values'), extensions: { code: 'BAD_REQUEST' } }],
    });
    raw.send({ type: 'ping' });
    expect(await raw.next()).toEqual({ type: 'pong' });
    raw.socket.terminate();
  });
});
