import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { printExecutableGraphQLDocument } from '@graphql-tools/documents';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fetchExchange, formatDocument, Client as Urql } from '@urql/core';
import { buildSchema, parse, print } from 'graphql';
import { createClient } from 'graphql-ws';
import { SignJWT } from 'jose';
import WebSocket from 'ws';
import { followFeed, fromGraphqlWs } from '../../src/client/index.js';
import { ConfigError } from '../../src/config/config-error.js';
import { canonicalOperations } from '../../src/execution/canonical-document.js';
import { DocumentCache } from '../../src/execution/documents.js';
import { TrustedDocuments } from '../../src/execution/trusted-documents.js';
import { FEED, RECENT } from '../../src/web/live/operations.js';
import { CustomersWithOrdersDocument } from '../generated/graphql.js';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { type Caller, startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { namedOperations } from '../support/operations.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { aCustomer, stockShop } from '../support/shop.js';

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const folder = mkdtempSync(join(tmpdir(), 'csp-graph-trusted-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | object) => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const operation = (name: string) => {
  const found = namedOperations().find((one) => one.name === name);
  if (!found) throw new Error(`there is no operation ${name}`);
  return found;
};
const LIST = operation('CustomersWithOrders').text;
const LIST_ID = hashOf(LIST);
const REVEAL = 'mutation Two($a: RevokeAccessInput!) { a: revokeAccess(input: $a) { __typename } b: __typename }';
const COUNT = 'query Count { customers(filter: {search: "a"}) { totalCount } }';
const MARKETS = 'query Markets { markets { code name } }';
const STREAM =
  'subscription Stream($after: String) { activity(after: $after) { __typename ... on FeedMessage { cursor } } }';
/** As Apollo's tool writes it. */
const apolloManifest = {
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations: [
    { id: 'count-1', name: 'Count', type: 'query', body: COUNT },
    { id: 'two-1', name: 'Two', type: 'mutation', body: REVEAL },
  ],
};
/** As the code generator and Relay write it. */
const generatedManifest = { [hashOf(MARKETS)]: MARKETS, 'stream-1': STREAM };

describe(`trusted documents, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    mkdirSync(join(folder, 'manifests'));
    file('manifests/apollo.json', apolloManifest);
    file('manifests/generated.json', generatedManifest);
    gateway = await startTestGateway({
      config: {
        trustedDocuments: {
          paths: ['schema/operations', join(folder, 'manifests')],
          roles: ['SALES_AGENT', 'ACCOUNT_ADMIN', 'ANONYMOUS'],
        },
      },
    });
    await stockShop(gateway);
    await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  const bearer = async (as: Caller | null): Promise<Record<string, string>> =>
    as === null ? {} : { authorization: `Bearer ${typeof as === 'string' ? await gateway.token(as) : as.token}` };
  const post = async (body: object, as: Caller | null = 'SALES_AGENT', headers: Record<string, string> = {}) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(await bearer(as)), ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, text, ...JSON.parse(text), headers: response.headers };
  };
  const get = async (search: string, as: Caller | null = 'SALES_AGENT', headers: Record<string, string> = {}) => {
    const response = await fetch(`${gateway.url}/graphql?${search}`, {
      headers: { 'apollo-require-preflight': '1', ...(await bearer(as)), ...headers },
    });
    const text = await response.text();
    return { status: response.status, text, headers: response.headers };
  };
  const codeOf = ({ errors }: { errors?: { extensions: { code: string } }[] }) => errors?.[0]?.extensions.code;
  const refused = () => metricOf(gateway, 'csp_graph_refusals_total{bound="trustedDocuments"}').catch(() => 0);

  describe('who is bound', () => {
    const variants: [string, string][] = [
      ['its text', LIST],
      ['the file that it stands in', readFileSync('schema/operations/customers.graphql', 'utf8')],
      ['the text of our own code generator', String(CustomersWithOrdersDocument)],
      ['the text that the code generator hashes, sorted and on one line', printExecutableGraphQLDocument(parse(LIST))],
      [
        'the text with the __typename that Apollo Client adds',
        print(new InMemoryCache().transformDocument(parse(LIST))),
      ],
      ['the text with the __typename that urql adds', print(formatDocument(parse(LIST)))],
      ['other layout and comments', `# of a front end\n${LIST.replaceAll('\n', ' \n,')}`],
    ];
    test.each(variants)('runs a trusted document by %s', async (_what, query) => {
      const before = await refused();
      const { status, data } = await post({ query, operationName: 'CustomersWithOrders' });
      expect(status).toBe(200);
      expect(data.customers.nodes.length).toBeGreaterThan(0);
      expect(await refused()).toBe(before);
    });

    test.each([
      ['the hash of its text', LIST_ID],
      ['the hash with its prefix', `sha256:${LIST_ID}`],
    ])('runs it by a documentId that is %s, as by its text', async (_what, documentId) => {
      const byText = await post({ query: LIST });
      expect((await post({ documentId })).text).toBe(byText.text);
      expect((await post({ documentId, query: LIST })).text).toBe(byText.text);
      expect((await post({ documentId, query: '' })).text).toBe(byText.text);
      expect((await post({ documentId }, 'GLOBAL_ADMIN')).status).toBe(200);
    });

    test('runs what manifests hold, by their ids and by Apollo’s hash', async () => {
      for (const documentId of ['count-1', hashOf(COUNT), `sha256:${hashOf(COUNT)}`])
        expect((await post({ documentId })).data.customers).toHaveProperty('totalCount');
      for (const sha256Hash of ['count-1', hashOf(COUNT), LIST_ID])
        expect((await post({ extensions: { persistedQuery: { version: 1, sha256Hash } } })).status).toBe(200);
      expect((await post({ documentId: hashOf(MARKETS) }, null)).data.markets).toEqual(expect.any(Array));
      expect(codeOf(await post({ documentId: 'two-1', variables: { a: { userPrincipalName: 'x' } } }))).toBe(
        'FORBIDDEN',
      );
    });

    test('has it answered by the fast path from the first time on', async () => {
      const before = await metricOf(gateway, 'csp_graph_documents_hits_total');
      // The negotiated content type is known by now.
      await post({ documentId: LIST_ID });
      await post({ documentId: 'count-1' });
      expect(await metricOf(gateway, 'csp_graph_documents_hits_total')).toBe(before + 2);
    });

    const untrusted: [string, string][] = [
      ['another document', '{ customers { totalCount } }'],
      ['another argument', COUNT.replace('"a"', '"b"')],
      ['one field more', LIST.replace('nodes {', 'nodes { tenantId ')],
      ['one field less', MARKETS.replace(' name', '')],
      ['another alias', COUNT.replace('customers', 'c: customers')],
      ['another directive', COUNT.replace('totalCount', 'totalCount @include(if: true)')],
      ['another default of a variable', LIST.replace(/\$first: Int\b/, '$first: Int = 100')],
      ['another name', COUNT.replace('Count', 'Other')],
      ['the root fields of a mutation in another order', REVEAL.replace(/(a: .*}) (b: __typename)/, '$2 $1')],
      ['a __typename at the root', COUNT.replace('{ customers', '{ __typename customers')],
      ['one that is trusted and one that is not', `${COUNT} query Other { viewer { roles } }`],
      ['one that is trusted twice', `query Count { viewer { roles } } ${COUNT}`],
      ['fragments alone', 'fragment F on Customer { id }'],
      ['introspection', '{ __schema { types { name } } }'],
      ['what does not fit the schema', '{ customerz { id } }'],
      ['what is not GraphQL', '{ customers'],
      ['nothing but a comment', '# nothing'],
      ['a fragment beside it that nothing uses', `${COUNT} fragment F on Customer { idd }`],
      ['a definition beside it that is none of an operation', `${COUNT} type Nope { id: ID }`],
      ['what is nested for its own sake', `${'{a'.repeat(2_000)}${'}'.repeat(2_000)}`],
    ];
    test.each(untrusted)('is refused %s, in the same words, and it is counted', async (_what, query) => {
      const before = await refused();
      for (const as of ['SALES_AGENT', null] as const) {
        for (const operationName of [undefined, 'Count']) {
          const { status, text } = await post({ query, operationName }, as);
          expect([status, JSON.parse(text)]).toEqual([
            400,
            {
              errors: [
                {
                  message: expect.stringMatching(/documents that the gateway trusts.*TRUSTED_DOCUMENTS/),
                  extensions: { code: 'DOCUMENT_NOT_TRUSTED' },
                },
              ],
            },
          ]);
        }
        expect(codeOf(JSON.parse((await get(new URLSearchParams({ query }).toString(), as)).text))).toBe(
          'DOCUMENT_NOT_TRUSTED',
        );
      }
      expect(await refused()).toBe(before + 6);
    });

    test('is told of a hash as unknown whoever sent its text, in whichever form it comes', async () => {
      const id = randomUUID();
      const texts = [`query A { customers { totalCount } } # ${id}`, `query B { viewer { roles } } # ${id}`];
      const ask = (sha256Hash: unknown, as: Caller) =>
        post({ extensions: { persistedQuery: { version: 1, sha256Hash } } }, as);
      const unknown = await ask(hashOf(id), 'SALES_AGENT');
      expect([unknown.status, codeOf(unknown)]).toEqual([200, 'PERSISTED_QUERY_NOT_FOUND']);
      for (const query of texts) {
        const sha256Hash = hashOf(query);
        const persistedQuery = { version: 1, sha256Hash };
        expect((await post({ query, extensions: { persistedQuery } }, 'GLOBAL_ADMIN')).status).toBe(200);
        expect((await ask(sha256Hash, 'GLOBAL_ADMIN')).data).toBeDefined();
        for (const form of [sha256Hash, [sha256Hash], [[sha256Hash]]])
          expect((await ask(form, 'SALES_AGENT')).text).toBe(unknown.text);
        for (const form of [null, { toString: sha256Hash }, 1])
          expect(codeOf(await ask(form, 'SALES_AGENT'))).toBe('PERSISTED_QUERY_NOT_FOUND');
        expect(codeOf(await post({ query, extensions: { persistedQuery } }))).toBe('DOCUMENT_NOT_TRUSTED');
        for (const version of [2, '1', true, [1], null]) {
          const { status, data } = await post({ extensions: { persistedQuery: { version, sha256Hash } } });
          expect([status, data]).toEqual([400, undefined]);
        }
      }
    });

    test('has trusted documents persisted automatically: text and hash, and from then on the hash', async () => {
      const query = `# ${randomUUID()}\n${COUNT}`;
      const extensions = { persistedQuery: { version: 1, sha256Hash: hashOf(query) } };
      expect(codeOf(await post({ extensions }))).toBe('PERSISTED_QUERY_NOT_FOUND');
      expect((await post({ query, extensions })).data.customers).toBeDefined();
      expect((await post({ extensions })).data.customers).toBeDefined();
      const wrong = { persistedQuery: { version: 1, sha256Hash: hashOf('x') } };
      expect((await post({ query, extensions: wrong })).status).toBe(400);
    });

    test('cannot show the one text and have the other run, by however the address is read', async () => {
      const good = encodeURIComponent(COUNT);
      const evil = encodeURIComponent('{ viewer { roles } }');
      for (const search of [
        `query=${good}&query=${evil}`,
        `query=${evil}&query=${good}`,
        `query=${evil}&q%75ery=${good}`,
        `query=${good}%23%0A${evil}`,
        `query=${good}%23%FF%0A${evil}`,
        `documentId=count-1&query=${evil}`,
        `documentId=count-1&documentId=two-1&query=${evil}`,
      ]) {
        const { status, text } = await get(search);
        expect([search, status, JSON.parse(text).data]).toEqual([search, 400, undefined]);
      }
    });
  });

  test('who is bound by one role and free by another is free, and so is who is not named; who has none is anonymous', async () => {
    const query = `{ markets { code } } # ${randomUUID()}`;
    const signed = async (roles: string[]) => ({
      token: await new SignJWT({ upn: 'both@partner.example', tid: randomUUID(), roles })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer('csp-graph-demo')
        .setAudience('csp-graph')
        .setSubject('both')
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(gateway.gateway.services.config.signingSecret),
    });
    for (const roles of [['GLOBAL_ADMIN'], ['REPORT_VIEWER'], ['SALES_AGENT', 'REPORT_VIEWER']])
      expect((await post({ query }, await signed(roles))).data?.markets).toEqual(expect.any(Array));
    for (const roles of [['SALES_AGENT'], ['ACCOUNT_ADMIN', 'SALES_AGENT'], []])
      expect(codeOf(await post({ query }, await signed(roles)))).toBe('DOCUMENT_NOT_TRUSTED');
  });

  describe('a documentId', () => {
    test('that names nothing is refused to everybody with the same code, over every transport', async () => {
      for (const as of ['SALES_AGENT', 'GLOBAL_ADMIN', null] as const) {
        const answer = await post({ documentId: 'nothing' }, as);
        expect([answer.status, codeOf(answer)]).toEqual([400, 'PERSISTED_QUERY_NOT_FOUND']);
        expect(JSON.parse((await get('documentId=nothing', as)).text).errors[0].extensions.code).toBe(
          'PERSISTED_QUERY_NOT_FOUND',
        );
      }
    });

    test('that is no text, or names another document than the query beside it, is a bad request', async () => {
      for (const as of ['SALES_AGENT', 'GLOBAL_ADMIN'] as const) {
        for (const body of [{ documentId: 7 }, { documentId: ['count-1'] }, { documentId: LIST_ID, query: COUNT }]) {
          const answer = await post(body, as);
          expect([answer.status, codeOf(answer)]).toEqual([400, 'BAD_REQUEST']);
        }
      }
    });

    test('goes by GET, with an ETag, from nowhere else, and never for a mutation', async () => {
      const answer = await get(`documentId=sha256:${LIST_ID}&variables=${encodeURIComponent('{"first":1}')}`);
      expect([answer.status, JSON.parse(answer.text).data.customers.nodes.length]).toEqual([200, 1]);
      const tag = answer.headers.get('etag') as string;
      const again = await get(
        `documentId=sha256:${LIST_ID}&variables=${encodeURIComponent('{"first":1}')}`,
        'SALES_AGENT',
        {
          'if-none-match': tag,
        },
      );
      expect([again.status, again.text]).toEqual([304, '']);
      const crossSite = await fetch(`${gateway.url}/graphql?documentId=count-1`);
      expect(crossSite.status).toBe(400);
      const mutation = await get(`documentId=two-1&variables=${encodeURIComponent('{"a":{}}')}`);
      expect([mutation.status, mutation.headers.get('allow')]).toEqual([405, 'POST']);
    });
  });

  describe('clients that send ids', () => {
    test('Apollo Client with a manifest', async () => {
      const persisted = new PersistedQueryLink({ generateHash: async () => 'count-1', disable: () => false });
      const link = persisted.concat(
        new HttpLink({ uri: `${gateway.url}/graphql`, headers: await bearer('SALES_AGENT') }),
      );
      const client = new ApolloClient({ link, cache: new InMemoryCache() });
      expect((await client.query({ query: gql(COUNT) })).data).toHaveProperty('customers.totalCount');
    });

    test('urql with a document that is an id', async () => {
      const headers = await bearer('SALES_AGENT');
      const exchanges = [fetchExchange];
      const client = new Urql({
        url: `${gateway.url}/graphql`,
        exchanges,
        fetchOptions: { headers },
        preferGetMethod: false,
      });
      const document = { kind: 'Document', definitions: [], documentId: 'count-1' };
      const { data, error } = await client.query(document as never, {}).toPromise();
      expect([error, data]).toEqual([undefined, { customers: { totalCount: expect.any(Number) } }]);
    });

    test('csp-graph/client over graphql-ws', async () => {
      const client = createClient({
        url: `${gateway.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: await bearer('ACCOUNT_ADMIN'),
      });
      for await (const message of followFeed(fromGraphqlWs(client, { documentId: 'stream-1' }))) {
        expect(message).toEqual({ __typename: 'FeedCaughtUp', cursor: expect.any(String) });
        break;
      }
      await expect(followFeed(fromGraphqlWs(client, { documentId: 'nothing' })).next()).rejects.toThrow(/documentId/);
      await client.dispose();
    });
  });

  describe('over WebSocket', () => {
    const operate = async (as: 'ACCOUNT_ADMIN' | 'GLOBAL_ADMIN' | null, payloads: object[]) => {
      const raw = await openAcknowledged(gateway, as && (await gateway.token(as)));
      const answers: {
        type: string;
        payload: { data?: Record<string, unknown> } & { extensions: { code: string } }[];
      }[] = [];
      for (const [index, payload] of payloads.entries()) {
        raw.send({ id: String(index), type: 'subscribe', payload });
        let answer = await raw.next();
        while (answer.id !== String(index)) answer = await raw.next();
        answers.push(answer);
      }
      raw.socket.terminate();
      return answers;
    };

    test('who is bound runs what is trusted, by documentId, hash or text, and the socket stays when the rest is refused', async () => {
      const persistedQuery = { version: 1, sha256Hash: hashOf(MARKETS) };
      const answers = await operate('ACCOUNT_ADMIN', [
        { query: '{ viewer { roles } }' },
        { documentId: 'nothing' },
        { documentId: hashOf(MARKETS) },
        { documentId: `sha256:${hashOf(MARKETS)}`, query: '' },
        { query: MARKETS.replace('{ code', '{ __typename code') },
        { extensions: { persistedQuery } },
        { query: '', extensions: { persistedQuery: { version: 1, sha256Hash: hashOf('x') } } },
        { documentId: 'stream-1', variables: { after: null } },
        { query: STREAM },
        { query: STREAM.replace('cursor', 'cursor __typename') },
        { query: '' },
      ]);
      expect(answers.map(({ type, payload }) => (type === 'error' ? payload[0]?.extensions.code : type))).toEqual([
        'DOCUMENT_NOT_TRUSTED',
        'PERSISTED_QUERY_NOT_FOUND',
        'next',
        'next',
        'next',
        'next',
        'PERSISTED_QUERY_NOT_FOUND',
        'next',
        'next',
        'next',
        'GRAPHQL_PARSE_FAILED',
      ]);
    });

    test('who is free has documentId too, and hashes of texts that were sent', async () => {
      const query = `{ markets { code } } # ${randomUUID()}`;
      const answers = await operate('GLOBAL_ADMIN', [
        { query },
        { extensions: { persistedQuery: { version: 1, sha256Hash: hashOf(query) } } },
        { extensions: { persistedQuery: { version: 1, sha256Hash: hashOf('x') } } },
        { documentId: 'nothing' },
      ]);
      expect(answers.map(({ type }) => type)).toEqual(['next', 'next', 'error', 'error']);
    });

    test('the documents of the gateway’s own dashboard are trusted', async () => {
      expect((await post({ query: RECENT }, 'ACCOUNT_ADMIN')).data.__type.enumValues).toBeDefined();
      const [answer] = await operate('ACCOUNT_ADMIN', [{ query: FEED, variables: { after: null, filter: null } }]);
      expect(answer?.type).toBe('next');
    });
  });

  describe('over Server-Sent Events', () => {
    const events = (asked: object, method: 'GET' | 'POST', as: 'ACCOUNT_ADMIN' | 'GLOBAL_ADMIN' = 'ACCOUNT_ADMIN') =>
      openEvents(gateway, { ...asked, as, method });

    test.each(['GET', 'POST'] as const)(
      'by %s who is bound streams what is trusted and nothing else',
      async (method) => {
        for (const asked of [
          { documentId: 'stream-1' },
          { query: STREAM },
          { documentId: 'stream-1', query: STREAM },
        ]) {
          const stream = await events(asked, method);
          expect((await stream.nextOf('FeedCaughtUp')).message.cursor).toEqual(expect.any(String));
          stream.end();
        }
        for (const [asked, code] of [
          [{ query: 'subscription { activity { __typename } }' }, 'DOCUMENT_NOT_TRUSTED'],
          [{ documentId: 'nothing' }, 'PERSISTED_QUERY_NOT_FOUND'],
          [{ documentId: 'count-1' }, 'BAD_REQUEST'],
        ] as const) {
          const stream = await events(asked, method);
          expect((await stream.next())?.data.errors[0].extensions.code).toBe(code);
          stream.end();
        }
      },
    );
  });

  test('without the setting everybody runs any document, and no documentId is known', async () => {
    const open = await startTestGateway();
    try {
      const ask = async (body: object) => {
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(`${open.url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) });
        return (await response.json()) as { errors?: { extensions: { code: string } }[] };
      };
      expect(await ask({ query: '{ viewer { roles } }' })).toEqual({ data: { viewer: { roles: [] } } });
      expect(codeOf(await ask({ documentId: LIST_ID }))).toBe('PERSISTED_QUERY_NOT_FOUND');
    } finally {
      await open.stop();
    }
  });
});

describe('the start', () => {
  const schema = buildSchema('type Query { a(x: Int): String b: [Query!] }');
  const problemsOf = (...paths: string[]): string[] => {
    try {
      new TrustedDocuments({ config: { paths, roles: [] }, schema, documents: new DocumentCache() });
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  };

  test('takes files, folders and every known manifest', () => {
    const inner = join(folder, 'inner');
    mkdirSync(join(inner, 'deeper'), { recursive: true });
    writeFileSync(join(inner, 'a.graphql'), 'query A { ...F }');
    writeFileSync(join(inner, 'deeper/b.gql'), 'fragment F on Query { a }');
    writeFileSync(join(inner, 'deeper/c.json'), JSON.stringify({ c: '{ a }' }));
    writeFileSync(join(inner, 'notes.md'), 'these are no documents');
    expect(problemsOf(inner, join(inner, 'deeper/c.json'))).toEqual([]);
  });

  test.each<[string, string, string | object, RegExp]>([
    [
      'a field that is not there',
      'f.graphql',
      'query A {\n  a\n  z }',
      /f\.graphql:3:3 \(A, id [0-9a-f]{64}\): Cannot query field "z"/,
    ],
    ['a text that is not GraphQL', 'p.graphql', 'query A {', /p\.graphql:1:10: Syntax Error/],
    ['a fragment that no file has', 'm.graphql', 'query A { ...F }', /m\.graphql:1:14 \(A, .*\): Unknown fragment "F"/],
    [
      'a document beyond the limits',
      'l.graphql',
      `query A { ${Array.from({ length: 21 }, (_, at) => `a${at}: a`).join(' ')} }`,
      /Root fields limit of 20 exceeded/,
    ],
    ['a folder of nothing', 'n.txt', 'query A { a }', /n\.txt: There is no operation in it/],
    ['a manifest of another form', 'x.json', { operations: [] }, /x\.json: It is no manifest/],
    ['a manifest that is no JSON', 'y.json', '{', /y\.json: It is no manifest/],
    ['a text of a manifest', 'z.json', { one: '{ z }' }, /z\.json:1:3 \(id one\): Cannot query field "z"/],
    [
      'a hash of another text',
      'h.json',
      { 'sha256:00': '{ a }' },
      /h\.json \(id sha256:00\): The id is not the SHA-256/,
    ],
  ])('is refused for %s, by file, operation and reason', (_what, name, content, told) => {
    const [problem, ...others] = problemsOf(file(name, content));
    expect(others).toEqual([]);
    expect(problem).toMatch(/^TRUSTED_DOCUMENTS: /);
    expect(problem).toMatch(told);
  });

  test('is refused for an id that names two documents, and for what is not there', () => {
    const one = file('one.json', { a: '{ a }' });
    expect(problemsOf(one, file('two.json', { a: '{ b { a } }' }))).toEqual([
      expect.stringMatching(/two\.json \(id a\): Another document has the same id/),
    ]);
    expect(problemsOf(one, join(folder, 'none'))).toEqual([
      expect.stringMatching(/none: There is no such file or folder/),
    ]);
  });

  test('tells the first twenty problems and how many more there are', () => {
    const texts = Object.fromEntries(Array.from({ length: 23 }, (_, index) => [`i${index}`, `{ z${index} }`]));
    const problems = problemsOf(file('many.json', texts));
    expect([problems.length, problems.at(-1)]).toEqual([21, expect.stringContaining('and 3 more')]);
  });
});

test('trusted documents stay in the cache, whatever else comes', () => {
  const cache = new DocumentCache(2, 100);
  cache.pin('{ a }', parse('{ a }'));
  for (const name of ['b', 'c', 'd', 'e']) cache.add(`{ ${name} }`, parse(`{ ${name} }`));
  cache.add('{ a }', parse('{ a }'));
  expect(cache.find('{ a }')).toBe(cache.find(undefined, hashOf('{ a }')));
  expect([cache.size, cache.characters, cache.find('{ b }')]).toEqual([3, 15, undefined]);
});

test('a document that is nested for its own sake has no canonical form', () => {
  expect(canonicalOperations(`${'{a'.repeat(57)}${'}'.repeat(57)}`)).toBeNull();
  expect(canonicalOperations(`{a${'{...'.repeat(56)}{a}${'}'.repeat(57)}`)).toBeNull();
  expect(canonicalOperations(`${'{a'.repeat(56)}${'}'.repeat(56)}`)).toHaveLength(1);
});
