import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  importPolicies,
  type PolicyImportOptions,
} from '../../../src/modules/catalog/policy-import/import-policies.js';
import {
  PolicyFileRefused,
  type PolicyRefusal,
  readPolicyFile,
} from '../../../src/modules/catalog/policy-import/policy-file.js';
import { loadReferenceData } from '../../../src/seed/reference/load-reference-data.js';
import { MarketsDocument, ProductsDocument } from '../../generated/graphql.js';
import { cancel } from '../../support/cancelling.js';
import { engine, serverUrl } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, aPrice, aSku, buy, skus, stockShop } from '../../support/shop.js';
import { entriesOf } from '../../support/software.js';

const onServer = serverUrl ? test : test.skip;

describe(`policies as data, on ${engine}`, () => {
  let gateway: TestGateway;
  let clock = new Date();
  beforeAll(async () => {
    gateway = await startTestGateway({ now: () => clock });
    await stockShop(gateway);
  });
  beforeEach(() => {
    clock = new Date();
  });
  afterAll(() => gateway.stop());

  const importing = async (lines: string[], options: PolicyImportOptions = {}) => {
    const refusals: PolicyRefusal[] = [];
    const onRefusal = (refusal: PolicyRefusal) => void refusals.push(refusal);
    const file = readPolicyFile(lines.join('\n'), onRefusal);
    const refusedRows = refusals.length;
    const summary = await importPolicies(gateway.gateway.services.orm, file, { ...options, refusedRows, onRefusal });
    return { summary, refusals };
  };
  const header = 'Kind,ProductId,SkuId,EffectiveDate,Sequence,Type,ExpiresAfter,SupportRequestRequired';
  const stored = () =>
    gateway.sql('select * from cancellation_policies order by sku_id nulls first, kind, effective_date');
  const policyOf = async ({ productId }: { productId: string }) => {
    const { data } = await gateway.run(ProductsDocument, { search: productId }, 'REPORT_VIEWER');
    return data.products?.nodes[0]?.skus[0];
  };

  test('rule 13: the 30 days of software, seven days with a first full day, support and never are rows, read through the graph', async () => {
    const of = async (productId: string) => (await policyOf({ productId }))?.cancellationPolicy;
    expect(await of('DG7GMGF0FKZV')).toEqual({
      effectiveDate: '2021-06-01',
      isCancellable: true,
      windowDays: 30,
      refundType: 'FULL',
      refundOptions: [{ sequence: 0, type: 'FULL', expiresAfter: 'P30D' }],
      supportRequestRequired: false,
    });
    expect(await of('CFQ7TTC0LH18')).toMatchObject({
      windowDays: 7,
      refundType: 'PRORATED',
      refundOptions: [
        { sequence: 0, type: 'FULL', expiresAfter: 'PT24H' },
        { sequence: 1, type: 'PARTIAL', expiresAfter: 'P7D' },
      ],
    });
    const none = { isCancellable: false, windowDays: null, refundType: null, refundOptions: [] };
    expect(await of('DZH318Z0BQ36')).toMatchObject({ ...none, supportRequestRequired: true });
    expect(await of('DZH318Z0XSLE')).toMatchObject({ ...none, supportRequestRequired: false });
    // Fields under other names, as clients may ask for them.
    const { data } = await gateway.run(
      '{ product(productId: "CFQ7TTC0LH18") { skus { p: cancellationPolicy { o: refundOptions { t: type __typename } } } } }',
      {},
      'SALES_AGENT',
    );
    const option = (t: string) => ({ t, __typename: 'RefundOption' });
    expect(data.product.skus[0].p.o).toEqual([option('FULL'), option('PARTIAL')]);
  });

  test('rule 13: an imported policy judges what is sold from its day on, and nothing that was sold before', async () => {
    const sku = await aSku(gateway, { refundOptions: [{ sequence: 0, type: 'PARTIAL', expiresAfter: 'P30D' }] });
    await aPrice(gateway, sku, '30.00');
    const customer = await aCustomer(gateway);
    const row = (date: string, option: string) => `,${sku.productId},1,${date},${option}`;
    const lines = [
      header,
      '# a remark',
      row('2031-01-01', '0,full,pt24h,'),
      row('2031-01-01', '1,PARTIAL,P7D,no'),
      row('2031-02-01', ',,,'),
    ];
    expect((await importing(lines, { dryRun: true })).summary).toMatchObject({ NEW: 2, kept: false });
    expect((await importing(lines)).summary).toEqual({
      refusedRows: 0,
      NEW: 2,
      CHANGED: 0,
      UNCHANGED: 0,
      REMOVED: 0,
      kept: true,
    });
    expect((await importing(lines)).summary).toMatchObject({ NEW: 0, CHANGED: 0, UNCHANGED: 2 });
    expect((await policyOf(sku))?.cancellationPolicies).toMatchObject([
      { effectiveDate: '2031-02-01', refundOptions: [] },
      { effectiveDate: '2031-01-01', refundOptions: [{ type: 'FULL' }, { type: 'PARTIAL' }] },
      { effectiveDate: '2020-01-01' },
      { effectiveDate: '2021-06-01' },
      { effectiveDate: '2019-12-01' },
      { effectiveDate: '2018-09-01' },
    ]);
    const soldAt = async (instant: string) => {
      clock = new Date(instant);
      return buy(gateway, customer, [{ ...sku, quantity: 1 }]);
    };
    const [before, after, never] = [
      await soldAt('2030-12-31T23:59:59.999Z'),
      await soldAt('2031-01-01T00:00:00Z'),
      await soldAt('2031-02-01T00:00:00Z'),
    ];
    expect(before.lines[0]).toMatchObject({
      cancellableUntil: '2031-01-30T23:59:00.000Z',
      refundOptions: [{ type: 'PARTIAL' }],
    });
    expect(after.lines[0]?.refundOptions).toEqual([
      { sequence: 0, type: 'FULL', expiresAt: '2031-01-02T00:00:00.000Z' },
      { sequence: 1, type: 'PARTIAL', expiresAt: '2031-01-08T23:59:00.000Z' },
    ]);
    expect(never.lines[0]).toMatchObject({ cancellableUntil: null, refundOptions: [], isCancellable: false });
    expect((await cancel(gateway, never)).__typename).toBe('ProductNotCancellable');
  });

  test('rule 13: a policy of a kind is for every SKU of it that has none of its own, and outlives the next start', async () => {
    clock = new Date('2032-05-01T10:00:00Z');
    await importing([header, 'SOFTWARE_SUBSCRIPTION,,,2032-05-01,0,FULL,P2D,', 'AZURE_RESERVATION,,,2032-05-01,,,,']);
    const before = await stored();
    await loadReferenceData(gateway.gateway.services.orm.em.fork());
    expect(await stored()).toEqual(before);
    const own = await aSku(gateway);
    await aPrice(gateway, own, '30.00');
    const customer = await aCustomer(gateway);
    const order = await buy(gateway, customer, [
      { ...skus.subscription, quantity: 1 },
      { ...own, quantity: 1 },
      { ...skus.reservation, quantity: 1 },
    ]);
    expect(order.lines).toMatchObject([
      { cancellableUntil: '2032-05-03T23:59:00.000Z' },
      { cancellableUntil: '2032-05-31T23:59:00.000Z' },
      { cancellableUntil: null, supportRequestRequired: false },
    ]);
  });

  test('bad rows are told by line and column, nothing is kept of their file, and of their policy with --keep-good', async () => {
    const lines = [
      header,
      'PERPETUAL_SOFTWARE,,,2033-01-01,0,PARTIAL,P30D,',
      'LINUX_PLAN,,,2033-01-01,0,FULL,P30D,',
      ',DG7GMGF0FKZV,9999,2033-01-01,0,FULL,P30D,',
      'SOFTWARE_SUBSCRIPTION,,,2033-01-01,0,FULL,P7D,',
      'SOFTWARE_SUBSCRIPTION,,,2033-01-01,1,PARTIAL,P7D,',
      'SOFTWARE_SUBSCRIPTION,,,2033-02-01,0,FULL,P1M,',
      'SOFTWARE_SUBSCRIPTION,,,2033-02-01,1,PARTIAL,P30D,',
      'SOFTWARE,,,2033-01-01,,,,',
      'AZURE_RESERVATION,,,01/02/2033,,,,',
      'AZURE_RESERVATION,,,2033-01-01,0,FULL,P1D,yes',
      'AZURE_RESERVATION,,,2033-02-01,,,,yes',
      'AZURE_RESERVATION,,,2033-03-01,0,FULL,P1D',
    ];
    const before = await stored();
    const { summary, refusals } = await importing(lines);
    expect(summary).toEqual({ refusedRows: 11, NEW: 1, CHANGED: 0, UNCHANGED: 0, REMOVED: 0, kept: false });
    expect(refusals.toSorted((a, b) => a.line - b.line).map(({ line, column }) => [line, column])).toEqual([
      [2, 'Type'],
      [3, 'Type'],
      [4, 'SkuId'],
      [5, null],
      [6, 'ExpiresAfter'],
      [7, 'ExpiresAfter'],
      [8, null],
      [9, 'Kind'],
      [10, 'EffectiveDate'],
      [11, 'Type'],
      [13, null],
    ]);
    for (const { reason } of refusals) expect(reason).toMatch(/\w{3}/);
    expect(await stored()).toEqual(before);
    expect((await importing(lines, { keepGood: true })).summary).toMatchObject({ NEW: 1, kept: true });
    expect(await stored()).toHaveLength(before.length + 1);
  });

  test.each([
    ['', /no rows/],
    ['Kind,EffectiveDate\nLINUX_PLAN,2033-01-01', /missing: Sequence, Type, ExpiresAfter/],
    ['Market;Kind\nBR;LINUX_PLAN', /unknown: "Market;Kind"/],
    ['Market,Kind,EffectiveDate,Closed,Why\nBR,LINUX_PLAN,2033-01-01,true,x', /unknown: "Why"/],
    ['Market,Kind,EffectiveDate,Closed\n"BR,LINUX_PLAN', /cannot be read/],
  ])('a file that is no file of policies is refused as a whole: %j', (text, reason) => {
    const reading = () => readPolicyFile(text, () => undefined);
    expect(reading).toThrow(PolicyFileRefused);
    expect(reading).toThrow(reason);
  });

  test('rule 1: closed markets have days: a market closes for a kind on one and opens on another', async () => {
    const customer = await aCustomer(gateway, { market: 'BR' });
    await aPrice(gateway, skus.subscription, '50.00', { market: 'BR', currency: 'BRL' });
    const rows = [
      'Market,Kind,EffectiveDate,Closed',
      'br,SOFTWARE_SUBSCRIPTION,2034-01-01,true',
      'BR,SOFTWARE_SUBSCRIPTION,2034-01-01,',
      'BR,software_subscription,2034-03-01,false',
      'BR,SOFTWARE_SUBSCRIPTION,2000-01-01,true',
      'BR,SOFTWARE_SUBSCRIPTION,2000-02-01,false',
    ];
    expect((await importing(rows)).summary).toMatchObject({ NEW: 4, kept: true });
    expect((await importing(rows)).summary).toMatchObject({ NEW: 0, UNCHANGED: 4 });
    const sold = async (instant: string) => {
      clock = new Date(instant);
      return buy(gateway, customer, [{ ...skus.subscription, quantity: 1 }]).then(
        () => 'sold',
        (error: Error) => JSON.parse(error.message).data.purchase.__typename,
      );
    };
    expect(await sold('2033-12-31T23:59:59.999Z')).toBe('sold');
    expect(await sold('2034-01-01T00:00:00Z')).toBe('ProductNotAvailableInMarket');
    expect(await sold('2034-03-01T00:00:00Z')).toBe('sold');
    const { markets } = (await gateway.run(MarketsDocument, {}, null)).data;
    expect(markets.find(({ code }) => code === 'BR')).toMatchObject({
      closedTo: [],
      closures: [
        { kind: 'SOFTWARE_SUBSCRIPTION', effectiveDate: '2000-01-01', isClosed: true },
        { effectiveDate: '2000-02-01', isClosed: false },
        { effectiveDate: '2034-01-01', isClosed: true },
        { effectiveDate: '2034-03-01', isClosed: false },
      ],
    });
    const faulty = [
      rows[0] as string,
      'ZZ,LINUX_PLAN,2034-01-01,',
      'BR,SOFTWARE_SUBSCRIPTION,2034-01-01,false',
      'BR,SOFTWARE_SUBSCRIPTION,2034-01-01,true',
      'Brazil,LINUX_PLAN,2034-01-01,',
      'BR,LINUX_PLAN,2034-01-01,perhaps',
    ];
    const { summary, refusals } = await importing(faulty);
    expect(summary).toMatchObject({ refusedRows: 4, kept: false });
    expect(refusals.map(({ line, column }) => [line, column]).toSorted()).toEqual([
      [2, 'Market'],
      [4, 'Closed'],
      [5, 'Market'],
      [6, 'Closed'],
    ]);
  });

  test('rules 1 and 13: what was imported is taken away again; what came before it holds, and what was sold keeps its own', async () => {
    const sku = await aSku(gateway);
    await aPrice(gateway, sku, '10.00');
    const customer = await aCustomer(gateway);
    const day = new Date().toISOString().slice(0, 10);
    const cells = `,${sku.productId},${sku.skuId},${day}`;
    await importing([header, `${cells},0,FULL,P5D,`]);
    const before = await buy(gateway, customer, [{ ...sku, quantity: 1 }]);
    const removal = [`${header},Removed`, `${cells},,,,,yes`];
    expect((await importing(removal, { dryRun: true })).summary).toMatchObject({ REMOVED: 1, kept: false });
    expect((await policyOf(sku))?.cancellationPolicy?.windowDays).toBe(5);
    expect((await importing(removal)).summary).toMatchObject({ NEW: 0, CHANGED: 0, REMOVED: 1, kept: true });
    expect((await policyOf(sku))?.cancellationPolicy?.windowDays).toBe(30);
    const options = await gateway.sql('select refund_options as options from order_lines where order_id = ?', [
      before.id.slice(4),
    ]);
    expect(options).toMatchObject([{ options: [{ sequence: 0, type: 'FULL', expiresAt: expect.any(String) }] }]);
    expect((await importing(removal)).refusals).toMatchObject([
      { line: 2, column: 'EffectiveDate', reason: 'there is none from that day on' },
    ]);
    expect((await importing([`${header},Removed`, `${cells},0,FULL,P5D,,yes`])).refusals).toMatchObject([
      { column: 'Removed', reason: 'what is taken away has one row, without options' },
    ]);
    await loadReferenceData(gateway.gateway.services.orm.em.fork());
    expect((await policyOf(sku))?.cancellationPolicy?.windowDays).toBe(30);

    const closures = 'Market,Kind,EffectiveDate,Closed,Removed';
    await importing([closures, `NO,LINUX_PLAN,${day},yes,`]);
    expect((await importing([closures, `NO,LINUX_PLAN,${day},,yes`])).summary).toMatchObject({
      REMOVED: 1,
      kept: true,
    });
    expect(await gateway.sql(`select from market_closures where market_code = 'NO' and kind = 'LINUX_PLAN'`)).toEqual(
      [],
    );
  });

  onServer('what an operator imports at a terminal is an entry: who, which file, what became of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'csp-graph-imports-'));
    const { url } = gateway.gateway.services.config.database as { url: string };
    const given = async (command: string, ...lines: string[]) => {
      const text = `${lines.join('\n')}\n`;
      const file = join(folder, `${command}.csv`);
      writeFileSync(file, text);
      await promisify(execFile)(process.execPath, [`dist/src/cli/${command}.js`, file, '--dry-run'], { env: env(url) });
      await promisify(execFile)(process.execPath, [`dist/src/cli/${command}.js`, file], { env: env(url) });
      return { name: `${command}.csv`, sha256: createHash('sha256').update(text).digest('hex') };
    };
    const env = (databaseUrl: string) => ({
      ...{ PATH: process.env['PATH'], DATABASE_URL: databaseUrl, DATA_DIR: folder },
      PRODUCT_KEY_SECRETS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    });
    try {
      const { productId, skuId } = skus.perpetual;
      const policies = await given('import-policies', header, 'LINUX_PLAN,,,2031-01-01,,,,');
      const markets = await given(
        'import-policies',
        'Market,Kind,EffectiveDate,Closed',
        'DE,LINUX_PLAN,2031-01-01,yes',
      );
      const software = await given(
        'import-software',
        'ProductId,SkuId,Version,Languages,Architectures,Artifact',
        `${productId},${skuId},2031,en-US,x64,`,
      );
      const entries = await entriesOf(gateway, { actions: ['FILE_IMPORTED'] });
      const counts = { rows: 1, refused: 0, added: 1, changed: 0 };
      expect(entries.map(({ actor, resource, detail }) => [actor.application, resource.label, detail])).toMatchObject([
        ['npm run import:policies', policies.name, { importKind: 'POLICIES', sha256: policies.sha256, ...counts }],
        ['npm run import:policies', markets.name, { importKind: 'CLOSED_MARKETS', sha256: markets.sha256, ...counts }],
        ['npm run import:software', software.name, { importKind: 'SOFTWARE', sha256: software.sha256, ...counts }],
      ]);
      expect(entries.every(({ actor, customer }) => actor.role === 'OPERATOR' && customer === null)).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
