import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importPriceList } from '../../src/partner-center/price-list/import-price-list.js';
import { readPriceList } from '../../src/partner-center/price-list/read-price-list.js';
import type { TestGateway } from './gateway.js';

const COLUMNS =
  'ProductTitle,ProductId,SkuId,SkuTitle,Publisher,SkuDescription,UnitOfMeasure,TermDuration,BillingPlan,Market,Currency,UnitPrice,PricingTierRangeMin,PricingTierRangeMax,EffectiveStartDate,EffectiveEndDate,Tags,ERP Price,Segment';

/** The id of a product that no other list has. */
export const aProductId = () => randomUUID().replaceAll('-', '').slice(0, 12).toUpperCase();

/**
 * Imports a price list: all that the US sells of it, in dollars.
 * @param day from when it counts, as 2026-01-31
 */
export async function importList(
  { gateway }: TestGateway,
  day: string,
  prices: { productId: string; unitPrice: string; isPerpetual?: boolean }[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'price-list-'));
  try {
    const file = join(folder, 'list.csv');
    const rows = prices.map(
      ({ productId, unitPrice, isPerpetual = false }) =>
        `A product,${productId},0001,A SKU,Contoso,,,${isPerpetual ? ',OneTime' : 'P1Y,Annual'},US,USD,${unitPrice},,,${day}T00:00:00.0000000Z,9999-11-30T23:59:59.0000000Z,Software;${isPerpetual ? 'Perpetual' : 'Subscription'},${unitPrice},Commercial`,
    );
    await writeFile(file, `${[COLUMNS, ...rows].join('\n')}\n`);
    const refusals: unknown[] = [];
    await importPriceList(gateway.services.orm, readPriceList(file), {
      onRefusal: (refusal) => void refusals.push(refusal),
    });
    if (refusals.length > 0) throw new Error(JSON.stringify(refusals));
  } finally {
    await rm(folder, { recursive: true });
  }
}
