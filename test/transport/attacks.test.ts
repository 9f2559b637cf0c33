import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';

const times = (count: number, text: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => text(at)).join('\n');

/** The requests that graphql-cop sends, to a gateway as production has it. */
describe(`what graphql-cop tries, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ config: { introspection: 'signed-in', playground: false } });
  });
  afterAll(() => gateway.stop());

  const send = async (init: RequestInit, search = '') => {
    const response = await fetch(`${gateway.url}/graphql${search}`, init);
    return { status: response.status, text: await response.text() };
  };
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    send({
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const refused = async (query: string, code: string) => {
    const { status, text } = await post({ query });
    expect([status, JSON.parse(text).data, JSON.parse(text).errors[0].extensions.code]).toEqual([400, undefined, code]);
  };

  test('alias overloading: 101 aliases are refused', () =>
    refused(`query { ${times(101, (at) => `alias${at}: __typename`)} }`, 'LIMIT_EXCEEDED'));

  test('array-based batching: ten operations in one request are refused', async () => {
    const { status, text } = await post(Array.from({ length: 10 }, () => ({ query: 'query { __typename }' })));
    expect([status, JSON.parse(text).data]).toEqual([400, undefined]);
  });

  test('directive overloading: ten unknown directives on a field are refused, and so are hundreds of known ones', async () => {
    await refused(`query { __typename ${'@aa'.repeat(10)} }`, 'GRAPHQL_VALIDATION_FAILED');
    await refused(`query { ${times(100, () => '__typename @skip(if: false)')} }`, 'LIMIT_EXCEEDED');
  });

  test('circular introspection: types in fields in types are refused', () =>
    refused(
      'query { __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }',
      'GRAPHQL_VALIDATION_FAILED',
    ));

  test('field duplication: the same field 500 times is refused', () =>
    refused(`query { ${times(500, () => '__typename')} }`, 'LIMIT_EXCEEDED'));

  test('field suggestions: a typo suggests nothing', async () => {
    const { text } = await post({ query: 'query { __schema { directive } custmers { totalCount } }' });
    expect(text).not.toMatch(/did you mean|customers/i);
  });

  test('introspection: it is refused to who sends no token', async () => {
    const { status, text } = await post({ query: getIntrospectionQuery() });
    expect([status, text.includes('"__schema":{')]).toEqual([400, false]);
  });

  test('the schema by its address is refused to who sends no token', async () => {
    expect((await fetch(`${gateway.url}/schema.graphql`)).status).toBe(401);
  });

  test.each(['/graphql', '/graphiql', '/playground', '/console', '/altair', '/voyager', '/'])(
    'GraphiQL: a browser gets no page at %s',
    async (path) => {
      const response = await fetch(`${gateway.url}${path}`, { headers: { accept: 'text/html' } });
      expect(await response.text()).not.toMatch(/<html|<script|<!doctype/i);
    },
  );

  test('queries over GET without a header that foreign pages cannot send are refused', async () => {
    expect((await send({}, '?query=query%20%7B__typename%7D')).status).toBe(400);
  });

  test('queries as an urlencoded form are refused', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await send({ method: 'POST', headers, body: 'query=query%20%7B__typename%7D' })).status).toBe(415);
  });

  test('mutations over GET are refused', async () => {
    const headers = { 'apollo-require-preflight': 'true' };
    expect((await send({ headers }, '?query=mutation%20%7B__typename%7D')).status).toBe(405);
  });

  test('tracing: no header makes an answer tell how it came about', async () => {
    for (const name of ['x-apollo-tracing', 'apollo-query-plan-experimental', 'x-csp-explain']) {
      const { text } = await post({ query: 'query { __typename }' }, { [name]: '1' });
      expect([name, JSON.parse(text)]).toEqual([name, { data: { __typename: 'Query' } }]);
    }
  });

  test('unhandled errors: what does not parse tells no stack and no file', async () => {
    for (const query of ['qwerty cop { abc }', 'query {', '\u0000', '{'.repeat(10_000)]) {
      const { status, text } = await post({ query });
      expect(status).toBe(400);
      expect(text).not.toMatch(/stack|node_modules|\.[jt]s:|exception/i);
    }
  });
});
