import { randomUUID } from 'node:crypto';
import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { askRaw } from '../support/raw-http.js';

const VIEWER = '{ viewer { userPrincipalName } }';
const ASKED = new URLSearchParams({ query: VIEWER });
const PAGE = 'https://app.example.com';
const STRANGER = 'https://evil.example';

/** Every address, with the methods that it takes. */
const addresses: [path: string, methods: string][] = [
  ['/', 'GET, HEAD, OPTIONS'],
  ['/graphql', 'GET, HEAD, OPTIONS, POST'],
  ['/graphql/stream', 'GET, HEAD, OPTIONS, POST'],
  ['/schema.graphql', 'GET, HEAD, OPTIONS'],
  ['/exports/activity.csv', 'GET, HEAD, OPTIONS'],
  ['/exports/activity.jsonl', 'GET, HEAD, OPTIONS'],
  ['/downloads/any', 'GET, HEAD, OPTIONS'],
  ['/support-requests/any/files', 'OPTIONS, POST'],
  ['/live', 'GET, HEAD, OPTIONS'],
  ['/live/live.js', 'GET, HEAD, OPTIONS'],
  ['/signed-in', 'GET, HEAD, OPTIONS'],
  ['/playground/config.json', 'GET, HEAD, OPTIONS'],
  ['/playground/assets/any.js', 'GET, HEAD, OPTIONS'],
  ['/health/live', 'GET, HEAD, OPTIONS'],
  ['/health/ready', 'GET, HEAD, OPTIONS'],
  ['/metrics', 'GET, HEAD, OPTIONS'],
];

