import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { openLine } from '../support/line.js';
import { answersIn, askRaw, sendRaw } from '../support/raw-http.js';
import { until } from '../support/until.js';

const BODY = JSON.stringify({ query: '{ viewer { userPrincipalName } }' });
const LINE = 'POST /graphql HTTP/1.1';
const HOST = 'host: gateway';
const JSON_TYPE = 'content-type: application/json';
const LENGTH = `content-length: ${BODY.length}`;
const CLOSE = 'connection: close';
/** A request that must never be taken for one of its own where it is the body of another. */
const SMUGGLED = 'GET /health/live HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n';

describe(`requests byte by byte, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const statuses = async (...lines: string[]) =>
    answersIn(await sendRaw(gateway.url, lines.join('\r\n'))).map(({ status }) => status);

  test('one that is whole is answered, and so is the next on the same connection', async () => {
    const one = [LINE, HOST, JSON_TYPE, LENGTH, '', BODY].join('\r\n');
    const last = [LINE, HOST, JSON_TYPE, LENGTH, CLOSE, '', BODY].join('\r\n');
    const answers = answersIn(await sendRaw(gateway.url, `${one}${last}`));
    expect(answers.map(({ status, body }) => [status, JSON.parse(body).data.viewer.userPrincipalName])).toEqual([
      [200, 'anonymous'],
      [200, 'anonymous'],
    ]);
  });

  describe('whose end two readers could see in two places are refused, and nothing after them is read', () => {
    test.each<[string, string[]]>([
      ['length and chunks', [LINE, HOST, JSON_TYPE, LENGTH, 'transfer-encoding: chunked', '', '0', '', SMUGGLED]],
      [
        'chunks and length',
        [LINE, HOST, JSON_TYPE, 'transfer-encoding: chunked', 'content-length: 4', '', '0', '', SMUGGLED],
      ],
      ['two lengths', [LINE, HOST, JSON_TYPE, 'content-length: 4', LENGTH, '', `abcd${SMUGGLED}`]],
      ['the same length twice', [LINE, HOST, JSON_TYPE, LENGTH, LENGTH, '', BODY + SMUGGLED]],
      ['a list of lengths', [LINE, HOST, JSON_TYPE, `content-length: ${BODY.length}, 4`, '', BODY + SMUGGLED]],
      ['a length with a sign', [LINE, HOST, JSON_TYPE, 'content-length: +4', '', `abcd${SMUGGLED}`]],
      ['a length in hexadecimal', [LINE, HOST, JSON_TYPE, 'content-length: 0x4', '', `abcd${SMUGGLED}`]],
      ['a length below zero', [LINE, HOST, JSON_TYPE, 'content-length: -1', '', SMUGGLED]],
      ['a coding that is not chunked', [LINE, HOST, JSON_TYPE, 'transfer-encoding: identity', '', SMUGGLED]],
      ['chunked that is not last', [LINE, HOST, JSON_TYPE, 'transfer-encoding: chunked, gzip', '', '0', '', SMUGGLED]],
      [
        'a coding hidden by a tab',
        [LINE, HOST, JSON_TYPE, 'transfer-encoding:\tchunked', LENGTH, '', '0', '', SMUGGLED],
      ],
      [
        'a coding hidden by a letter',
        [LINE, HOST, JSON_TYPE, 'transfer-encoding: xchunked', LENGTH, '', '0', '', SMUGGLED],
      ],
      ['a blank before the colon', [LINE, HOST, JSON_TYPE, 'transfer-encoding : chunked', '', '0', '', SMUGGLED]],
      ['a chunk whose size is none', [LINE, HOST, JSON_TYPE, 'transfer-encoding: chunked', '', 'zz', '', SMUGGLED]],
      ['a chunk with a sign', [LINE, HOST, JSON_TYPE, 'transfer-encoding: chunked', '', '-1', '', SMUGGLED]],
      [
        'a header that goes on in the next line',
        [LINE, HOST, JSON_TYPE, 'x-folded: a', ' content-length: 4', '', SMUGGLED],
      ],
      [
        'a bare line feed between headers',
        [LINE, `${HOST}\ntransfer-encoding: chunked`, JSON_TYPE, '', '0', '', SMUGGLED],
      ],
      ['a bare carriage return', [LINE, `${HOST}\rtransfer-encoding: chunked`, JSON_TYPE, '', '0', '', SMUGGLED]],
      ['a NUL in a header', [LINE, HOST, 'x-nul: a\0b', '', SMUGGLED]],
      ['a header without a colon', [LINE, HOST, 'transfer-encoding chunked', '', SMUGGLED]],
      ['a version that is not there', ['POST /graphql HTTP/3.0', HOST, '', SMUGGLED]],
      ['blanks in the address', ['POST /graphql /x HTTP/1.1', HOST, '', SMUGGLED]],
    ])('%s', async (_what, lines) => {
      const [first = 0, ...others] = await statuses(...lines);
      expect([first, others]).toEqual([400, []]);
    });

    test('they are told in the form of every error, with a code, and the gateway answers the next', async () => {
      const { headers, body } = await askRaw(gateway.url, [LINE, HOST, 'content-length: x'], SMUGGLED);
      expect([headers['content-type'], headers['connection'], headers['cache-control']]).toEqual([
        'application/json; charset=utf-8',
        'close',
        'no-store',
      ]);
      expect(JSON.parse(body)).toEqual({
        errors: [{ message: 'This is not a request of HTTP/1.1.', extensions: { code: 'BAD_REQUEST' } }],
      });
      expect(await statuses(LINE, HOST, JSON_TYPE, LENGTH, CLOSE, '', BODY)).toEqual([200]);
    });
  });

  test('a coding beside chunked, and one in a version that has none, is refused before the body', async () => {
    for (const coding of ['gzip, chunked', 'deflate,chunked', 'chunked, chunked']) {
      const [first = 0] = await statuses(LINE, HOST, JSON_TYPE, `transfer-encoding: ${coding}`, '', '');
      expect([coding, [400, 501].includes(first)]).toEqual([coding, true]);
    }
    const { status, body } = await askRaw(gateway.url, [LINE, HOST, JSON_TYPE, 'transfer-encoding: gzip, chunked']);
    expect([status, JSON.parse(body).errors[0]]).toEqual([
      501,
      { message: 'Of transfer codings chunked is taken, alone.', extensions: { code: 'BAD_REQUEST' } },
    ]);
    const old = ['POST /graphql HTTP/1.0', HOST, JSON_TYPE, 'transfer-encoding: chunked', ''];
    expect(await statuses(...old, BODY.length.toString(16), BODY, '0', '', '')).toEqual([400]);
  });

  test('the server as a whole is asked for its OPTIONS alone', async () => {
    expect(await statuses('GET * HTTP/1.1', HOST, CLOSE, '', '')).toEqual([400]);
    expect(await statuses('OPTIONS * HTTP/1.1', HOST, CLOSE, '', '')).toEqual([204]);
  });

  describe('handshakes that are none are answered in the form of every error', () => {
    const upgrade = [HOST, 'connection: upgrade', 'upgrade: websocket'];
    const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';
    const version = 'sec-websocket-version: 13';
    test.each<[string, string[], number]>([
      ['without a key', ['GET /graphql HTTP/1.1', ...upgrade, version], 400],
      ['with a key that is none', ['GET /graphql HTTP/1.1', ...upgrade, version, 'sec-websocket-key: x'], 400],
      ['of another version', ['GET /graphql HTTP/1.1', ...upgrade, key, 'sec-websocket-version: 12'], 400],
      ['by POST', ['POST /graphql HTTP/1.1', ...upgrade, key, version], 405],
      ['of HTTP/1.0', ['GET /graphql HTTP/1.0', ...upgrade, key, version], 400],
      ['of a page elsewhere', ['GET /graphql HTTP/1.1', ...upgrade, key, version, 'origin: https://evil.example'], 403],
    ])('%s', async (what, lines, status) => {
      const answer = await askRaw(gateway.url, lines);
      expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/json; charset=utf-8']);
      const [error] = JSON.parse(answer.body).errors;
      expect(error).toEqual({ message: expect.any(String), extensions: { code: expect.stringMatching(/^[A-Z_]+$/) } });
      if (what.includes('version')) expect(answer.headers['sec-websocket-version']).toBe('13');
    });

    test('the whole address may be named', async () => {
      const line = await openLine(
        gateway,
        `${['GET http://gateway/graphql HTTP/1.1', ...upgrade, key, version].join('\r\n')}\r\n\r\n`,
      );
      await until('it is taken', () => line.heard().startsWith('HTTP/1.1 101'));
      line.socket.destroy();
    });
  });

  test('without a host nothing is answered, but by the version that had none', async () => {
    expect(await statuses(LINE, JSON_TYPE, LENGTH, CLOSE, '', BODY)).toEqual([400]);
    expect(await statuses('POST /graphql HTTP/1.0', JSON_TYPE, LENGTH, '', BODY)).toEqual([200]);
    for (const host of [
      '',
      'a b',
      'gateway/x',
      'user@gateway',
      "gateway; script-src 'unsafe-inline'",
      'gateway:x',
      '[::1',
    ])
      expect([host, await statuses(LINE, `host: ${host}`, JSON_TYPE, LENGTH, CLOSE, '', BODY)]).toEqual([host, [400]]);
    for (const host of ['gateway', 'gateway:4000', '127.0.0.1:1', '[::1]:4000', 'xn--mller-kva.example'])
      expect([host, await statuses(LINE, `host: ${host}`, JSON_TYPE, LENGTH, CLOSE, '', BODY)]).toEqual([host, [200]]);
  });

  test.each([
    ['host', 'host: elsewhere.example'],
    ['authorization', 'authorization: Bearer b'],
    ['content-type', 'content-type: text/plain'],
  ])('of two %s headers neither is believed', async (name, second) => {
    const first = ['authorization: Bearer a', JSON_TYPE, HOST];
    const { status, body } = await askRaw(gateway.url, [LINE, ...first, second, LENGTH, CLOSE], BODY);
    expect([status, JSON.parse(body).errors[0].message]).toEqual([400, `The header ${name} stands more than once.`]);
  });

  describe('addresses', () => {
    const get = async (target: string) => (await askRaw(gateway.url, [`GET ${target} HTTP/1.1`, HOST, CLOSE])).status;

    test.each([
      ['/health/live', 200],
      ['http://gateway/health/live', 200],
      ['HTTP://gateway:4000/health/live?x=1', 200],
      ['/health/%6Cive', 200],
      ['//health/live', 404],
      ['/health//live', 404],
      ['/health/live/', 404],
      ['/HEALTH/live', 404],
      ['/health%2Flive', 404],
      ['/health%2flive', 404],
      ['/./health/live', 404],
      ['/x/../health/live', 404],
      ['/health/live%00', 404],
      ['/health/live;x=1', 404],
      ['/health\\live', 404],
      ['/playground/assets/../../../package.json', 403],
      ['/playground/assets/..%2f..%2f..%2fpackage.json', 404],
      ['/playground/assets/%2e%2e/%2e%2e/package.json', 403],
      ['/playground/assets/..%5c..%5cpackage.json', 403],
      ['/playground/assets/%252e%252e%252fpackage.json', 404],
      ['/playground/assets//etc/passwd', 403],
      ['/playground/assets/.', 403],
      ['/live/../../package.json', 404],
      ['/downloads/..%2f..%2fpackage.json', 404],
      ['/health/%', 400],
      ['/health/%zz', 400],
      ['/%c0%af', 400],
      [`/downloads/${'x'.repeat(2_001)}`, 414],
      [`/health/live?${'x'.repeat(17_000)}`, 431],
      ['health/live', 400],
      ['gateway:4000', 400],
      ['ftp://gateway/health/live', 404],
    ])('%s is answered %i', async (target, status) => {
      expect([target, await get(target)]).toEqual([target, status]);
    });

    test('letters as they are, unencoded, do not get lost: they are refused', async () => {
      const { status } = await askRaw(gateway.url, ['GET /graphql?query=M\xfcller HTTP/1.1', HOST, CLOSE]);
      expect(status).toBe(400);
    });
  });

  describe('proxies', () => {
    const asked = async (trustedProxies: string[], headers: string[]) => {
      const other = await startTestGateway({ config: { trustedProxies } });
      try {
        const get = ['GET /live HTTP/1.1', 'host: gateway:4000', 'accept: text/html', CLOSE];
        const { headers: told } = await askRaw(other.url, [...get, ...headers]);
        return told['content-security-policy'];
      } finally {
        await other.stop();
      }
    };

    test('are believed where they are trusted alone: which host was asked for', async () => {
      const forwarded = ['x-forwarded-for: 203.0.113.9', 'x-forwarded-host: graph.example.com'];
      expect(await asked([], forwarded)).toContain('wss://gateway:4000');
      expect(await asked(['10.0.0.0/8'], forwarded)).toContain('wss://gateway:4000');
      expect(await asked(['loopback'], forwarded)).toContain('wss://graph.example.com');
    });
  });

  describe('expectations', () => {
    test('100-continue is told to go on, anything else 417', async () => {
      const text = await sendRaw(
        gateway.url,
        [LINE, HOST, JSON_TYPE, LENGTH, 'expect: 100-continue', CLOSE, '', BODY].join('\r\n'),
      );
      expect(answersIn(text).map(({ status }) => status)).toEqual([100, 200]);
      expect(await statuses(LINE, HOST, JSON_TYPE, LENGTH, 'expect: a miracle', CLOSE, '', BODY)).toEqual([417]);
    });

    test('TE asks for nothing that is not there, and an upgrade to anything but a socket is passed over', async () => {
      expect(await statuses(LINE, HOST, JSON_TYPE, LENGTH, 'te: trailers, gzip', CLOSE, '', BODY)).toEqual([200]);
      const upgrade = ['connection: upgrade, close', 'upgrade: h2c', HOST];
      expect(await statuses('GET /health/live HTTP/1.1', ...upgrade, '', '')).toEqual([200]);
      // As curl --http2 and Java's client ask.
      const settings = ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAMAAABkAAQAoAAA'];
      expect(await statuses(LINE, HOST, ...settings, JSON_TYPE, LENGTH, CLOSE, '', BODY)).toEqual([200]);
      const elsewhere = ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13', HOST];
      const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';
      expect(await statuses('GET /elsewhere HTTP/1.1', ...elsewhere, key, CLOSE, '', '')).toEqual([404]);
    });
  });
});
