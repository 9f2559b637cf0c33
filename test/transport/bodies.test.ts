import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { costOfText, points } from '../../src/cost/points.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { openLine } from '../support/line.js';
import { answersIn, askRaw, sendRaw } from '../support/raw-http.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { aCustomer, stockShop } from '../support/shop.js';
import { uploadUrlOf } from '../support/software.js';
import { until } from '../support/until.js';

const HOST = 'host: gateway';
const JSON_TYPE = 'content-type: application/json';
const CHUNKED = 'transfer-encoding: chunked';
const OBJECTS = `[${Array(40_000).fill('{}').join()}]`;
const LARGE = `{"query":"{ __typename }","variables":{"a":"${'x'.repeat(120_000)}"}}`;
/** As many bytes in one chunk each. */
const bytesApart = (count: number) => '1\r\nx\r\n'.repeat(count);

describe(`bodies, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
  });
  afterAll(() => gateway.stop());

  const spent = () => [...gateway.gateway.services.costs.spent.values()].reduce((sum, points) => sum + points, 0);
  const spentBy = async (work: () => Promise<unknown>) => {
    const before = spent();
    await work();
    return spent() - before;
  };
  const refused = (bound: string) => gateway.gateway.services.refusals.counts.get(bound) ?? 0;
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });

  describe('are paid for by their size, whatever is in them', () => {
    test.each<[string, string, string, number]>([
      ['a long text', '/graphql', LARGE, 200],
      ['objects', '/graphql', `{"query":"{ __typename }","variables":{"a":${OBJECTS}}}`, 400],
      ['a long text of an event stream', '/graphql/stream', LARGE, 200],
      ['what is no JSON', '/graphql', `{"a":[${'{},'.repeat(40_000)}]}`, 400],
      ['a batch', '/graphql', OBJECTS, 400],
      ['a batch after blanks', '/graphql', ` \r\n\t${OBJECTS}`, 400],
      ['a small batch', '/graphql', '[{"query":"{ __typename }"}]', 400],
      ['a small body that is no JSON', '/graphql', '{"query":', 400],
    ])('%s', async (_what, path, body, status) => {
      const cost = await spentBy(async () => {
        const answer = await post(path, body, path === '/graphql' ? {} : { accept: 'text/event-stream' });
        expect(answer.status).toBe(status);
        await answer.text();
      });
      const least = points.operation + costOfText(body.length);
      expect(cost).toBeGreaterThanOrEqual(least);
      // What is refused also pays for what would have been free.
      expect(cost).toBeLessThan(least + 1 + 4_096 * points.character);
    });

    test('a message of a WebSocket', async () => {
      const raw = await openAcknowledged(gateway, null);
      const message = { id: '1', type: 'subscribe', payload: JSON.parse(LARGE) };
      const cost = await spentBy(async () => {
        raw.send(message);
        expect(await raw.next()).toMatchObject({ id: '1', type: 'next' });
      });
      expect(cost).toBe(points.operation + costOfText(JSON.stringify(message).length));
      raw.socket.close();
    });

    test('one whose length is not told', async () => {
      const text = [
        'POST /graphql HTTP/1.1',
        HOST,
        JSON_TYPE,
        CHUNKED,
        'connection: close',
        '',
        LARGE.length.toString(16),
        LARGE,
        '0',
        '',
        '',
      ].join('\r\n');
      const cost = await spentBy(async () => expect(await sendRaw(gateway.url, text)).toContain('HTTP/1.1 200'));
      expect(cost).toBe(points.operation + costOfText(LARGE.length));
    });
  });

  test('a batch is refused in words', async () => {
    const answer = await post('/graphql', '[]');
    expect(await answer.json()).toEqual({
      errors: [
        {
          message: 'A request holds one operation, an object: a list of several is not taken.',
          extensions: { code: 'BAD_REQUEST' },
        },
      ],
    });
  });

  test('with a bad token, or at an address that is not there, none is read', async () => {
    // Half a body: whoever waits for the rest would answer nothing.
    const half = (line: string, ...headers: string[]) =>
      askRaw(gateway.url, [line, HOST, JSON_TYPE, 'content-length: 1000', ...headers], '{"query":');
    const token = await half('POST /graphql HTTP/1.1', 'authorization: Bearer a.b.c');
    expect([token.status, token.headers['connection']]).toEqual([401, 'close']);
    for (const [line, status] of [
      ['POST /nothing HTTP/1.1', 404],
      ['PUT /graphql HTTP/1.1', 405],
      ['GET /health/live HTTP/1.1', 200],
      ['POST /health/live HTTP/1.1', 405],
      ['GET /schema.graphql HTTP/1.1', 200],
      ['GET /live HTTP/1.1', 200],
      ['GET /downloads/any HTTP/1.1', 404],
    ] as const) {
      const answer = await half(line, ...(line.includes('live') ? ['accept: */*'] : []));
      expect([line, answer.status, answer.headers['connection']]).toEqual([line, status, 'close']);
    }
  });

  test('an answer that comes early finds its way, though its client sends on and on; then the connection is cut', async () => {
    const line = await openLine(gateway, `PUT /graphql HTTP/1.1\r\n${HOST}\r\n${CHUNKED}\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    let sent = 0;
    const send = () => {
      while (!line.socket.destroyed && line.socket.write(chunk)) sent += chunk.length;
    };
    line.socket.on('drain', send);
    send();
    await line.closed;
    const [answer] = answersIn(line.heard());
    expect([answer?.status, answer?.headers['connection']]).toEqual([405, 'close']);
    // What the kernels of both sides hold, and not what a minute brings.
    expect(sent).toBeLessThan(64 * 2 ** 20);
  });

  test.each(['POST /graphql', 'PUT /graphql', 'GET /health/live'])(
    'of %s a body in too many pieces is cut off, and counted',
    async (start) => {
      const before = refused('bodyPieces');
      const head = `${start} HTTP/1.1\r\n${HOST}\r\n${JSON_TYPE}\r\n${CHUNKED}\r\n\r\n`;
      const line = await openLine(gateway, head + bytesApart(5_000));
      await line.closed;
      // What is answered at once is read on no more, and not cut for its pieces where they come after that.
      if (start.startsWith('POST')) {
        expect(answersIn(line.heard())).toMatchObject([{ status: 413, body: expect.stringContaining('bodyPieces') }]);
        expect(refused('bodyPieces')).toBe(before + 1);
      } else expect(refused('bodyPieces')).toBeLessThanOrEqual(before + 1);
    },
  );

  test('many pieces are taken where they are larger', async () => {
    const body = `{"query":"{ __typename }","variables":{"a":"${'x'.repeat(200_000)}"}}`;
    const pieces = body.match(/.{1,300}/g)?.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`) ?? [];
    const head = ['POST /graphql HTTP/1.1', HOST, JSON_TYPE, CHUNKED, 'connection: close', '', ''].join('\r\n');
    expect(await sendRaw(gateway.url, `${head}${pieces.join('')}0\r\n\r\n`)).toContain('HTTP/1.1 200');
  });

  test('of one connection a few requests run at once, and all are answered in their order', async () => {
    const many = 200;
    const ask = (close = '') => `GET /health/live HTTP/1.1\r\n${HOST}\r\n${close}\r\n`;
    const text = await sendRaw(gateway.url, `${ask().repeat(many - 1)}${ask('connection: close\r\n')}`);
    expect(answersIn(text).map(({ status }) => status)).toEqual(Array(many).fill(200));
  });

  test('whoever leaves gives back the places of all requests that it has sent on one connection', async () => {
    const many = 50;
    const small = await startTestGateway({ bounds: { operationsPerAddress: many } });
    try {
      for (let round = 0; round < 3; round += 1) {
        const line = await openLine(
          small,
          `POST /graphql HTTP/1.1\r\n${HOST}\r\n${JSON_TYPE}\r\ncontent-length: 9\r\n\r\n`,
        );
        line.socket.write(`{"a": 1 }${`GET /graphql HTTP/1.1\r\n${HOST}\r\n\r\n`.repeat(many - 1)}`);
        line.socket.destroy();
        await line.closed;
      }
      await until('all are given back', async () => (await fetch(`${small.url}/schema.graphql`)).status === 200);
    } finally {
      await small.stop();
    }
  });

  describe('of uploads', () => {
    const PART = 'content-disposition: form-data; name="f"; filename="a.txt"\r\ncontent-type: text/plain\r\n';
    const FIELD = '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n';
    const upload = async (user: string) => {
      const token = await gateway.token('ADMIN_AGENT', { user: `${user}@partner.example` });
      const { pathname } = new URL(await uploadUrlOf(gateway, await aCustomer(gateway), { token }));
      return (body: string, type = 'multipart/form-data; boundary=b') =>
        askRaw(
          gateway.url,
          [`POST ${pathname} HTTP/1.1`, HOST, `content-type: ${type}`, CHUNKED, 'connection: close'],
          body,
        );
    };
    const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

    test.each<[string, string, number, string]>([
      ['fields', FIELD.repeat(20), 400, 'MALFORMED_BODY'],
      ['files', `--b\r\n${PART}\r\nx\r\n`.repeat(20), 409, 'TOO_MANY_FILES'],
      ['parts without a name', `--b\r\n${'x-a: y\r\n'.repeat(50)}\r\nz\r\n`.repeat(20), 400, 'MALFORMED_BODY'],
    ])(
      'too many %s are refused before the end of the body, and what came is paid for',
      async (what, body, status, code) => {
        const send = await upload(what.replaceAll(' ', '-'));
        const large = body.repeat(20);
        const cost = await spentBy(async () => {
          // It has no end.
          const answer = await send(chunk(large));
          expect([answer.status, JSON.parse(answer.body).code, answer.headers['connection']]).toEqual([
            status,
            code,
            'close',
          ]);
        });
        expect(cost).toBeGreaterThan(points.upload);
      },
    );

    test('what stands before the first part is paid for, and bounded', async () => {
      const send = await upload('preamble');
      const preamble = '\r\n--a'.repeat(50_000);
      const form = `\r\n--b\r\n${PART}\r\nhello\r\n--b--\r\n`;
      const cost = await spentBy(async () => {
        expect((await send(`${chunk(preamble)}${chunk(form)}0\r\n\r\n`)).status).toBe(201);
      });
      expect(cost).toBeGreaterThan((preamble.length / 2 ** 20) * points.uploadedMebibyte);
    });

    test('no other type is read', async () => {
      const send = await upload('json');
      for (const type of ['application/json', 'text/plain']) {
        const answer = await send(chunk(LARGE), type);
        expect([answer.status, JSON.parse(answer.body).code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
      }
    });
  });
});
