import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { engine } from '../../support/database.js';
import { key, SharedDatabases } from '../../support/shared-databases.js';
import { aCustomer, skus, stockShop } from '../../support/shop.js';
import { buySoftware, keyOf, linkOf } from '../../support/software.js';

const HEADER = 'ProductId,SkuId,Version,Languages,Architectures,Artifact';
const k1 = key('k1', 1);

describe(`npm run import:software, on ${engine}`, () => {
  const databases = new SharedDatabases();
  afterAll(() => databases.drop());

  test('rule 7: what a SKU offers is imported whole, bad rows are told by line, and a start brings nothing back', async () => {
    const shared = await databases.open();
    const file = join(databases.folder, 'software.csv');
    const images = join(databases.folder, 'images');
    mkdirSync(join(images, 'own/2027/de-DE'), { recursive: true });
    writeFileSync(join(images, 'own/2027/de-DE/arm64.iso'), 'the image of the artifact');
    const write = (...rows: string[]) => writeFileSync(file, `${[HEADER, ...rows].join('\r\n')}\r\n`);
    const run = (...args: string[]) => shared.spawn('cli/import-software', [k1], file, ...args).ended;
    const { productId, skuId } = skus.perpetual;

    write(
      `${productId},1,2027,en-us DE-de,x64 arm64,own/2027/{language}/{architecture}.iso`,
      `${productId},1,2027,en-US,x64,`,
      `${productId},1,20/27,en-US,x64,`,
      `${productId},1,2026,en_US,x64,`,
      `${productId},1,2026,en-US,,`,
      `${productId},1,2026,en-US,x64,../secret`,
      `${productId},1,2026,en-US,x64,own/{anything}`,
      `${productId},ZZZZ,2026,en-US,x64,`,
      `${productId},1`,
    );
    const refused = await run();
    expect([refused.code, refused.out.split('\n').at(-2)]).toEqual([1, 'Nothing was kept. Correct the refused rows.']);
    expect(refused.err.trim().split('\n')).toEqual([
      'line 3: Version: line 2 has the same',
      expect.stringMatching(/^line 4: Version: must be/),
      expect.stringMatching(/^line 5: Languages: /),
      expect.stringMatching(/^line 6: Architectures: /),
      expect.stringMatching(/^line 7: Artifact: /),
      expect.stringMatching(/^line 8: Artifact: /),
      expect.stringMatching(/^line 9: ProductId, SkuId: /),
      'line 10: has 2 columns where the header has 6',
    ]);

    // Before it, a key of 2019 is given: that version is not taken away.
    const software = await shared.serve([k1], async (gateway) => {
      await stockShop(gateway);
      const bought = await buySoftware(gateway, await aCustomer(gateway));
      await keyOf(gateway, bought, '2019');
      return bought;
    });
    const newest = `${productId},1,2027,en-us DE-de,x64 arm64,own/2027/{language}/{architecture}.iso`;
    write(newest);
    expect(await run()).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${productId}:${skuId} has product keys of version 2019`),
    });
    // One that comes without software gets some.
    write(
      newest,
      `${productId},1,2019,en-US,x64,`,
      `${skus.reservation.productId},${skus.reservation.skuId},1,it,x64,`,
    );
    expect((await run('--dry-run')).out).toContain('Dry run: nothing was kept.');
    const done = await run();
    expect(done).toMatchObject({ code: 0, err: '' });
    expect(done.out).toContain('2 SKUs; versions: 2 new, 1 changed, 0 unchanged, 2 taken away\nKept.');
    expect((await run()).out).toContain('versions: 0 new, 0 changed, 3 unchanged, 0 taken away');

    await shared.serve(
      [k1],
      async (gateway) => {
        const { data } = await gateway.run(
          'query ($productId: String!) { product(productId: $productId) { skus { skuId softwareVersions { version languages architectures } } } }',
          { productId },
        );
        const offered = data.product.skus.find((sku: { skuId: string }) => sku.skuId === skuId).softwareVersions;
        expect(offered).toEqual([
          { version: '2027', languages: ['en-US', 'de-DE'], architectures: ['x64', 'arm64'] },
          { version: '2019', languages: ['en-US'], architectures: ['x64'] },
        ]);
        const choice = { version: '2027', language: 'de-DE', architecture: 'arm64' };
        const { url } = await linkOf(gateway, { ...software, choice });
        expect(await (await fetch(url)).text()).toBe('the image of the artifact');
        const other = await linkOf(gateway, { ...software, choice: { ...choice, architecture: 'x64' } });
        expect((await fetch(other.url)).status).toBe(503);
        expect(gateway.log.join('\n')).toContain('DOWNLOADS_DIR has no own/2027/de-DE/x64.iso');
      },
      { downloadsDir: images },
    );
  });
});
