import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway, testCosts } from '../../support/gateway.js';
import { aCustomer, stockShop } from '../../support/shop.js';
import { buySoftware, linkOf } from '../../support/software.js';
import { recordStatements, type StatementRecorder } from '../../support/statements.js';

const ALLOWED = 4;

describe(`bounds of links that open without a token, on ${engine}`, () => {
  let gateway: TestGateway;
  let recorder: StatementRecorder;
  beforeAll(async () => {
    gateway = await startTestGateway({
      config: { cost: { ...testCosts, refusedLinks: ALLOWED }, trustedProxies: ['loopback'] },
    });
    await stockShop(gateway);
    recorder = await recordStatements(gateway);
  });
  afterAll(async () => {
    recorder.stop();
    await gateway.stop();
  });

  const aLink = async () => (await linkOf(gateway, await buySoftware(gateway, await aCustomer(gateway)))).url;
  /** Opens a link from an address; says how it was answered, and which statements that took. */
  const open = async (url: string, address: string) => {
    let answer = new Response();
    const statements = await recorder.of(async () => {
      answer = await fetch(url, { headers: { 'x-forwarded-for': address } });
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text(), statements };
  };

  test('a link that we have not signed is no question to the database', async () => {
    const url = (await aLink()).replace(/[^.]+$/, 'A'.repeat(43));
    const { status, statements } = await open(url, '203.0.113.1');
    expect([status, statements]).toEqual([404, []]);
  });

  test('a dead link is found without a transaction', async () => {
    const url = await aLink();
    await gateway.sql('update download_links set downloads = maximum_downloads');
    const { status, statements } = await open(url, '203.0.113.2');
    expect(status).toBe(410);
    expect(statements.length).toBeGreaterThan(0);
    expect(statements.join('\n')).not.toMatch(/^(begin|start transaction)|for update/im);
  });

  test('good links are no attempts that were refused, however many are opened at once', async () => {
    const url = await aLink();
    const openings = Array.from({ length: 5 * ALLOWED }, () =>
      fetch(url, { headers: { 'x-forwarded-for': '203.0.113.5' } }),
    );
    const answers = await Promise.all(openings);
    expect(answers.map(({ status }) => status)).toEqual(Array(5 * ALLOWED).fill(200));
    await Promise.all(answers.map((answer) => answer.text()));
  });

  test('false ones at once are looked at as often as may be refused, and no more', async () => {
    const openings = Array.from({ length: 5 * ALLOWED }, (_, at) =>
      fetch(`${gateway.url}/downloads/${at}`, { headers: { 'x-forwarded-for': '203.0.113.6' } }),
    );
    const statuses = (await Promise.all(openings)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([...Array(ALLOWED).fill(404), ...Array(4 * ALLOWED).fill(429)]);
  });

  test('an address that tries too many dead or false ones is refused before anything is looked at; no other is', async () => {
    const [good, dead] = [await aLink(), await aLink()];
    await gateway.sql('update download_links set downloads = maximum_downloads where id = ?', [
      JSON.parse(Buffer.from(dead.split('.').at(-2) as string, 'base64url').toString()).link,
    ]);
    const address = '203.0.113.3';
    const tries = [good, dead, `${gateway.url}/downloads/x`, dead, `${gateway.url}/downloads/y`];
    const statuses: number[] = [];
    for (const url of tries) statuses.push((await open(url, address)).status);
    expect(statuses).toEqual([200, 410, 404, 410, 404]);
    const { refusals } = gateway.gateway.services;
    const before = refusals.counts.get('refusedLinks') ?? 0;
    const { status, headers, text, statements } = await open(good, address);
    expect([status, statements]).toEqual([429, []]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(500);
    expect(JSON.parse(text)).toEqual({
      code: 'RATE_LIMITED',
      message: expect.stringMatching(
        /^Of the links that your address has tried 4 were refused lately: no more are looked at for \d+ s\.$/,
      ),
    });
    expect(refusals.counts.get('refusedLinks')).toBe(before + 1);
    expect((await open(good, '203.0.113.4')).status).toBe(200);
  });
});
