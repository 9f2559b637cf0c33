import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Role } from '../../../src/auth/role.js';
import { costOfBytes, points } from '../../../src/cost/points.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway, testCosts } from '../../support/gateway.js';
import { aCustomer, stockShop, type TestCustomer } from '../../support/shop.js';
import { uploadUrlOf } from '../../support/software.js';
import { until } from '../../support/until.js';

const MEBIBYTE = 2 ** 20;
const ONE = '{ customer(by: { domain: "a.example" }) { id } }';

describe(`what uploads cost, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  beforeAll(async () => {
    const perMinute = { ...testCosts.perMinute, byRole: new Map([['HELPDESK_AGENT', 500]]) };
    gateway = await startTestGateway({ config: { cost: { ...testCosts, perMinute, uploadBudget: 1 } } });
    await stockShop(gateway);
    customer = await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  const tokenOf = (name: string, role: Role = 'ADMIN_AGENT') =>
    gateway.token(role, { user: `${name}@partner.example` });
  const anAddress = async (name: string, role?: Role) =>
    uploadUrlOf(gateway, customer, { token: await tokenOf(name, role) });
  const send = async (url: string, ...sizes: number[]) => {
    const form = new FormData();
    for (const size of sizes) form.append('f', new File(['a'.repeat(size)], 'a.txt', { type: 'text/plain' }));
    const answer = await fetch(url, { method: 'POST', body: form });
    const { code, message } = (await answer.json()) as { code?: string; message?: string };
    return { status: answer.status, code, message, retryAfter: Number(answer.headers.get('retry-after')) };
  };
  const storedOf = async (name: string) => {
    const [row] = await gateway.sql<{ bytes: string | null }>(
      `select sum(length(content))::text as bytes from support_files f
        join support_requests r on r.id = f.support_request_id where r.submitted_by = ?`,
      [`${name}@partner.example`],
    );
    return Number(row?.bytes ?? 0);
  };
  const refused = (bound: string) => gateway.gateway.services.refusals.counts.get(bound) ?? 0;

  test('between two pieces of a file others are answered', async () => {
    const url = await anAddress('sliced');
    expect((await gateway.run(ONE)).status).toBe(200);
    const { turns } = gateway.gateway.services;
    const take = turns.take.bind(turns);
    const waiting: (() => void)[] = [];
    const spy = jest.spyOn(turns, 'take').mockImplementation(async (caller) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return take(caller);
    });
    try {
      let status = 0;
      void send(url, MEBIBYTE / 2).then((answer) => {
        status = answer.status;
      });
      let pieces = 0;
      for (; ; pieces += 1) {
        await until('another piece waits for its turn, or all are done', async () => waiting.length > 0 || status > 0);
        if (status > 0) break;
        expect((await gateway.run(ONE)).data).toEqual({ customer: null });
        waiting.shift()?.();
      }
      expect(status).toBe(201);
      // It is received, put together, and judged in eight slices.
      expect(pieces).toBeGreaterThanOrEqual(2 + 2 + 8);
    } finally {
      spy.mockRestore();
      for (const go of waiting) go();
    }
  });

  test('whoever made the address pays for each byte, also of what is not taken', async () => {
    const [url, token] = [await anAddress('payer'), await tokenOf('payer')];
    const left = async () => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-csp-cost': '1' };
      const answer = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ query: ONE }),
      });
      const { extensions } = (await answer.json()) as { extensions: { cost: { left: number } } };
      return extensions.cost.left;
    };
    const before = await left();
    expect((await send(url, MEBIBYTE / 2)).status).toBe(201);
    const after = await left();
    // What stands between the files is paid for too.
    const isAbout = (spent: number, bytes: number) => {
      const least = points.upload + costOfBytes(bytes) + 1;
      expect([least, least + 1]).toContain(spent);
    };
    isAbout(before - after, MEBIBYTE / 2);
    const program = new FormData();
    program.append('f', new File([`#!${'a'.repeat(MEBIBYTE - 2)}`], 'a.txt', { type: 'text/plain' }));
    expect((await fetch(url, { method: 'POST', body: program })).status).toBe(415);
    isAbout(after - (await left()), MEBIBYTE);
  });

  test('an upload beyond the points of the minute is refused, and the next one before its body is read', async () => {
    const url = await anAddress('spender', 'HELPDESK_AGENT');
    expect((await send(url, 0.875 * MEBIBYTE)).status).toBe(201);
    const before = refused('costBudget');
    const beyond = await send(url, 0.6 * MEBIBYTE);
    expect(beyond).toMatchObject({
      status: 429,
      code: 'RATE_LIMITED',
      message: expect.stringMatching(/spent the points/),
    });
    expect(beyond.retryAfter).toBeGreaterThan(0);
    expect(await send(url)).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(refused('costBudget')).toBe(before + 2);
    expect(await storedOf('spender')).toBe(0.875 * MEBIBYTE);
    // The points are those of the role that the address was made with.
    expect((await send(await anAddress('other'), 0.875 * MEBIBYTE)).status).toBe(201);
  });

  test('a user has so many bytes stored in a day, whatever the number of addresses; what is refused takes none', async () => {
    const [first, second] = [await anAddress('hoarder'), await anAddress('hoarder')];
    expect((await send(first, ...Array<number>(9).fill(10))).status).toBe(201);
    expect(await send(first, 0.4 * MEBIBYTE, 0.4 * MEBIBYTE)).toMatchObject({ status: 409, code: 'TOO_MANY_FILES' });
    expect((await send(second, 0.6 * MEBIBYTE)).status).toBe(201);
    const before = refused('uploadBudget');
    const third = await anAddress('hoarder');
    const beyond = await send(third, 0.6 * MEBIBYTE);
    expect(beyond).toMatchObject({
      status: 429,
      code: 'RATE_LIMITED',
      message: expect.stringMatching(/may upload 1 MiB in a day, and of yours 0 MiB are left/),
    });
    expect(beyond.retryAfter).toBeGreaterThan(3_600);
    expect(refused('uploadBudget')).toBe(before + 1);
    expect((await send(third, 0.2 * MEBIBYTE)).status).toBe(201);
    expect((await send(await anAddress('thrifty'), 0.6 * MEBIBYTE)).status).toBe(201);
  });
});