describe(`HTTP's own rules, on ${engine}`, () => {
  let gateway: TestGateway;
  let authorization: string;
  beforeAll(async () => {
    gateway = await startTestGateway({ config: { corsOrigins: [PAGE] } });
    authorization = `Bearer ${await gateway.token('GLOBAL_ADMIN')}`;
  });
  afterAll(() => gateway.stop());

  const ask = (path: string, init: RequestInit = {}) => fetch(`${gateway.url}${path}`, init);
  const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
    ask('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: body as string,
    });
  const told = async (response: Response) => {
    const { errors } = (await response.json()) as { errors: { message: string; extensions: { code: string } }[] };
    return errors[0] as (typeof errors)[number];
  };

  describe('methods', () => {
    test.each(addresses)('%s takes %s, says so, and refuses any other', async (path, methods) => {
      const options = await ask(path, { method: 'OPTIONS' });
      expect([options.status, options.headers.get('allow'), await options.text()]).toEqual([204, methods, '']);
      const others = METHODS.filter((method) => !methods.split(', ').includes(method) && method !== 'CONNECT');
      const answers = await Promise.all(
        others.map(async (method) => {
          const head = [`${method} ${path} HTTP/1.1`, 'host: gateway', 'content-length: 0', 'connection: close'];
          const { status, headers, body } = await askRaw(gateway.url, head);
          const code = method === 'HEAD' ? 'BAD_REQUEST' : JSON.parse(body).errors[0].extensions.code;
          return [method, status, headers['allow'], code];
        }),
      );
      expect(answers).toEqual(others.map((method) => [method, 405, methods, 'BAD_REQUEST']));
    });

    test('an address that is not there is 404 by whichever method', async () => {
      for (const method of ['GET', 'POST', 'PUT', 'OPTIONS'])
        expect([method, (await ask('/nothing', { method })).status]).toEqual([method, 404]);
    });

    test('a method that HTTP does not know is 400, OPTIONS of the whole server 204, a tunnel is not made', async () => {
      const status = async (line: string) => (await askRaw(gateway.url, [line, 'host: x', 'connection: close'])).status;
      expect(await status('BREW /graphql HTTP/1.1')).toBe(400);
      expect(await status('OPTIONS * HTTP/1.1')).toBe(204);
      expect(await status('CONNECT example.com:443 HTTP/1.1')).toBe(405);
    });

    test.each([
      ['/', 'text/html'],
      [`/graphql?${ASKED}`, 'application/json'],
      [`/graphql/stream?${ASKED}`, 'text/event-stream'],
      ['/schema.graphql', '*/*'],
      ['/exports/activity.csv', 'text/csv'],
      ['/live', 'text/html'],
      ['/health/live', '*/*'],
      ['/metrics', 'text/plain'],
    ])('HEAD %s answers as GET would, without a body', async (path, accept) => {
      const headers = { accept, authorization, 'apollo-require-preflight': '1' };
      const head = await ask(path, { method: 'HEAD', headers });
      const get = await ask(path, { headers });
      expect([head.status, await head.text()]).toEqual([200, '']);
      if (!path.startsWith('/graphql/stream')) expect(get.status).toBe(200);
      else expect(get.headers.get('content-type')).toContain('text/event-stream');
      for (const name of ['content-type', 'cache-control', 'etag', 'vary'])
        if (!(path.startsWith('/graphql/stream') && name === 'cache-control'))
          expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)]);
      await get.body?.cancel();
    });

    test.each(['/graphql/stream', '/graphql/stream?variables={}', '/graphql'])(
      'HEAD %s asks for nothing, and is refused as GET is',
      async (path) => {
        const headers = { accept: path === '/graphql' ? '*/*' : 'text/event-stream', authorization };
        const [head, get] = [await ask(path, { method: 'HEAD', headers }), await ask(path, { headers })];
        expect([head.status, get.status, await head.text()]).toEqual([400, 400, '']);
      },
    );

    test('HEAD runs no mutation and reads no log', async () => {
      const query = 'mutation { revokeAccess(input: { userPrincipalName: "a@b.example" }) { __typename } }';
      const response = await ask(`/graphql?${new URLSearchParams({ query })}`, {
        method: 'HEAD',
        headers: { authorization, 'apollo-require-preflight': '1' },
      });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    });
  });

  describe('media types, charsets and codings', () => {
    const german = JSON.stringify({
      query: 'query ($name: String) { customers(filter: { search: $name }) { totalCount } }',
      variables: { name: 'Müller' },
    });

    test.each(['iso-8859-1', 'latin1', 'windows-1252', 'utf-16', 'utf-16le', '"ISO-8859-1"', 'us-ascii'])(
      'charset=%s is refused with 415, at every address',
      async (charset) => {
        for (const path of ['/graphql', '/graphql/stream', '/support-requests/any/files']) {
          const response = await ask(path, {
            method: 'POST',
            headers: { 'content-type': `application/json; charset=${charset}` },
            body: Buffer.from(german, 'latin1'),
          });
          expect([path, response.status, (await told(response)).message]).toEqual([
            path,
            415,
            expect.stringContaining('UTF-8'),
          ]);
        }
      },
    );

    test('bytes that are not UTF-8 are refused, whatever the label says; UTF-8 is taken', async () => {
      for (const type of ['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8']) {
        for (const body of [Buffer.from(german, 'latin1'), Buffer.from(`\ufeff${german}`, 'utf16le')]) {
          const response = await post(body, { 'content-type': type, authorization });
          expect([type, response.status, (await told(response)).message]).toEqual([
            type,
            400,
            'The body is not text in UTF-8.',
          ]);
        }
        expect((await post(Buffer.from(german), { 'content-type': type, authorization })).status).toBe(200);
      }
      expect((await post(Buffer.from(german, 'utf16le'), { authorization })).status).toBe(400);
    });

    test('half a character, written as JSON may, is refused: no table takes it', async () => {
      for (const half of ['\\ud83d', '\\uDE00', 'a\\ud83d\\ud83d'])
        expect([half, (await post(german.replace('Müller', half), { authorization })).status]).toEqual([half, 400]);
      expect((await post(german.replace('Müller', '\\ud83d\\ude00'), { authorization })).status).toBe(200);
    });

    test('a key that would change a prototype is refused as what it is, and text that is no JSON as that', async () => {
      for (const body of [
        '{"query":"{ __typename }","__proto__":{}}',
        '{"query":"x","variables":{"constructor":{"prototype":{}}}}',
      ]) {
        const response = await post(body, { authorization });
        expect([body, response.status, (await told(response)).message]).toEqual([
          body,
          400,
          expect.stringContaining('__proto__'),
        ]);
      }
      const response = await post('{"query":', { authorization });
      expect([response.status, (await told(response)).message]).toEqual([400, expect.stringContaining('JSON')]);
    });

    test('an address whose query is not UTF-8 is refused', async () => {
      for (const query of ['query=%FF', 'query=%E4%', 'a=%C3&query=x', 'query=M%FCller'])
        for (const path of ['/graphql', '/exports/activity.csv', '/'])
          expect([path, query, (await ask(`${path}?${query}`, { headers: { authorization } })).status]).toEqual([
            path,
            query,
            400,
          ]);
    });

    test.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, identity'])(
      'a body in %s is 415, with what is taken',
      async (coding) => {
        const response = await post(german, { 'content-encoding': coding });
        expect([response.status, response.headers.get('accept-encoding')]).toEqual([415, 'identity']);
        expect((await post(german, { 'content-encoding': 'identity', authorization })).status).toBe(200);
      },
    );

    test.each([
      ['/graphql', 'application/json'],
      ['/graphql/stream', 'application/json'],
      ['/support-requests/any/files', 'multipart/form-data'],
    ])('a body of another type at %s is 415, with what is taken: %s', async (path, taken) => {
      for (const type of [
        'text/plain',
        'application/xml',
        'application/graphql',
        'application/x-www-form-urlencoded',
      ]) {
        const response = await ask(path, { method: 'POST', headers: { 'content-type': type }, body: 'x' });
        expect([type, response.status, response.headers.get('accept')]).toEqual([type, 415, taken]);
      }
    });

    test.each([
      ['/graphql', 'application/json'],
      ['/schema.graphql', 'text/plain'],
      ['/exports/activity.csv', 'text/csv'],
      ['/exports/activity.jsonl', 'application/x-ndjson'],
      ['/live', 'text/html'],
      ['/live/live.js', 'text/javascript'],
      ['/health/live', 'application/json'],
      ['/metrics', 'text/plain'],
      ['/graphql/stream', 'text/event-stream'],
    ])('whoever takes nothing that %s answers is told 406: %s', async (path, type) => {
      const headers = { authorization, 'apollo-require-preflight': '1' };
      const url = path === '/graphql' ? `${path}?${ASKED}` : path;
      const response = await ask(url, { headers: { ...headers, accept: 'image/png' } });
      expect([response.status, (await response.text()).includes(type)]).toEqual([406, true]);
      const taken = await ask(url, { headers: { ...headers, accept: `image/png, ${type};q=0.1` } });
      expect(taken.status).not.toBe(406);
      await taken.body?.cancel();
    });
  });

  describe('challenges', () => {
    const challenge = async (path: string, value?: string) => {
      const response = await ask(path, value === undefined ? {} : { headers: { authorization: value } });
      return [response.status, response.headers.get('www-authenticate')];
    };
    const NONE = 'Bearer realm="csp-graph"';

    test.each(['/exports/activity.csv', '/graphql', '/graphql/stream', '/schema.graphql'])(
      'at %s a token that does not hold is invalid_token, and what is no token names no error',
      async (path) => {
        const [status, refused] = await challenge(path, 'Bearer not.a.token');
        expect([status, refused]).toEqual([
          401,
          expect.stringMatching(/^Bearer realm="csp-graph", error="invalid_token", error_description="[^"\\]+"$/),
        ]);
        expect(await challenge(path, 'Basic YTpi')).toEqual([401, NONE]);
      },
    );

    test('an expired one says so; no token names no error; too few rights are insufficient_scope', async () => {
      const expired = await gateway.token('GLOBAL_ADMIN', { ttl: '-1h' });
      expect(await challenge('/graphql', `Bearer ${expired}`)).toEqual([
        401,
        `${NONE}, error="invalid_token", error_description="expired"`,
      ]);
      expect(await challenge('/exports/activity.csv')).toEqual([401, NONE]);
      expect(await challenge('/exports/activity.csv', `Bearer ${await gateway.token('SALES_AGENT')}`)).toEqual([
        403,
        `${NONE}, error="insufficient_scope", error_description="The activity log is not for your roles."`,
      ]);
    });
  });

  describe('caches', () => {
    test('nobody keeps an answer unless it says otherwise, and none to a POST', async () => {
      const kept = async (path: string, init: RequestInit = {}) => {
        const response = await ask(path, init);
        await response.body?.cancel();
        return [path, response.status, response.headers.get('cache-control'), response.headers.get('etag')];
      };
      for (const [path, status] of [
        ['/health/live', 200],
        ['/metrics', 200],
        ['/nothing', 404],
        ['/downloads/any', 404],
        ['/exports/activity.csv', 401],
        ['/playground/config.json', 200],
      ])
        expect(await kept(String(path))).toEqual([path, status, 'no-store', null]);
      expect(await kept('/%ff')).toEqual(['/%ff', 400, 'no-store', null]);
      const init = { method: 'POST', headers: { 'content-type': 'application/json', authorization } };
      for (let turn = 0; turn < 2; turn += 1)
        expect(await kept('/graphql', { ...init, body: JSON.stringify({ query: VIEWER }) })).toEqual([
          '/graphql',
          200,
          'no-store',
          null,
        ]);
      const refused = { headers: { authorization: 'Bearer a.b.c' } };
      expect(await kept(`/graphql?${ASKED}`, refused)).toEqual([`/graphql?${ASKED}`, 401, 'no-store', null]);
    });

    test('what is somebody’s own is private, asked for each time, and differs by who asks and how', async () => {
      for (const path of [`/graphql?${ASKED}`, '/schema.graphql']) {
        const { headers } = await ask(path, { headers: { authorization, 'apollo-require-preflight': '1' } });
        expect(headers.get('cache-control')).toBe('private, no-cache');
        const vary = headers.get('vary')?.split(', ').toSorted();
        expect(vary).toEqual(['accept', 'accept-encoding', 'authorization', 'origin']);
      }
    });

    test.each([`/graphql?${ASKED}`, '/schema.graphql', '/', '/live', '/live/live.js'])(
      'conditions on %s: 304 for who has it, 412 where it must be another',
      async (path) => {
        const headers = { authorization, 'apollo-require-preflight': '1', accept: '*/*' };
        const status = async (condition: Record<string, string> = {}) => {
          const response = await ask(path, { headers: { ...headers, ...condition } });
          return [response.status, response.headers.get('etag'), (await response.text()) !== ''];
        };
        if (path === '/') Object.assign(headers, { accept: 'text/html' });
        const [, tag] = (await status()) as [number, string, boolean];
        expect(tag).toMatch(/^W\/"[\w-]{43}"$/);
        for (const same of [tag, tag.slice(2), '*', `"other", ${tag}`])
          expect([same, await status({ 'if-none-match': same })]).toEqual([same, [304, tag, false]]);
        expect(await status({ 'if-none-match': '"other"' })).toEqual([200, tag, true]);
        expect(await status({ 'if-match': '*' })).toEqual([200, tag, true]);
        for (const strong of ['"other"', tag]) expect(await status({ 'if-match': strong })).toEqual([412, tag, false]);
      },
    );
  });

  describe('pages of other origins', () => {
    const preflight = (origin: string, path = '/graphql') =>
      ask(path, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      });

    test('a named one may ask and read; others are told in words which setting is meant', async () => {
      const allowed = await preflight(PAGE);
      expect([allowed.status, Object.fromEntries(allowed.headers)]).toMatchObject([
        204,
        {
          'access-control-allow-origin': PAGE,
          'access-control-allow-methods': 'GET, HEAD, OPTIONS, POST',
          'access-control-allow-headers': expect.stringMatching(/authorization, content-type/),
          'access-control-max-age': '7200',
          vary: expect.stringContaining('origin'),
        },
      ]);
      for (const origin of [STRANGER, 'null', `${PAGE}.evil.example`, 'http://app.example.com', `${PAGE}:8443`]) {
        const refused = await preflight(origin);
        expect([origin, refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
          origin,
          403,
          null,
        ]);
        expect((await told(refused)).message).toMatch(/may not ask this gateway.*CORS_ORIGINS/);
      }
    });

    test.each(addresses.map(([path]) => path))('%s says whose pages may read it', async (path) => {
      const headersFor = async (origin: string) => {
        const { headers, body } = await ask(path, { headers: { origin } });
        await body?.cancel();
        return headers;
      };
      const named = await headersFor(PAGE);
      expect(named.get('access-control-allow-origin')).toBe(PAGE);
      for (const name of ['etag', 'retry-after', 'x-correlation-id', 'www-authenticate'])
        expect(named.get('access-control-expose-headers')).toContain(name);
      for (const headers of [named, await headersFor(STRANGER)]) {
        expect(headers.get('vary')).toContain('origin');
        expect(headers.get('access-control-allow-credentials')).toBeNull();
      }
      expect((await headersFor(STRANGER)).get('access-control-allow-origin')).toBeNull();
    });
  });

  test('what is beyond a bound is counted', async () => {
    const correlationId = randomUUID();
    const long = await ask('/graphql', {
      headers: { 'x-correlation-id': correlationId, 'x-long': 'x'.repeat(20_000) },
    });
    expect([long.status, (await told(long)).extensions.code]).toEqual([431, 'LIMIT_EXCEEDED']);
    expect(await metricOf(gateway, 'csp_graph_refusals_total{bound="headerBytes"}')).toBe(1);
  });
});
