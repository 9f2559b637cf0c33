import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Kysely } from 'kysely';
import pino from 'pino';
import { readConfig } from '../../src/config/config.js';
import type { PartnerCenterConfig } from '../../src/config/partner-center-config.js';
import { openSharedCounters } from '../../src/cost/shared-counters.js';
import { poolOf } from '../../src/database/execute.js';
import { migrate, type Orm, openOrm } from '../../src/database/orm.js';
import { bodyOf } from '../../src/partner-center/rest/body.js';
import {
  CALLS_COUNTER,
  CallBudget,
  type CallCounter,
  ownCounter,
  WINDOW_MS,
} from '../../src/partner-center/rest/call-budget.js';
import { handlingOf, PartnerCenterFailure } from '../../src/partner-center/rest/failure.js';
import { type OpenedPartnerCenter, openPartnerCenter } from '../../src/partner-center/rest/open.js';
import { readAll } from '../../src/partner-center/rest/pages.js';
import { invoiceForm } from '../../src/partner-center/rest/resources.js';
import { guidOf, instantOf, wordOf } from '../../src/partner-center/rest/spelling.js';
import { entities } from '../../src/schema/entities.js';
import { engine, serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import type { Fault } from '../support/partner-center/faults.js';
import { settingsFor } from '../support/partner-center/settings.js';
import { type Simulator, startSimulator } from '../support/partner-center/simulator.js';
import { CLIENT_ID, newRefreshToken } from '../support/partner-center/tokens.js';

const keys = [{ keyId: 'k1', secret: new Uint8Array(32).fill(1) }];

describe(`the client of Partner Center, on ${engine}`, () => {
  let database: TestDatabase;
  let orm: Orm;
  let simulator: Simulator;
  let config: PartnerCenterConfig;
  /** How long it would have waited, in milliseconds. */
  let pauses: number[];
  beforeAll(async () => {
    database = await testDatabase();
    orm = await openOrm(database.config, { entities, pglite: database.pglite });
    await migrate(orm);
  });
  afterAll(async () => {
    await orm.close(true);
    await database.drop();
  });
  beforeEach(async () => {
    simulator = await startSimulator({ listLagMs: 0 });
    config = settingsFor(simulator, { callsPerMinute: 1_000, timeoutMs: 60_000 });
    pauses = [];
    await orm.em.fork().execute('delete from "partner_center_sign_ins"');
  });
  afterEach(() => simulator.close());

  const open = (changed: Partial<PartnerCenterConfig> = {}): OpenedPartnerCenter => {
    const pause = async (ms: number) => void pauses.push(ms);
    const kysely = orm.em.fork().getKysely() as unknown as Kysely<unknown>;
    return openPartnerCenter({ config: { ...config, ...changed }, kysely, keys, counter: null, pause });
  };
  const fault = (name: Fault, strike = {}) => simulator.world.faults.switchOn(name, strike);
  const firstCustomer = () => simulator.world.state.customers[0]?.id as string;
  const failureOf = (asked: Promise<unknown>): Promise<PartnerCenterFailure> =>
    asked.then(
      () => Promise.reject(new Error('it did not fail')),
      (error) => error as PartnerCenterFailure,
    );
  const count = async (pages: AsyncGenerator<unknown[]>) => {
    let all = 0;
    for await (const page of pages) all += page.length;
    return all;
  };

  test('reads by pages with tokens and on one page, whatever the spelling', async () => {
    await simulator.close();
    simulator = await startSimulator({ customers: 1_203 });
    config = { ...config, serviceUrl: simulator.url, authorityUrl: simulator.url };
    const spelling = ['byteOrderMark', 'doubledHeaders', 'numbersAsText', 'upperCaseIds', 'timesWithoutZone'] as const;
    for (const name of [...spelling, 'malformedNextLinks'] as const) fault(name);
    const { partnerCenter } = open();
    const ids: string[] = [];
    for await (const page of partnerCenter.customers()) ids.push(...page.map(({ id }) => id));
    expect(ids).toEqual(simulator.world.state.customers.map(({ id }) => id));
    expect(simulator.calls.filter((call) => call === 'GET /v1/customers')).toHaveLength(3);
    expect(await partnerCenter.orders(firstCustomer())).toEqual([]);
  });

  test('invoices go on by offset until a page is not full, and prices keep their decimals', async () => {
    const { world } = simulator;
    const customerId = firstCustomer();
    for (let month = 0; month < 3; month += 1) {
      const line = { customerId, orderId: 'o', alternateId: 'a', productId: 'p', skuId: 's', catalogItemId: 'p:s:a' };
      const money = { chargeType: 'new' as const, quantity: 1, unitPrice: '10.55' };
      world.state.lines.push({
        ...line,
        ...money,
        title: 't',
        subscriptionId: '',
        termDuration: '',
        invoiceId: null,
        atMs: world.now(),
      });
      world.advance(32 * 86_400_000);
    }
    const { partnerCenter } = open();
    expect((await partnerCenter.invoices()).map(({ totalCharges }) => totalCharges)).toEqual([
      '10.55',
      '10.55',
      '10.55',
    ]);
    const inTwos = { path: '/v1/invoices', paging: { by: 'offset' as const, size: 2 }, item: invoiceForm };
    expect((await readAll(partnerCenter.client, inTwos)).map(({ id }) => id)).toEqual(
      world.state.invoices.map(({ id }) => id),
    );
    expect(simulator.calls.filter((call) => call.endsWith('/v1/invoices'))).toHaveLength(3);
    expect(bodyOf('\uFEFF{"price":0.12345678901234567890123}')).toEqual({
      kind: 'json',
      value: { price: '0.12345678901234567890123' },
    });
  });

  test('a page with fewer items than it says is asked for again, and never taken for complete', async () => {
    fault('pageMissing', { times: 1 });
    expect(await count(open().partnerCenter.customers())).toBe(12);
    fault('pageMissing');
    expect((await failureOf(count(open().partnerCenter.customers()))).text).toContain(
      'a page has 11 items and says 12',
    );
  });

  test('a user’s token for what an app may not; its refresh token is stored encrypted before it is used up', async () => {
    const { partnerCenter, signIn } = open();
    expect((await failureOf(partnerCenter.entitlements(firstCustomer()))).message).toContain(
      'npm run partner-center:sign-in',
    );
    const first = newRefreshToken(simulator.world);
    await signIn.store(first);
    expect(await partnerCenter.entitlements(firstCustomer())).toEqual([]);
    const [left] = Object.keys(simulator.world.state.refreshTokens);
    expect(left).not.toBe(first);
    const [row = {}] = await orm.em.fork().execute('select "encrypted", "held_by" from "partner_center_sign_ins"');
    expect(row.held_by).toBeNull();
    expect(Buffer.from(row.encrypted).toString('latin1')).not.toContain(left);
    expect(((await signIn.dueAt()) as Date).getTime()).toBeGreaterThan(Date.now() + 89 * 86_400_000);
  });

  test('processes that need a token at once use the refresh token one after the other', async () => {
    const processes = Array.from({ length: 8 }, () => open());
    await processes[0]?.signIn.store(newRefreshToken(simulator.world));
    const answers = await Promise.all(
      processes.map(({ partnerCenter }) => partnerCenter.entitlements(firstCustomer())),
    );
    expect(answers).toHaveLength(8);
    expect(Object.keys(simulator.world.state.refreshTokens)).toHaveLength(1);
  });

  test('a claim on the sign-in whose process died lapses, and one who signed in meanwhile is not overwritten', async () => {
    const { signIn, partnerCenter } = open();
    await signIn.store(newRefreshToken(simulator.world));
    const claim = (until: string) =>
      orm.em
        .fork()
        .execute(`update "partner_center_sign_ins" set "held_by" = gen_random_uuid(), "held_until" = ${until}`);
    await claim("now() - interval '1 second'");
    await partnerCenter.entitlements(firstCustomer());
    const fresh = newRefreshToken(simulator.world);
    await signIn.use(async () => {
      await signIn.store(fresh);
      return { refreshToken: 'of the one before', result: null };
    });
    expect(await signIn.use(async (refreshToken) => ({ refreshToken, result: refreshToken }))).toBe(fresh);
  });

  test('somebody signs in by a device code', async () => {
    const { tokens, signIn, partnerCenter } = open();
    const begun = await tokens.beginSignIn();
    expect(begun.user_code).toMatch(/^[0-9A-F]{8}$/);
    await fetch(`${simulator.url}/simulator/device`, { method: 'POST' });
    await tokens.endSignIn(begun);
    expect(await signIn.dueAt()).toBeInstanceOf(Date);
    expect(await partnerCenter.entitlements(firstCustomer())).toEqual([]);
  });

  test('an application says who it is by a certificate, named by its thumbprint', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'csp-graph-certificate-'));
    const names = ['-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=gateway'];
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names], {
      cwd: folder,
    });
    if (made.status !== 0) {
      console.warn('SKIPPED: a certificate of the application: openssl is not on this machine.');
      return;
    }
    const pem = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name), 'utf8'));
    writeFileSync(join(folder, 'both.pem'), pem.join(''));
    const { credential } = readConfig({
      DATA_DIR: folder,
      PARTNER_CENTER_TENANT_ID: config.tenantId,
      PARTNER_CENTER_CLIENT_ID: CLIENT_ID,
      PARTNER_CENTER_CERTIFICATE_FILE: join(folder, 'both.pem'),
    }).partnerCenter as PartnerCenterConfig;
    rmSync(folder, { recursive: true });
    expect(credential.kind).toBe('certificate');
    expect(await count(open({ credential }).partnerCenter.customers())).toBe(12);
  });

  test.each<[Fault | 'another secret' | 'another audience', RegExp]>([
    ['another secret', /invalid_client.*PARTNER_CENTER_CLIENT_SECRET is wrong/],
    ['another audience', /code 900420: The token is for another audience/],
    ['tokenWithoutMfa', /code 10001: .*multi-factor/],
    ['refreshTokenExpired', /AADSTS700082.*sign in again/],
  ])('%s is told in words', async (name, words) => {
    const changed: Partial<PartnerCenterConfig> =
      name === 'another secret'
        ? { credential: { kind: 'secret', secret: 'another' } }
        : name === 'another audience'
          ? { audience: 'https://graph.windows.net' }
          : {};
    if (name !== 'another secret' && name !== 'another audience') fault(name);
    const { partnerCenter, signIn } = open(changed);
    await signIn.store(newRefreshToken(simulator.world));
    const isOfUser = name === 'tokenWithoutMfa' || name === 'refreshTokenExpired';
    const asked = isOfUser ? partnerCenter.entitlements(firstCustomer()) : count(partnerCenter.customers());
    expect((await failureOf(asked)).message).toMatch(words);
  });

  test('a refused token is got anew, once', async () => {
    const { partnerCenter } = open();
    fault('accessTokenRefused', { times: 1 });
    expect(await count(partnerCenter.customers())).toBe(12);
    fault('accessTokenRefused');
    expect(await failureOf(count(partnerCenter.customers()))).toMatchObject({ handling: 'token', status: 401 });
    expect(simulator.calls.filter((call) => call.endsWith('/customers'))).toHaveLength(4);
  });

  test.each<[Fault, string, number[]]>([
    ['tooManyRequests', 'busy', [1_000, 1_000, 1_000, 1_000]],
    ['unavailable', 'unknown', [500, 1_000, 2_000, 4_000]],
    ['htmlBody', 'unknown', [500, 1_000, 2_000, 4_000]],
    ['emptyBody', 'unknown', [500, 1_000, 2_000, 4_000]],
  ])('%s: a read is made five times, after growing pauses or as long as it is told', async (name, handling, waits) => {
    const { partnerCenter } = open();
    fault(name, { times: 4, at: '/v1/' });
    expect(await partnerCenter.orders(firstCustomer())).toEqual([]);
    expect(pauses).toEqual(waits);
    fault(name, { at: '/v1/' });
    const failure = await failureOf(partnerCenter.orders(firstCustomer()));
    expect(failure).toMatchObject({ handling, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(failure.text).not.toContain('<');
  });

  test('a write is made twice under one MS-RequestId, and where that is not answered its fate is unknown', async () => {
    const { partnerCenter } = open({ timeoutMs: 500 });
    const path = `/v1/customers/${firstCustomer()}/carts`;
    const product = simulator.world.state.products[0];
    const catalogItemId = `${product?.productId}:${product?.skuId}:${product?.availabilityId}`;
    const write = () =>
      partnerCenter.client.call({ method: 'POST', path, body: { lineItems: [{ id: 0, catalogItemId, quantity: 1 }] } });
    fault('cutAfterWrite', { times: 1, at: 'carts' });
    await write();
    expect(Object.keys(simulator.world.state.carts)).toHaveLength(1);
    fault('hangAfterWrite', { times: 2, at: 'carts' });
    expect(await failureOf(write())).toMatchObject({ handling: 'unknown', status: 0, text: 'no answer for 500 ms' });
    expect(Object.keys(simulator.world.state.carts)).toHaveLength(2);
  });

  test('what the service refused itself is not asked again, and says code, text and MS-RequestId', async () => {
    const { partnerCenter } = open();
    const failure = await failureOf(partnerCenter.orders('00000000-0000-4000-8000-000000000000'));
    expect(failure).toBeInstanceOf(PartnerCenterFailure);
    expect(failure).toMatchObject({ handling: 'missing', status: 404, code: '1000' });
    expect(failure.message).toBe(
      `Partner Center answered 404, code 1000: The customer was not found. (MS-RequestId ${failure.requestId})`,
    );
    expect(pauses).toEqual([]);
  });

  test('purchases use the whole budget, crawls leave a fifth of it, and who comes late waits for the next minute', async () => {
    const waited: number[] = [];
    const budget = new CallBudget(10, ownCounter(), async (ms) => {
      waited.push(ms);
      throw new Error('waits');
    });
    const taken = { crawl: 0, purchase: 0 };
    for (const priority of ['crawl', 'purchase'] as const)
      while (
        await budget.take(priority).then(
          () => true,
          () => false,
        )
      )
        taken[priority] += 1;
    // A crawl that has to wait is one that was counted.
    expect(taken).toEqual({ crawl: 8, purchase: 1 });
    expect(waited.every((ms) => ms > 0 && ms <= 60_000)).toBe(true);
  });

  (serverUrl ? test : test.skip)('processes share a budget, counted in the database', async () => {
    const pool = await poolOf(orm);
    const kysely = orm.em.fork().getKysely() as unknown as Kysely<unknown>;
    const counters = openSharedCounters({
      limiter: { kind: 'database' },
      pool,
      kysely,
      log: pino({ level: 'silent' }),
    });
    const pause = async () => {
      throw new Error('waits');
    };
    const budgetOf = () => new CallBudget(3, counters.counter(CALLS_COUNTER, WINDOW_MS) as CallCounter, pause);
    const [one, other] = [budgetOf(), budgetOf()];
    for (const budget of [one, other, one]) await budget.take('purchase');
    await expect(other.take('purchase')).rejects.toThrow('waits');
    expect([one.calls, other.calls]).toEqual([2, 1]);
    await counters.close();
  });

  test('spellings: words without case and underscores, GUIDs without case, instants with and without a zone', () => {
    expect([wordOf('UserPurchase'), wordOf('one_time'), guidOf('org:AB-CD')]).toEqual([
      'userpurchase',
      'onetime',
      'ab-cd',
    ]);
    const written = [
      '2026-03-02T09:14:07.1234567Z',
      '2026-03-02T01:14:07.123-08:00',
      '2026-03-02T09:14:07.123',
      '2026-03-02',
    ];
    expect(written.map((text) => instantOf(text)?.toISOString())).toEqual([
      '2026-03-02T09:14:07.123Z',
      '2026-03-02T09:14:07.123Z',
      '2026-03-02T09:14:07.123Z',
      '2026-03-02T00:00:00.000Z',
    ]);
    expect([instantOf('0001-01-01T00:00:00'), instantOf('soon')]).toEqual([null, null]);
  });

  test('what can be done about an answer goes by its code first, which may be a number', () => {
    const answers: [number, string | null][] = [
      [400, '400019'],
      [400, '2055'],
      [400, '800065'],
      [400, '900117'],
      [403, '2001'],
      [403, null],
      [401, null],
      [429, null],
      [503, '800080'],
      [503, null],
      [500, '800031'],
      [400, '0'],
      [501, '2002'],
      [504, null],
      [400, '2000'],
    ];
    expect(answers.map(([status, code]) => handlingOf(status, code))).toEqual([
      'moved',
      'changed',
      'done',
      'late',
      'forbidden',
      'unknown',
      'token',
      'busy',
      'busy',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'refused',
    ]);
  });
});
