import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DocumentNode, parse } from 'graphql';
import { Role } from '../../src/auth/role.js';
import { DocumentCache } from '../../src/execution/documents.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { aCustomer, stockShop } from '../support/shop.js';
import { aTenant, type TestTenant } from '../support/tenants.js';

const CORRELATION_ID = 'c5b00000-0000-4000-8000-000000000001';
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

describe(`documents of the cache, on ${engine}`, () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    tenant = await aTenant(gateway);
    await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  let documents = 0;
  /** A document that nobody asked before. */
  const fresh = (query: string) => {
    documents += 1;
    return `# ${documents}\n${query}`;
  };
  /** An answer to the byte, without what tells the time. */
  const ask = async (body: object, role: Role | null = 'GLOBAL_ADMIN', headers: Record<string, string> = {}) => {
    const hits = await metricOf(gateway, 'csp_graph_known_documents_hits_total');
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-correlation-id': CORRELATION_ID,
        ...(role ? { authorization: `Bearer ${await gateway.token(role)}` } : {}),
        ...headers,
      },
      body: JSON.stringify(body),
    });
    const { date: _date, ...shown } = Object.fromEntries(response.headers);
    const answer = { status: response.status, headers: shown, body: await response.text() };
    return { answer, wasKnown: (await metricOf(gateway, 'csp_graph_known_documents_hits_total')) > hits };
  };
  /** The same asked twice: the second time by a document of the cache, with the same bytes. */
  const askTwice = async (body: object, role?: Role | null, headers?: Record<string, string>) => {
    const first = await ask(body, role, headers);
    const second = await ask(body, role, headers);
    expect([first.wasKnown, second.wasKnown]).toEqual([false, true]);
    expect(second.answer).toEqual(first.answer);
    return first.answer;
  };
  /** The same asked twice, both times by Apollo's pipeline. */
  const neverKnown = async (body: object, role?: Role | null, headers?: Record<string, string>) => {
    const first = await ask(body, role, headers);
    const second = await ask(body, role, headers);
    expect([first.wasKnown, second.wasKnown]).toEqual([false, false]);
    return second.answer;
  };

  const LIST = '{ customers(first: 2) { totalCount nodes { id companyName contact { email } } } }';
  const reads: { what: string; query: string; variables?: Record<string, unknown> }[] = [
    { what: 'a list', query: LIST },
    {
      what: 'several root fields',
      query: '{ a: customers { nodes { id } } __typename b: orders { nodes { number } } markets { code } }',
    },
    {
      what: 'denied fields and root fields',
      query: '{ customers { nodes { contact { email } } } invoices { totalCount } activity { totalCount } }',
    },
    { what: 'a refused page size', query: '{ customers(first: 0) { totalCount } orders { totalCount } }' },
    { what: 'a refused cursor', query: '{ customers(after: "x") { totalCount } }' },
    {
      what: 'variables, directives and fragments',
      query:
        'query ($n: Int = 1, $yes: Boolean!) { customers(first: $n) { ...C } } fragment C on CustomerConnection { totalCount @include(if: $yes) nodes { companyName @skip(if: $yes) id } }',
      variables: { yes: true },
    },
    { what: 'nothing', query: 'query ($yes: Boolean = true) { customers @skip(if: $yes) { totalCount } }' },
  ];

  test.each(reads)('$what: by GET as well, where no other site can have sent it', async ({ query, variables }) => {
    const text = fresh(query);
    const get = async (address: Record<string, string>, headers: Record<string, string>) => {
      const hits = await metricOf(gateway, 'csp_graph_known_documents_hits_total');
      const response = await fetch(`${gateway.url}/graphql?${new URLSearchParams(address)}`, {
        headers: { authorization: `Bearer ${await gateway.token('SALES_AGENT')}`, ...headers },
      });
      const { date: _date, 'x-correlation-id': _id, ...shown } = Object.fromEntries(response.headers);
      const answer = { status: response.status, headers: shown, body: await response.text() };
      return { answer, wasKnown: (await metricOf(gateway, 'csp_graph_known_documents_hits_total')) > hits };
    };
    const address = { query: text, ...(variables && { variables: JSON.stringify(variables) }) };
    const preflight = { 'apollo-require-preflight': '1' };
    const first = await get(address, preflight);
    const second = await get(address, preflight);
    expect([first.wasKnown, second.wasKnown]).toEqual([false, true]);
    expect(second.answer).toEqual(first.answer);
    expect(second.answer.status).toBe(200);
    const posted = await ask({ query: text, variables }, 'SALES_AGENT');
    expect(posted.answer.body).toBe(first.answer.body);
    for (const [strange, headers] of [
      [address, {}],
      [{ ...address, variables: '{' }, preflight],
      [{ ...address, variables: '[]' }, preflight],
    ] as const) {
      const { answer, wasKnown } = await get(strange, headers);
      expect([answer.status, wasKnown]).toEqual([400, false]);
    }
    const persistedQuery = { version: 1, sha256Hash: hashOf(text) };
    const { query: _query, ...unnamed } = address;
    const hashed = await get({ ...unnamed, extensions: JSON.stringify({ persistedQuery }) }, preflight);
    expect([hashed.wasKnown, hashed.answer]).toEqual([true, first.answer]);
  });

  test.each(reads)(
    '$what: every role gets the same bytes and headers the second time',
    async ({ query, variables }) => {
      for (const role of [...Object.values(Role), null]) await askTwice({ query: fresh(query), variables }, role);
    },
  );

  test('a document known from one role set is answered to another by its own rights', async () => {
    const query = fresh(LIST);
    await askTwice({ query }, 'GLOBAL_ADMIN');
    const { answer, wasKnown } = await ask({ query }, 'REPORT_VIEWER');
    expect(wasKnown).toBe(true);
    const told = JSON.parse(answer.body);
    expect(told.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', coordinate: 'Customer.contact' } }]);
    expect(told.data.customers.nodes[0].contact).toBeNull();
    expect(JSON.parse((await ask({ query }, null)).answer.body)).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      data: { customers: null },
    });
  });

  test('a CUSTOMER_ADMIN gets their own tenant from a document that partners use', async () => {
    const query = fresh('{ orders(first: 100) { nodes { customer { id } } } }');
    await askTwice({ query });
    const token = (tenant.admin as { token: string }).token;
    const { answer, wasKnown } = await ask({ query }, null, { authorization: `Bearer ${token}` });
    expect(wasKnown).toBe(true);
    const owners = JSON.parse(answer.body).data.orders.nodes.map(
      (order: { customer: { id: string } }) => order.customer.id,
    );
    expect(new Set(owners)).toEqual(new Set([tenant.customer.id]));
  });

  test('of several operations each is answered by its name; none, or one that is not there, as ever', async () => {
    const query = fresh(
      'query A { customers { totalCount } } query B { orders { totalCount } } mutation C { __typename }',
    );
    await askTwice({ query, operationName: 'A' });
    const { answer, wasKnown } = await ask({ query, operationName: 'B' });
    expect([wasKnown, JSON.parse(answer.body)]).toMatchObject([true, { data: { orders: {} } }]);
    for (const operationName of ['D', '', undefined]) {
      const refused = await neverKnown({ query, operationName });
      expect([refused.status, refused.body]).toEqual([400, expect.stringContaining('OPERATION_RESOLUTION_FAILURE')]);
    }
    expect((await neverKnown({ query, operationName: 'C' })).body).toBe('{"data":{"__typename":"Mutation"}}\n');
  });

  test('variables that do not fit are refused as ever', async () => {
    const query = fresh('query ($n: Int!) { customers(first: $n) { totalCount } }');
    await askTwice({ query, variables: { n: 1 } });
    for (const variables of [{}, { n: 'x' }, { n: null }, undefined, null]) {
      const refused = await neverKnown({ query, variables });
      expect([refused.status, refused.body]).toEqual([400, expect.stringContaining('BAD_USER_INPUT')]);
    }
    expect((await neverKnown({ query, variables: [] })).status).toBe(400);
  });

  test('limits hold: a document beyond them never becomes known, and a page size by variable is looked at each time', async () => {
    const large = fresh(`{ ${Array.from({ length: 21 }, (_, at) => `a${at}: markets { code }`).join(' ')} }`);
    expect((await neverKnown({ query: large })).body).toContain('Root fields limit of 20 exceeded');
    const query = fresh('query ($n: Int!) { customers(first: $n) { totalCount } }');
    await askTwice({ query, variables: { n: 100 } });
    const { answer, wasKnown } = await ask({ query, variables: { n: 101 } });
    expect([wasKnown, JSON.parse(answer.body).errors]).toMatchObject([
      true,
      [{ extensions: { code: 'BAD_USER_INPUT' } }],
    ]);
  });

  test('queries that are executed, and mutations, do not become known', async () => {
    await neverKnown({ query: fresh('{ viewer { roles } }') });
    await neverKnown({ query: fresh('{ customers { totalCount } viewer { roles } }') });
    await neverKnown({ query: fresh('mutation { __typename }') });
    await neverKnown({ query: fresh('{ __schema { queryType { name } } }') });
  });

  test('content types are negotiated as ever', async () => {
    const accepts = [
      'application/graphql-response+json',
      'application/graphql-response+json, application/json;q=0.9',
      '*/*',
    ];
    for (const accept of accepts) await askTwice({ query: fresh(LIST) }, 'GLOBAL_ADMIN', { accept });
    const query = fresh(LIST);
    await askTwice({ query });
    expect((await neverKnown({ query }, 'GLOBAL_ADMIN', { accept: 'image/png' })).status).toBe(406);
    expect((await neverKnown({ query }, 'GLOBAL_ADMIN', { 'content-type': 'text/plain' })).status).toBe(415);
    const got = await fetch(`${gateway.url}/graphql?query=${encodeURIComponent(query)}`);
    expect(got.status).toBe(400);
  });

  test('whoever was revoked is refused, though the document is known', async () => {
    const query = fresh(LIST);
    await askTwice({ query });
    const user = 'gone@partner.example';
    const headers = { authorization: `Bearer ${await gateway.token('ADMIN_AGENT', { user })}` };
    expect((await ask({ query }, null, headers)).wasKnown).toBe(true);
    await gateway.run('mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }', {
      input: { userPrincipalName: user },
    });
    const { answer, wasKnown } = await ask({ query }, null, headers);
    expect([answer.status, wasKnown]).toEqual([401, false]);
  });

  test('an operator who asks is told how an answer came about; nobody else is', async () => {
    const explain = { 'x-csp-explain': '1' };
    const told = async (query: string, role: Role) =>
      JSON.parse((await ask({ query }, role, explain)).answer.body).extensions?.csp;
    const query = fresh('{ customers { totalCount } orders { totalCount } }');
    const ms = expect.any(Number);
    expect(await told(query, 'GLOBAL_ADMIN')).toEqual({ path: 'compiled', document: 'new', statements: 1, ms });
    expect(await told(query, 'GLOBAL_ADMIN')).toEqual({ path: 'compiled', document: 'known', statements: 1, ms });
    const executed = '{ viewer { roles } customers { totalCount } }';
    expect(await told(executed, 'GLOBAL_ADMIN')).toEqual({ path: 'executed', document: 'new', statements: 1, ms });
    for (const asked of [query, executed]) expect(await told(asked, 'ADMIN_AGENT')).toBeUndefined();
    expect((await ask({ query })).answer.body).not.toContain('extensions');
  });

  test('a hash stands for a known text; with a text it must be its own', async () => {
    const query = fresh(LIST);
    const byHash = (sha256Hash: string, version = 1) => ({ extensions: { persistedQuery: { version, sha256Hash } } });
    expect((await neverKnown(byHash(hashOf(query)))).body).toContain('PERSISTED_QUERY_NOT_FOUND');
    const byText = await askTwice({ query });
    for (const body of [
      byHash(hashOf(query)),
      { query, ...byHash(hashOf(query)) },
      { query, extensions: { clientLibrary: {} } },
    ])
      expect(await ask(body)).toEqual({ answer: byText, wasKnown: true });
    const strange = [
      byHash(hashOf(query), 2),
      { query, ...byHash(hashOf('{ a }')) },
      { query, extensions: { persistedQuery: 7 } },
    ];
    for (const body of strange) expect((await neverKnown(body)).status).toBe(400);
  });
});

describe('the document cache', () => {
  const document: DocumentNode = parse('{ a }');

  test('keeps so many documents; the one not asked for longest goes first, with its hash', () => {
    const store = new DocumentCache(2);
    store.add('a', document);
    store.add('b', document);
    expect(store.find('a')?.text).toBe('a');
    store.add('c', document);
    expect([store.find('b'), store.find(undefined, hashOf('b'))]).toEqual([undefined, undefined]);
    expect(store.find(undefined, hashOf('a'))?.text).toBe('a');
    expect([store.size, store.evictions]).toEqual([2, 1]);
  });

  test('keeps so many characters; what is larger by itself is not kept', () => {
    const store = new DocumentCache(100, 10);
    store.add('a'.repeat(6), document);
    store.add('b'.repeat(6), document);
    expect([store.size, store.characters, store.evictions]).toEqual([1, 6, 1]);
    store.add('c'.repeat(11), document);
    expect([store.size, store.characters, store.find(undefined, hashOf('c'.repeat(11)))]).toEqual([1, 6, undefined]);
    store.add('d', document);
    store.add('d', document);
    expect([store.size, store.characters]).toEqual([2, 7]);
  });
});
