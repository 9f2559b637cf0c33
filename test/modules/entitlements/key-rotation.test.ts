import { afterAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { ConfigError } from '../../../src/config/config-error.js';
import { decryptProductKey, encryptProductKey, newProductKey } from '../../../src/modules/entitlements/product-key.js';
import { engine, serverUrl } from '../../support/database.js';
import type { TestGateway } from '../../support/gateway.js';
import { type Keys, key, type Shared, SharedDatabases } from '../../support/shared-databases.js';
import { aCustomer, stockShop } from '../../support/shop.js';
import { buySoftware, keyOf, reveal, type TestSoftware } from '../../support/software.js';
import { until } from '../../support/until.js';

const databases = new SharedDatabases();
afterAll(() => databases.drop());
const onServer = serverUrl ? test : test.skip;

const [k1, k2] = [key('k1', 1), key('k2', 2)];

/** Software with a key under `k1`, and that key. */
async function sell(shared: Shared): Promise<{ software: TestSoftware; productKey: string }> {
  return shared.serve([k1], async (gateway) => {
    await stockShop(gateway);
    const software = await buySoftware(gateway, await aCustomer(gateway));
    return { software, productKey: await keyOf(gateway, software) };
  });
}

/** More keys of the same software than any shop has versions; answers them by version. */
async function stuff(gateway: TestGateway, { entitlementId }: TestSoftware, count: number, keys = k1) {
  const id = entitlementId.slice(4);
  const made = new Map(Array.from({ length: count }, (_, index) => [`v${index}`, newProductKey()]));
  const rows = [...made].map(([version, text]) => [
    version,
    encryptProductKey(text, keys, `${id}:${version}`).toString('hex'),
  ]);
  await gateway.sql(
    `insert into product_keys (entitlement_id, version, key_id, sealed, issued_at)
     select ?::uuid, row->>0, ?, decode(row->>1, 'hex'), now() from jsonb_array_elements(?::jsonb) row`,
    [id, keys.keyId, JSON.stringify(rows)],
  );
  return made;
}

/** What the table says of `stuff`'s keys with one encryption key, by version. */
async function readBack(gateway: TestGateway, { entitlementId }: TestSoftware, keys: Keys) {
  const id = entitlementId.slice(4);
  const rows = await gateway.sql<{ version: string; keyId: string; sealed: Uint8Array }>(
    `select version, key_id as "keyId", sealed from product_keys where version like 'v%'`,
  );
  return new Map(
    rows.map(({ version, keyId, sealed }) => [version, decryptProductKey(sealed, keyId, keys, `${id}:${version}`)]),
  );
}

describe(`the keys of product keys at the start, on ${engine}`, () => {
  test('the first ones leave a canary each, and another key under a known id is refused at the start', async () => {
    const shared = await databases.open();
    await shared.serve([k2, k1], async (gateway) => {
      expect(await gateway.sql('select key_id from encryption_canaries order by 1')).toEqual([
        { key_id: 'k1' },
        { key_id: 'k2' },
      ]);
    });
    const wrong = [k1, key('k2', 9)];
    await expect(shared.serve(wrong, async () => undefined)).rejects.toThrow(ConfigError);
    const { code, out, err } = await shared.spawn('main', wrong).ended;
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(
      /The settings are wrong:\n {2}- PRODUCT_KEY_SECRETS .*secrets\.json.*: the key "k2" is not the one .* Put that one back/,
    );
    expect(err).not.toContain(Buffer.from(key('k2', 9).secret).toString('base64'));
    expect(err).not.toMatch(/\n +at /);
    // In any order, and with one left out that nothing is encrypted with.
    for (const right of [[k1, k2], [k1], [k2]]) await shared.serve(right, async () => undefined);
  });

  test('one that is in use and missing is named, for a gateway and for the rotation, and nothing is changed', async () => {
    const shared = await databases.open();
    await sell(shared);
    const { code, err } = await shared.spawn('main', [k2]).ended;
    expect(code).toBe(1);
    expect(err).toMatch(/PRODUCT_KEY_SECRETS .*: has no key "k1", .* Put it back behind the first one/);
    for (const args of [[], ['--dry-run']]) {
      const refused = await shared.rotate([k2], ...args);
      expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringContaining('has no key "k1"') });
    }
    await shared.serve([k1], async (gateway) => {
      // k2 was refused together with what it lacked.
      expect(await gateway.sql('select key_id from encryption_canaries')).toEqual([{ key_id: 'k1' }]);
    });
  });

  test('a database from before there were canaries is held against its product keys, one of which may be damaged', async () => {
    const shared = await databases.open();
    const { software } = await sell(shared);
    await shared.serve([k1], async (gateway) => {
      await stuff(gateway, software, 3);
      await gateway.sql(`update product_keys set sealed = 'damaged' where version = 'v0'`);
      await gateway.sql('delete from encryption_canaries');
    });
    await expect(shared.serve([key('k1', 9)], async () => undefined)).rejects.toThrow('"k1" is not the one');
    await shared.serve([k1], async (gateway) => {
      expect(await gateway.sql('select key_id from encryption_canaries')).toEqual([{ key_id: 'k1' }]);
    });
  });

  onServer('of first starts at once with different keys under one id one serves, the other is refused', async () => {
    const shared = await databases.open();
    const starts = [k1, k1, key('k1', 9), key('k1', 9)].map((each) => shared.serve([each], async () => each.secret[0]));
    const ends = await Promise.allSettled(starts);
    const served = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    expect(served).toHaveLength(2);
    expect(new Set(served).size).toBe(1);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(ConfigError);
  });
});

