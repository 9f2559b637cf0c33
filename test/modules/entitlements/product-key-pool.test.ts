import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newProductKey } from '../../../src/modules/entitlements/product-key.js';
import { StoreProductKeysDocument } from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../../support/gateway.js';
import { key, SharedDatabases } from '../../support/shared-databases.js';
import { aCustomer, aPrice, aSku, skus, stockShop } from '../../support/shop.js';
import {
  buySoftware,
  cancelAndConfirm,
  entriesOf,
  everyRow,
  reveal,
  settled,
  type TestSoftware,
} from '../../support/software.js';

const VERSION = '1';
type Sku = { productId: string; skuId: string };
const someKeys = (count: number) => Array.from({ length: count }, newProductKey);

/** Answers of the mutation, as clients get them. */
async function store(gateway: TestGateway, sku: Sku, productKeys: string[], version = VERSION) {
  const { data, errors } = await gateway.run(
    StoreProductKeysDocument,
    { input: { ...sku, version, productKeys } },
    'ADMIN_AGENT',
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data.storeProductKeys;
}

/** What somebody who asks for a key is answered: the key, or the name of the problem. */
async function asked(gateway: TestGateway, { entitlementId }: TestSoftware, version = VERSION): Promise<string> {
  const { data, errors } = await reveal(gateway, entitlementId, version);
  if (errors) return errors[0].extensions.code;
  const result = data.revealProductKey;
  return result?.__typename === 'RevealProductKeySuccess' ? result.productKey : (result?.__typename ?? 'null');
}

describe(`the pool of product keys, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
  });
  afterAll(() => gateway.stop());

  /** A SKU of its own with one version, and how to buy it for customers that are real. */
  const software = async (versions = [VERSION]) => {
    const sku = await aSku(gateway, { title: `Software ${randomUUID()}` });
    await aPrice(gateway, sku, '10.00');
    for (const [position, version] of versions.entries())
      await gateway.sql(
        `insert into software_versions (sku_id, version, position, languages, architectures)
         select s.id, ?, ?, '{en-US}', '{x64}' from skus s join products p on p.id = s.product_id where p.product_id = ?`,
        [version, position, sku.productId],
      );
    const customer = await aCustomer(gateway, { isDemonstration: false });
    return { sku, customer, licence: () => buySoftware(gateway, customer, sku) };
  };
  const shortages = ({ productId }: Sku) => entriesOf(gateway, { productId, actions: ['PRODUCT_KEYS_RAN_OUT'] });
  const metrics = async () => (await fetch(`${gateway.url}/metrics`)).text();

  test('rule 10: each licence and version gets a key of the pool, one key one licence, the first stored first', async () => {
    const { sku, licence } = await software([VERSION, '0']);
    const [first, second, older] = someKeys(3) as [string, string, string];
    expect(await store(gateway, sku, [first])).toMatchObject({ stored: 1, alreadyStored: 0, left: 1 });
    // As people write them.
    expect(await store(gateway, sku, [second.toLowerCase().replaceAll('-', '')])).toMatchObject({ stored: 1, left: 2 });
    await store(gateway, sku, [older], '0');
    const [one, other] = [await licence(), await licence()];
    expect([await asked(gateway, one), await asked(gateway, other), await asked(gateway, one)]).toEqual([
      first,
      second,
      first,
    ]);
    expect(await asked(gateway, one, '0')).toBe(older);
    const { data } = await reveal(gateway, one.entitlementId, VERSION);
    expect(data.revealProductKey).toMatchObject({ isInvented: false });
    const [revealed] = await entriesOf(gateway, { orderId: one.order.id, actions: ['PRODUCT_KEY_REVEALED'] });
    expect(revealed?.detail).toMatchObject({ version: VERSION });
    await settled(gateway);
    const stored = await gateway.run(
      `query ($productId: String!) { activity(first: 9, filter: { productId: $productId, actions: [PRODUCT_KEYS_STORED] }) { nodes {
        customer { id } resource { type nodeId } detail { ... on ProductKeysStoredDetail { version count } } } } }`,
      { productId: sku.productId },
    );
    expect(stored.data.activity.nodes).toEqual(
      [VERSION, VERSION, '0'].map((version) => ({
        customer: null,
        resource: { type: 'SKU', nodeId: expect.stringMatching(/^sku_/) },
        detail: { version, count: 1 },
      })),
    );
  });

  test('the graph says how many keys of a version are left to give: to those who may store some', async () => {
    const { sku, licence } = await software([VERSION, '0']);
    const left = async (as: Caller = 'ADMIN_AGENT') => {
      const document = 'query ($id: ID!) { node(id: $id) { ... on Sku { softwareVersions { version unusedKeys } } } }';
      const [row] = await gateway.sql<{ id: string }>(
        'select s.id from skus s join products p on p.id = s.product_id where p.product_id = ?',
        [sku.productId],
      );
      const { data, errors } = await gateway.run(document, { id: `sku_${row?.id}` }, as);
      const versions: { version: string; unusedKeys: number | null }[] = data.node.softwareVersions;
      return { ...Object.fromEntries(versions.map(({ version, unusedKeys }) => [version, unusedKeys])), errors };
    };
    expect(await left()).toEqual({ [VERSION]: 0, '0': 0 });
    await store(gateway, sku, someKeys(3));
    expect(await left('GLOBAL_ADMIN')).toEqual({ [VERSION]: 3, '0': 0 });
    const one = await licence();
    await asked(gateway, one);
    // The same licence has the same key.
    await asked(gateway, one);
    expect(await left()).toEqual({ [VERSION]: 2, '0': 0 });
    // A key that was given is none to give, though its licence is cancelled.
    await cancelAndConfirm(gateway, one);
    expect(await left()).toEqual({ [VERSION]: 2, '0': 0 });
    for (const role of ['SALES_AGENT', 'REPORT_VIEWER'] as const)
      expect(await left(role)).toMatchObject({ [VERSION]: null, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    // Counting ends somewhere.
    await gateway.sql(
      `insert into product_key_pool (fingerprint, sku_id, version, key_id, encrypted, stored_at)
       select 'many-' || n, sku_id, version, key_id, encrypted, now() from (select * from product_key_pool
         where taken_at is null and sku_id = (select s.id from skus s join products p on p.id = s.product_id where p.product_id = ?) limit 1) as one,
         generate_series(1, 10001) as n`,
      [sku.productId],
    );
    expect(await left()).toMatchObject({ [VERSION]: 10_000 });
  });

  test('rule 8: a key that was stored is in no table, log line, metric, error or entry', async () => {
    const { sku, licence } = await software();
    const keys = someKeys(3);
    await store(gateway, sku, keys);
    await asked(gateway, await licence());
    const refusals = [
      { input: { ...sku, version: VERSION, productKeys: [...keys, 'AAAAA'] } },
      // In upper case they are letters of a key.
      ...['ſ'.repeat(25), 'ı'.repeat(25), `${'ß'.repeat(12)}A`].map((text) => ({
        input: { ...sku, version: VERSION, productKeys: [text] },
      })),
      { input: { ...sku, version: VERSION, productKeys: keys, none: 1 } },
      { input: { ...sku, version: VERSION, productKeys: [[keys[0]], 5] } },
      { input: keys[0] },
    ];
    const answers: unknown[] = [];
    for (const variables of refusals) {
      const { errors } = await gateway.run(
        'mutation ($input: StoreProductKeysInput!) { storeProductKeys(input: $input) { __typename } }',
        variables,
        'ADMIN_AGENT',
      );
      expect(errors?.map(({ extensions }) => extensions.code)).toContain('BAD_USER_INPUT');
      answers.push(errors);
    }
    const entries = await entriesOf(gateway, { productId: sku.productId });
    const told = [await everyRow(gateway), gateway.log.join('\n'), await metrics(), JSON.stringify([answers, entries])];
    expect(JSON.stringify(answers)).toContain('got invalid value');
    for (const form of keys.flatMap((plain) => [plain, plain.replaceAll('-', '')]))
      for (const text of told) {
        expect(text).not.toContain(form);
        expect(text).not.toContain(Buffer.from(form).toString('hex'));
      }
  });

  test('rule 10: where none is left that is a problem, one entry until some are stored, and a metric', async () => {
    const { sku, customer, licence } = await software();
    const [one, other] = [await licence(), await licence()];
    for (const each of [one, other, one]) expect(await asked(gateway, each)).toBe('ProductKeysRanOut');
    expect((await shortages(sku)).map(({ outcome, customer }) => [outcome, customer])).toEqual([['FAILED', null]]);
    const left = new RegExp(
      `csp_graph_product_keys_left\\{product="${sku.productId}",sku="0001",version="1"\\} (\\d+)`,
    );
    expect(left.exec(await metrics())?.[1]).toBe('0');
    expect(await metrics()).toMatch(/csp_graph_product_key_shortages [1-9]/);
    expect(await entriesOf(gateway, { customerId: customer.id, actions: ['PRODUCT_KEY_REVEALED'] })).toEqual([]);
    const [productKey] = someKeys(1) as [string];
    await store(gateway, sku, [productKey]);
    expect(left.exec(await metrics())?.[1]).toBe('1');
    expect(await asked(gateway, one)).toBe(productKey);
    expect(await asked(gateway, other)).toBe('ProductKeysRanOut');
    expect(await asked(gateway, one)).toBe(productKey);
    expect(await shortages(sku)).toHaveLength(2);
  });

  test('rule 10: of many who ask at once each gets a key of their own, and the pool is dry only when it is', async () => {
    const { sku, licence } = await software();
    const keys = someKeys(3);
    await store(gateway, sku, keys);
    const licences: TestSoftware[] = [];
    for (let turn = 0; turn < 5; turn += 1) licences.push(await licence());
    const answers = await Promise.all([...licences, ...licences].map((each) => asked(gateway, each)));
    const given = answers.filter((answer) => answer !== 'ProductKeysRanOut');
    expect([new Set(given).size, given.toSorted()]).toEqual([3, [...keys, ...keys].toSorted()]);
    expect(await shortages(sku)).toHaveLength(1);
  });

  test('rule 10: a key is stored once: not twice in a list, not for other software, not again when its licence is gone', async () => {
    const { sku, licence } = await software();
    const { sku: otherSku } = await software();
    const [first, second] = someKeys(2) as [string, string];
    expect(await store(gateway, sku, [first, second, first])).toMatchObject({
      __typename: 'ProductKeysDuplicated',
      positions: [2],
    });
    await store(gateway, sku, [first]);
    expect(await store(gateway, otherSku, [second, first])).toMatchObject({ positions: [1] });
    expect(await store(gateway, otherSku, [second])).toMatchObject({ stored: 1 });
    const bought = await licence();
    expect(await asked(gateway, bought)).toBe(first);
    await cancelAndConfirm(gateway, bought);
    expect(await store(gateway, sku, [first])).toMatchObject({ stored: 0, alreadyStored: 1, left: 0 });
    expect(await asked(gateway, await licence())).toBe('ProductKeysRanOut');
    for (const [wrong, problem] of [
      [{ ...sku, skuId: 'ZZZZ' }, 'SoftwareNotFound'],
      [skus.reservation, 'SoftwareNotFound'],
    ] as const)
      expect(await store(gateway, wrong, [second])).toMatchObject({ __typename: problem });
    expect(await store(gateway, sku, [second], '7')).toMatchObject({ offered: [VERSION] });
  });

  test('rule 8: a pooled key that does not open is left and the next one given; where none opens there is no entry', async () => {
    const { sku, licence } = await software();
    const [first, second] = someKeys(2) as [string, string];
    await store(gateway, sku, [first]);
    await gateway.sql(
      `update product_key_pool set encrypted = 'damaged' where taken_at is null and version = ?
      and sku_id in (select s.id from skus s join products p on p.id = s.product_id where p.product_id = ?)`,
      [VERSION, sku.productId],
    );
    const bought = await licence();
    expect(await asked(gateway, bought)).toBe('INTERNAL_SERVER_ERROR');
    expect(await entriesOf(gateway, { orderId: bought.order.id, actions: ['PRODUCT_KEY_REVEALED'] })).toEqual([]);
    expect(await shortages(sku)).toEqual([]);
    await store(gateway, sku, [second]);
    expect(await asked(gateway, bought)).toBe(second);
  });

  test('rule 10: a customer of the demonstration gets an invented key that says so, until there were real ones', async () => {
    const { sku } = await software();
    const customer = await aCustomer(gateway);
    const [one, other] = [await buySoftware(gateway, customer, sku), await buySoftware(gateway, customer, sku)];
    const invented = await reveal(gateway, one.entitlementId, VERSION);
    expect(invented.data.revealProductKey).toMatchObject({ isInvented: true });
    await settled(gateway);
    const entries = await gateway.run(
      `query ($orderId: ID!) { activity(first: 9, filter: { orderId: $orderId, actions: [PRODUCT_KEY_REVEALED] }) { nodes {
        detail { ... on ProductKeyRevealedDetail { isInvented } } } } }`,
      { orderId: one.order.id },
    );
    expect(entries.data.activity.nodes).toEqual([{ detail: { isInvented: true } }]);
    const [productKey] = someKeys(1) as [string];
    await store(gateway, sku, [productKey]);
    expect(await asked(gateway, other)).toBe(productKey);
    expect(await asked(gateway, await buySoftware(gateway, customer, sku))).toBe('ProductKeysRanOut');
  });
});

describe(`npm run import:keys, on ${engine}`, () => {
  const databases = new SharedDatabases();
  afterAll(() => databases.drop());

  test('stores a file’s keys once, tells bad rows by line and repeats no key; the rotation takes the pool with it', async () => {
    const [k1, k2] = [key('k1', 1), key('k2', 2)];
    const shared = await databases.open();
    const file = join(databases.folder, 'keys.csv');
    const run = (keys = [k1], ...args: string[]) => shared.spawn('cli/import-keys', keys, file, ...args).ended;
    const [a, b, c, d] = someKeys(4) as [string, string, string, string];
    const { productId, skuId } = skus.perpetual;
    const row = (productKey: string, version = '2019', sku: string = skuId) =>
      [productId, sku, version, productKey].join(';');
    const header = '\ufeffProductID;SKU ID;Version;Note;Product Key'.replace('Note;', '');
    const write = (...rows: string[]) => writeFileSync(file, `${[header, ...rows].join('\r\n')}\r\n`);

    // A spreadsheet took the zeros away.
    write(
      row(a, '2019', '1'),
      row('AAAAA-BBBBB'),
      row(b),
      row(a),
      row(c, '1999'),
      row(c, '2019', 'ZZZZ'),
      `${row(d)};x`,
    );
    const refused = await run();
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err.trim().split('\n')).toEqual([
      'line 3: ProductKey: is not a key of 25 letters and digits',
      'line 5: has the key of line 2; a key belongs to one licence',
      expect.stringMatching(/^line 6: Version: DG7GMGF0FKZV:0001 has the versions 2019, /),
      expect.stringMatching(/^line 7: ProductId, SkuId: /),
      'line 8: has 5 columns where the header has 4',
    ]);
    expect(refused.out).toMatch(/^keys.csv: 7 rows, 5 refused, 0 stored before, 2 new\n.*\nNothing was kept\./);
    expect((await run([k1], '--dry-run', '--keep-good')).out).toContain('Dry run: nothing was kept.');
    expect(await run([k1], '--keep-good')).toMatchObject({ code: 0, out: expect.stringContaining('Kept.') });
    write(row(a), row(b));
    expect((await run()).out).toContain('2 rows, 0 refused, 2 stored before, 0 new');
    for (const text of [a, b, c, d]) expect(refused.out + refused.err).not.toContain(text);

    const rotated = await shared.spawn('cli/rotate-keys', [k2, k1]).ended;
    expect(rotated).toMatchObject({ code: 0, out: expect.stringContaining('Encrypted 2 product keys with k2') });
    expect(rotated.out).toContain('k1: 0 product keys; may be taken out');
    // The keys are recognised as before.
    write(row(b), row(c));
    expect((await run([k2])).out).toContain('2 rows, 0 refused, 1 stored before, 1 new');
    await shared.serve([k2], async (gateway) => {
      await stockShop(gateway);
      const customer = await aCustomer(gateway, { isDemonstration: false });
      const given: string[] = [];
      for (let turn = 0; turn < 3; turn += 1)
        given.push(await asked(gateway, await buySoftware(gateway, customer), '2019'));
      expect(given.toSorted()).toEqual([a, b, c].toSorted());
      const entries = await entriesOf(gateway, { productId, actions: ['PRODUCT_KEYS_STORED'] });
      expect(entries.map(({ actor }) => [actor.role, actor.application])).toEqual(
        Array(2).fill(['OPERATOR', 'npm run import:keys']),
      );
      expect(await entriesOf(gateway, { actions: ['FILE_IMPORTED'] })).toMatchObject(
        Array(2).fill({ actor: { role: 'OPERATOR' }, resource: { type: 'FILE', label: 'keys.csv' } }),
      );
    });
  });
});
