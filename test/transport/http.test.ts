import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { toGlobalId } from '../../src/domain/global-id.js';
import { limits } from '../../src/graphql/limits.js';
import { engine, onServer, testDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer } from '../support/shop.js';
import { come } from '../support/users.js';

const JSON_TYPE = 'application/json';
const RESPONSE_TYPE = 'application/graphql-response+json';
const VIEWER = '{ viewer { userPrincipalName } }';

describe(`GraphQL over HTTP, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  /** A request without a token; `headers` are added to a JSON POST's. */
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE, ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    });
  const get = (query: Record<string, string>, headers: Record<string, string> = { 'x-apollo-operation-name': 'any' }) =>
    fetch(`${gateway.url}/graphql?${new URLSearchParams(query)}`, { headers });
  const codesOf = async (response: Response) => {
    const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
    return errors?.map((error) => error.extensions.code);
  };

  describe('requests', () => {
    test('a query is answered by POST and by GET', async () => {
      for (const response of [await post({ query: VIEWER }), await get({ query: VIEWER })]) {
        expect([response.status, await response.json()]).toEqual([
          200,
          { data: { viewer: { userPrincipalName: 'anonymous' } } },
        ]);
      }
    });

    test('variables and operationName are honoured by POST and by GET', async () => {
      const query =
        'query A { viewer { roles } } query B($is: Boolean!) { viewer { userPrincipalName @include(if: $is) roles } }';
      const variables = { is: false };
      const posted = await post({ query, variables, operationName: 'B' });
      const got = await get({ query, variables: JSON.stringify(variables), operationName: 'B' });
      for (const response of [posted, got]) expect(await response.json()).toEqual({ data: { viewer: { roles: [] } } });
    });

    test('GET never runs a mutation', async () => {
      const mutation = `mutation { revokeAccess(input: { userPrincipalName: "a@b.example" }) { __typename } }`;
      const response = await get(
        { query: mutation },
        { authorization: `Bearer ${await gateway.token('GLOBAL_ADMIN')}`, 'apollo-require-preflight': 'true' },
      );
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('POST');
      expect(await codesOf(response)).toEqual(['BAD_REQUEST']);
      expect(await gateway.sql('select * from access_revocations')).toEqual([]);
    });

    test.each([
      ['GET', undefined],
      ['POST', 'text/plain'],
      ['POST', 'application/x-www-form-urlencoded'],
      ['POST', 'multipart/form-data; boundary=x'],
    ])('a %s as a foreign page can send it (%s) is refused', async (method, contentType) => {
      const response = await fetch(`${gateway.url}/graphql?query=${encodeURIComponent(VIEWER)}`, {
        method,
        ...(contentType ? { headers: { 'content-type': contentType }, body: JSON.stringify({ query: VIEWER }) } : {}),
      });
      expect([400, 415]).toContain(response.status);
      expect(await codesOf(response)).toEqual(['BAD_REQUEST']);
    });

    test('a batch is refused', async () => {
      const response = await post([{ query: VIEWER }, { query: VIEWER }]);
      expect([response.status, await codesOf(response)]).toEqual([400, ['BAD_REQUEST']]);
    });

    test.each([
      ['malformed JSON', '{"query": '],
      ['an empty body', ''],
      ['a number', '7'],
      ['null', 'null'],
      ['no query', '{}'],
      ['a query that is no text', '{"query": {"a": 1}}'],
      ['an empty query', '{"query": ""}'],
      ['variables that are a list', JSON.stringify({ query: VIEWER, variables: [] })],
      ['variables that are text', JSON.stringify({ query: VIEWER, variables: '{' })],
      ['extensions that are text', JSON.stringify({ query: VIEWER, extensions: 'x' })],
      ['an operationName that is a number', JSON.stringify({ query: VIEWER, operationName: 7 })],
      ['a prototype', '{"query": "{ viewer { roles } }", "__proto__": {"isAdmin": true}}'],
    ])('%s is answered 400 with a code', async (_what, body) => {
      const response = await post(body);
      expect([response.status, await codesOf(response)]).toEqual([400, ['BAD_REQUEST']]);
    });

    test.each(['application/xml', 'image/png'])('content type %s is answered 415', async (contentType) => {
      const response = await post(JSON.stringify({ query: VIEWER }), { 'content-type': contentType });
      expect([response.status, await codesOf(response)]).toEqual([415, ['BAD_REQUEST']]);
    });

    test('a body up to the limit is taken, a byte more is 413 LIMIT_EXCEEDED', async () => {
      const sized = (bytes: number) => {
        const body = JSON.stringify({ query: VIEWER, extensions: { padding: '' } });
        return body.replace('"padding":""', `"padding":"${'x'.repeat(bytes - body.length)}"`);
      };
      expect((await post(sized(limits.bodyBytes))).status).toBe(200);
      const refused = await post(sized(limits.bodyBytes + 1));
      expect([refused.status, await codesOf(refused)]).toEqual([413, ['LIMIT_EXCEEDED']]);
    });

    test('a persisted query that does not hold is refused with a code', async () => {
      const persisted = (persistedQuery: unknown) => post({ query: VIEWER, extensions: { persistedQuery } });
      for (const wrong of [{ version: 1, sha256Hash: 'a'.repeat(64) }, { version: 2, sha256Hash: 'a' }, 7]) {
        const response = await persisted(wrong);
        const { errors } = (await response.json()) as { errors: unknown };
        expect([response.status, errors]).toMatchObject([400, [{ extensions: { code: 'BAD_USER_INPUT' } }]]);
        expect(JSON.stringify(errors)).not.toContain('http');
      }
    });

    test('a document over a limit is 400 LIMIT_EXCEEDED', async () => {
      const response = await post({ query: `{ viewer { ${'roles '.repeat(limits.tokens)} } }` });
      expect([response.status, await codesOf(response)]).toEqual([400, ['LIMIT_EXCEEDED']]);
    });

    test('other methods are refused', async () => {
      for (const method of ['PUT', 'DELETE', 'PATCH']) {
        const response = await fetch(`${gateway.url}/graphql`, { method });
        expect([method, response.status, await codesOf(response)]).toEqual([method, 405, ['BAD_REQUEST']]);
      }
    });

    test('a subscription over HTTP is refused', async () => {
      const response = await post({ query: 'subscription { activity { __typename } }' });
      expect([response.status, await codesOf(response)]).toEqual([400, ['BAD_REQUEST']]);
    });
  });

  describe('answers', () => {
    const accepted = { accept: RESPONSE_TYPE };

    test('graphql-response+json is answered in kind, plain JSON where nothing is asked for', async () => {
      const typeOf = async (headers: Record<string, string>) =>
        (await post({ query: VIEWER }, headers)).headers.get('content-type');
      expect(await typeOf(accepted)).toMatch(new RegExp(`^${RESPONSE_TYPE.replace('+', '\\+')}; charset=utf-8`));
      expect(await typeOf({ accept: `${RESPONSE_TYPE}, ${JSON_TYPE};q=0.9` })).toContain(RESPONSE_TYPE);
      expect(await typeOf({ accept: '*/*' })).toMatch(/^application\/json; charset=utf-8/);
      expect(await typeOf({ accept: JSON_TYPE })).toMatch(/^application\/json; charset=utf-8/);
    });

    test.each([
      ['what is not GraphQL', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
      ['what the schema does not know', { query: '{ unknown }' }, 'GRAPHQL_VALIDATION_FAILED'],
      [
        'an operation that is not there',
        { query: 'query A { viewer { roles } }', operationName: 'B' },
        'OPERATION_RESOLUTION_FAILURE',
      ],
      [
        'several operations and no name',
        { query: 'query A { viewer { roles } } query B { viewer { roles } }' },
        'OPERATION_RESOLUTION_FAILURE',
      ],
      [
        'a variable that does not fit',
        { query: 'query ($id: ID!) { node(id: $id) { id } }', variables: {} },
        'BAD_USER_INPUT',
      ],
    ])('%s is 400 without data', async (_what, body, code) => {
      for (const headers of [accepted, { accept: JSON_TYPE }]) {
        const response = await post(body, headers);
        const answer = (await response.json()) as Record<string, unknown>;
        expect([response.status, Object.keys(answer), answer]).toEqual([
          400,
          ['errors'],
          { errors: [expect.objectContaining({ message: expect.any(String), extensions: { code } })] },
        ]);
      }
    });

    test('a field that fails is 200 with data and error, at its path', async () => {
      const { status, data, errors } = await gateway.run('{ viewer { roles } node(id: "broken") { id } }');
      expect(status).toBe(200);
      expect(data).toEqual({ viewer: { roles: ['GLOBAL_ADMIN'] }, node: null });
      expect(errors).toEqual([
        {
          message: expect.stringContaining('id'),
          path: ['node'],
          locations: [expect.any(Object)],
          extensions: { code: 'BAD_USER_INPUT', field: 'id' },
        },
      ]);
    });

    test('no token is an anonymous viewer; a bad one is 401, distinguishably', async () => {
      const anonymous = await gateway.run('{ orders { totalCount } }', {}, null);
      expect(anonymous).toMatchObject({
        status: 200,
        data: { orders: null },
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      });
      for (const authorization of ['Bearer not.a.token', 'Basic YTpi', 'Bearer', 'nonsense']) {
        const response = await post({ query: VIEWER }, { authorization });
        expect([authorization, response.status]).toEqual([authorization, 401]);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="csp-graph"/);
        expect(await codesOf(response)).toEqual(['UNAUTHENTICATED']);
      }
    });

    test('a correlation id is echoed, and stands in the log entry of the mutation; a strange one is replaced', async () => {
      const correlationId = randomUUID();
      await come(gateway, 'left@partner.example');
      const authorization = `Bearer ${await gateway.token('GLOBAL_ADMIN')}`;
      const query = `mutation { revokeAccess(input: { userPrincipalName: "left@partner.example" }) { __typename } }`;
      const response = await post({ query }, { authorization, 'x-correlation-id': correlationId.toUpperCase() });
      expect(response.headers.get('x-correlation-id')).toBe(correlationId);
      expect(
        await gateway.sql('select 1 from activity_entries where correlation_id = ?', [correlationId]),
      ).toHaveLength(1);

      const strange = await post({ query: VIEWER }, { 'x-correlation-id': "'; drop table orders" });
      expect(strange.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    });

    test('security headers are on every answer', async () => {
      for (const response of [await post({ query: VIEWER }), await fetch(`${gateway.url}/health/live`)]) {
        expect(Object.fromEntries(response.headers)).toMatchObject({
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'SAMEORIGIN',
          'strict-transport-security': expect.stringContaining('max-age'),
          'referrer-policy': 'no-referrer',
        });
        expect(response.headers.get('x-powered-by')).toBeNull();
        expect(response.headers.get('access-control-allow-origin')).toBeNull();
      }
    });
  });

  describe('other routes', () => {
    test('health says live and ready', async () => {
      for (const state of ['live', 'ready']) {
        const response = await fetch(`${gateway.url}/health/${state}`);
        expect([response.status, await response.json()]).toEqual([200, { status: state }]);
      }
    });

    test('metrics are counted, and hold no secret', async () => {
      const token = await gateway.token('ADMIN_AGENT');
      await gateway.run(VIEWER, {}, { token });
      const response = await fetch(`${gateway.url}/metrics`);
      const metrics = await response.text();
      expect(response.headers.get('content-type')).toContain('text/plain');
      for (const name of ['csp_graph_sockets', 'csp_graph_feed_subscribers', 'csp_graph_feed_position_seq'])
        expect(metrics).toMatch(new RegExp(`^${name} \\d+`, 'm'));
      const { signingSecret } = gateway.gateway.services.config;
      for (const secret of [token, new TextDecoder().decode(signingSecret), 'partner.example', 'postgres://'])
        expect(metrics).not.toContain(secret);
    });

    test.each([
      '/nothing',
      '/graphql/',
      '/downloads/broken',
      '/downloads/..%2f..%2fetc%2fpasswd',
      '/support-requests/broken/files',
      '/%00',
      '/%ff',
    ])('%s is a plain 4xx in JSON', async (path) => {
      const response = await fetch(`${gateway.url}${path}`);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      expect(response.headers.get('content-type')).toContain(JSON_TYPE);
      const text = await response.text();
      expect(JSON.parse(text)).not.toHaveProperty('statusCode');
      expect(text).not.toMatch(/at .*\.(js|ts)|node_modules/);
    });
  });
});

describe(`what nobody foresaw, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await startTestGateway();
  });
  afterEach(() => gateway.stop());

  test('is masked, with an id that is in the log; the answer has no SQL, no table and no stack', async () => {
    const customer = await aCustomer(gateway);
    await gateway.sql('alter table support_requests rename to support_requests_gone');
    await gateway.sql('alter table orders rename column placed_by to placed_by_gone');
    const operations: [string, Record<string, unknown>][] = [
      ['{ supportRequests { nodes { id } } }', {}],
      [
        'query ($id: ID!) { node(id: $id) { ... on SupportRequest { title } } }',
        { id: toGlobalId('SupportRequest', randomUUID()) },
      ],
      ['{ orders { nodes { placedBy } } }', {}],
      [
        'mutation ($input: SubmitSupportRequestInput!) { submitSupportRequest(input: $input) { __typename } }',
        {
          input: {
            idempotencyKey: randomUUID(),
            customerId: customer.id,
            topic: 'CSP Purchase/Refund on behalf of customers',
            impact: 'MINIMAL',
            title: 'a',
            description: 'b',
            contact: { name: 'a', email: 'a@example.com', phone: '+1 425 555 0100' },
          },
        },
      ],
    ];
    for (const [document, variables] of operations) {
      const { errors } = await gateway.run(document, variables);
      expect(errors).toHaveLength(1);
      const { message, extensions } = errors?.[0] ?? {};
      expect(extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', id: expect.any(String) });
      expect(message).toBe(`Something went wrong on our side. Tell support this id: ${extensions.id}`);
      expect(JSON.stringify({ message, extensions })).not.toMatch(
        /select |insert |relation|column|support_requests|placed_by|\.[jt]s:/i,
      );
      const told = gateway.log.map((line) => JSON.parse(line)).filter((line) => line.id === extensions.id);
      expect(told).toMatchObject([
        { level: 50, err: { message: expect.stringMatching(/support_requests|placed_by/) } },
      ]);
    }
  });

  test('a route that fails outside the graph is masked too', async () => {
    await gateway.sql('alter table download_links rename to download_links_gone');
    const token = await gateway.gateway.services.signer.sign('download', { link: randomUUID() }, null);
    const response = await fetch(`${gateway.url}/downloads/${token}`);
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toMatch(/select|download_links|relation|\.[jt]s/i);
    const [{ extensions }] = JSON.parse(text).errors;
    expect(extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', id: response.headers.get('x-correlation-id') });
    expect(gateway.log.some((line) => line.includes(extensions.id) && line.includes('download_links'))).toBe(true);
  });

  test('a second gateway on the same port does not start, and the first one goes on', async () => {
    const { port } = new URL(gateway.url);
    const database = await testDatabase();
    await expect(startTestGateway({ database, config: { port: Number(port) } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await database.drop();
    expect((await gateway.run(VIEWER)).data.viewer.userPrincipalName).toContain('@');
  });

  test('health is not ready while the database is out of reach', async () => {
    const { orm, config } = gateway.gateway.services;
    if (config.database.kind === 'embedded') await orm.close(true);
    else {
      const name = new URL(config.database.url).pathname.slice(1);
      await onServer((client) => client.query(`drop database ${name} with (force)`));
    }
    const response = await fetch(`${gateway.url}/health/ready`);
    expect([response.status, await response.json()]).toEqual([503, { status: 'database out of reach' }]);
    expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
  });
});
