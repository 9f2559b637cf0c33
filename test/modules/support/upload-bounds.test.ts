import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { costOfBytes, points } from '../../../src/cost/points.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, stockShop, type TestCustomer } from '../../support/shop.js';
import { uploadUrlOf } from '../../support/software.js';
import { until } from '../../support/until.js';

const BYTES = 100_000;
const PART = '--b\r\ncontent-disposition: form-data; name="f"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\n';

describe(`bounds of uploads, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  beforeAll(async () => {
    gateway = await startTestGateway({
      bounds: { uploadsPerUser: 1, uploadBytes: BYTES, uploadBytesPerUser: 0.6 * BYTES },
      config: { trustedProxies: ['loopback'] },
    });
    await stockShop(gateway);
    customer = await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  const anAddress = async (user: string) =>
    uploadUrlOf(gateway, customer, { token: await gateway.token('ADMIN_AGENT', { user: `${user}@partner.example` }) });
  const told = async (answer: Response) => {
    const { code, message } = (await answer.json()) as { code?: string; message?: string };
    return { status: answer.status, code, message, retryAfter: answer.headers.get('retry-after') };
  };
  const send = async (url: string, contents: string[], address = '203.0.113.1') => {
    const form = new FormData();
    form.append('comment', 'x');
    for (const content of contents) form.append('f', new File([content], 'a.txt', { type: 'text/plain' }));
    return told(await fetch(url, { method: 'POST', body: form, headers: { 'x-forwarded-for': address } }));
  };
  const spent = () => [...gateway.gateway.services.costs.spent.values()].reduce((sum, points) => sum + points, 0);
  /** Begins an upload of one file, and leaves it there until it is told to end. */
  const begin = (url: string, content: string, address = '203.0.113.1') => {
    const before = spent();
    let end: () => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from(PART + content));
        end = () => {
          controller.enqueue(Buffer.from('\r\n--b--\r\n'));
          controller.close();
        };
      },
    });
    const headers = { 'content-type': 'multipart/form-data; boundary=b', 'x-forwarded-for': address };
    const answer = fetch(url, { method: 'POST', headers, body, duplex: 'half' } as RequestInit).then(told);
    const isPaidFor = () => spent() >= before + points.upload + costOfBytes(content.length);
    let isOver = false;
    void answer.then(() => {
      isOver = true;
    });
    return { answer, isOver: () => isOver, end: () => end(), received: () => until('it has come', isPaidFor) };
  };
  const refused = (bound: string) => gateway.gateway.services.refusals.counts.get(bound) ?? 0;

  test('whoever made an address has few uploads at once', async () => {
    const url = await anAddress('one');
    const first = begin(url, 'text');
    let second = await send(url, []);
    await until('the first one has begun', async () => {
      second = await send(url, []);
      return second.code !== 'NO_FILE';
    });
    expect(second).toEqual({
      status: 429,
      code: 'LIMIT_EXCEEDED',
      message: 'A user may have 1 uploads at once. Wait until one has ended, or end one.',
      retryAfter: '1',
    });
    expect(refused('uploadsPerUser')).toBeGreaterThan(0);
    expect((await send(await anAddress('another'), ['text'])).status).toBe(201);
    first.end();
    expect((await first.answer).status).toBe(201);
    expect((await send(url, ['text'])).status).toBe(201);
  });

  test('all uploads together hold no more bytes than the process may', async () => {
    const [mine, theirs] = [await anAddress('large'), await anAddress('larger')];
    let first = begin(mine, 'a'.repeat(0.6 * BYTES));
    await first.received();
    const before = refused('uploadBytes');
    // What it sends is judged before it is kept: of a program nothing stays, whether there was memory for it or not.
    const program = `#!${'b'.repeat(0.5 * BYTES)}`;
    let second = await send(theirs, [program], '203.0.113.2');
    await until('the first one holds its bytes', async () => {
      // Where the second one held its own before, the first was refused.
      if (first.isOver()) first = begin(mine, 'a'.repeat(0.6 * BYTES));
      second = await send(theirs, [program], '203.0.113.2');
      return second.status !== 415;
    });
    expect(second).toEqual({
      status: 503,
      code: 'LIMIT_EXCEEDED',
      message: 'Other uploads hold all the memory that there is for them. Send it again in a few seconds.',
      retryAfter: '5',
    });
    expect(refused('uploadBytes')).toBeGreaterThan(before);
    first.end();
    expect((await first.answer).status).toBe(201);
    expect((await send(theirs, ['b'.repeat(0.5 * BYTES)], '203.0.113.2')).status).toBe(201);
    // What a refused one held is free again.
    expect((await send(theirs, ['c'.repeat(0.6 * BYTES)])).status).toBe(201);
  });

  test('a user, and an address, hold a share of them, so that others have room', async () => {
    const [mine, colleagues, theirs] = [
      await anAddress('sharer'),
      await anAddress('colleague'),
      await anAddress('guest'),
    ];
    const beyond = { status: 429, code: 'LIMIT_EXCEEDED', retryAfter: '5' };
    const before = refused('uploadBytesPerUser');
    expect(await send(mine, ['a'.repeat(0.7 * BYTES)])).toEqual({
      ...beyond,
      message: 'The uploads of a user may have 60000 bytes on their way at once. Wait until one has ended.',
    });
    expect(refused('uploadBytesPerUser')).toBe(before + 1);
    let first = begin(mine, 'a'.repeat(0.6 * BYTES));
    await first.received();
    const program = `#!${'b'.repeat(0.1 * BYTES)}`;
    let second = await send(colleagues, [program]);
    await until('the first one holds its bytes', async () => {
      if (first.isOver()) first = begin(mine, 'a'.repeat(0.6 * BYTES));
      second = await send(colleagues, [program]);
      return second.status !== 415;
    });
    expect(second).toEqual({
      ...beyond,
      message: 'The uploads from an address may have 60000 bytes on their way at once. Wait until one has ended.',
    });
    expect(refused('uploadBytesPerAddress')).toBeGreaterThan(0);
    expect((await send(theirs, ['c'.repeat(0.3 * BYTES)], '203.0.113.2')).status).toBe(201);
    first.end();
    expect((await first.answer).status).toBe(201);
    expect((await send(colleagues, ['d'.repeat(0.5 * BYTES)])).status).toBe(201);
  });

  test('an address that takes nothing more is answered before the body has come', async () => {
    const url = await anAddress('full');
    expect((await send(url, Array<string>(10).fill('text'))).status).toBe(201);
    const tooMany = begin(url, 'text');
    expect(await tooMany.answer).toMatchObject({ status: 409, code: 'TOO_MANY_FILES' });
    const unsigned = begin(url.replace(/[^.]+\/files$/, `${'A'.repeat(43)}/files`), 'text');
    expect(await unsigned.answer).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });
});