describe(`npm run keys:rotate, on ${engine}`, () => {
  test('encrypts every key with the first one; old and new open meanwhile and afterwards, and stay the same', async () => {
    const shared = await databases.open();
    const { software, productKey } = await sell(shared);
    const versions = software.versions.map(({ version }) => version);
    const made = await shared.serve([k2, k1], async (gateway) => {
      expect(await keyOf(gateway, software)).toBe(productKey);
      // The first reader of another version gets it under the new key.
      await keyOf(gateway, software, versions[1]);
      return stuff(gateway, software, 500);
    });

    const dry = await shared.rotate([k2, k1], '--dry-run');
    expect(dry).toMatchObject({ code: 0, err: '' });
    expect(dry.out).toMatch(/^ {2}k2: 1 product key; the key of new ones\n {2}k1: 501 product keys; still needed\n$/);
    const { code, out, err } = await shared.rotate([k2, k1]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Encrypted 501 product keys with k2 in \S+ s\.\n {2}k2: 502 product keys.*\n {2}k1: 0 product/,
    );
    expect(out).toContain('k1: 0 product keys; may be taken out of PRODUCT_KEY_SECRETS');
    expect(err).toContain('100 %');
    expect((await shared.rotate([k2, k1])).out).toContain('Encrypted 0 product keys');

    await shared.serve([k2], async (gateway) => {
      expect(await readBack(gateway, software, [k2])).toEqual(made);
      expect(await keyOf(gateway, software)).toBe(productKey);
      const [counted] = await gateway.sql('select count(*)::int as n, min(key_id) as id from product_keys');
      expect(counted).toEqual({ n: 502, id: 'k2' });
    });
  });

  test('goes on where it was killed, and nothing is lost', async () => {
    const shared = await databases.open();
    const { software, productKey } = await sell(shared);
    const made = await shared.serve([k1], (gateway) => stuff(gateway, software, 4_000));
    const { child, ended } = shared.spawn('cli/rotate-keys', [k2, k1]);
    // The first tenth is there; the second may be in the making.
    child.stderr?.once('data', () => child.kill('SIGKILL'));
    await ended;
    await shared.serve([k2, k1], async (gateway) => {
      expect(await readBack(gateway, software, [k2, k1])).toEqual(made);
      expect(await keyOf(gateway, software)).toBe(productKey);
    });
    const { code, out } = await shared.rotate([k2, k1]);
    expect(code).toBe(0);
    // Each batch that was committed before stays so.
    expect(Number(/^Encrypted (\d+) /.exec(out)?.[1])).toBeLessThanOrEqual(3_601);
    await shared.serve([k2], async (gateway) => {
      expect(await readBack(gateway, software, [k2])).toEqual(made);
      expect(await keyOf(gateway, software)).toBe(productKey);
    });
  });

  test('what does not open is named and left as it was, and the old key is still needed', async () => {
    const shared = await databases.open();
    const { software } = await sell(shared);
    const made = await shared.serve([k1], async (gateway) => {
      const all = await stuff(gateway, software, 30);
      await gateway.sql(`update product_keys set sealed = 'damaged' where version = 'v7'`);
      return all;
    });
    const { code, out, err } = await shared.rotate([k2, k1]);
    expect(code).toBe(1);
    expect(out).toMatch(/^Encrypted 30 product keys.*\n.*\n {2}k1: 1 product key; still needed/);
    expect(err).toContain(`left as it was: ${software.entitlementId.slice(4)}:v7 does not open with the key "k1"`);
    for (const text of made.values()) expect(out + err).not.toContain(text);
    await shared.serve([k2, k1], async (gateway) => {
      const [row] = await gateway.sql(
        `select key_id, encode(sealed, 'escape') as sealed from product_keys where version = 'v7'`,
      );
      expect(row).toEqual({ key_id: 'k1', sealed: 'damaged' });
    });
  });

  test('a database without its tables is told so', async () => {
    const shared = await databases.open();
    await shared.serve([k1], (gateway) => gateway.sql('drop table encryption_canaries'));
    expect(await shared.rotate([k1])).toMatchObject({ code: 1, err: expect.stringContaining('npm run migrate') });
  });

  onServer('a gateway reveals and sells meanwhile (server only)', async () => {
    const shared = await databases.open();
    const { software, productKey } = await sell(shared);
    await shared.serve([k2, k1], async (gateway) => {
      const customer = await aCustomer(gateway);
      const made = await stuff(gateway, software, 5_000);
      let isRotating = true;
      const rotation = shared.rotate([k2, k1]).finally(() => {
        isRotating = false;
      });
      const bought: [TestSoftware, string][] = [];
      let rounds = 0;
      for (; isRotating; rounds += 1) {
        expect(await keyOf(gateway, software)).toBe(productKey);
        const another = await buySoftware(gateway, customer);
        bought.push([another, await keyOf(gateway, another)]);
      }
      expect(rounds).toBeGreaterThan(0);
      expect(await rotation).toMatchObject({ code: 0 });
      expect(await readBack(gateway, software, [k2])).toEqual(made);
      for (const [each, text] of bought) expect(await keyOf(gateway, each)).toBe(text);
    });
  });

  onServer('a row that somebody holds is waited for, while all others are done (server only)', async () => {
    const shared = await databases.open();
    const { software } = await sell(shared);
    await shared.serve([k2, k1], async (gateway) => {
      await stuff(gateway, software, 300);
      const { database } = gateway.gateway.services.config;
      const other = new pg.Client(database.kind === 'server' ? database.url : '');
      await other.connect();
      await other.query('begin');
      await other.query(`select from product_keys where version in ('v3', 'v4') for update`);
      const rotation = shared.rotate([k2, k1]);
      await until('all but the two are under k2', async () => {
        const [left] = await gateway.sql<{ n: number }>(
          `select count(*)::int as n from product_keys where key_id = 'k1'`,
        );
        return left?.n === 2;
      });
      // One of them goes with its licence.
      await other.query(`delete from product_keys where version = 'v4'`);
      await other.query('commit');
      await other.end();
      expect(await rotation).toMatchObject({ code: 0, out: expect.stringContaining('k1: 0 product keys') });
      expect((await reveal(gateway, software.entitlementId, software.choice.version)).errors).toBeUndefined();
    });
  });
});
