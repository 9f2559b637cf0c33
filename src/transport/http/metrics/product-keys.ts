import { Gauge, type Registry } from 'prom-client';
import { countKeysLeft } from '../../../modules/entitlements/count-keys-left.js';
import type { Observed } from './observed.js';

/** Metrics of the pool of product keys. @returns how to bring them up to date: it asks the database */
export function tellProductKeys({ services: { kysely } }: Observed, registry: Registry): () => Promise<void> {
  const left = new Gauge({
    name: 'csp_graph_product_keys_left',
    help: 'Product keys that are left to give, by the version that they are for; 0: who asks for one gets none.',
    labelNames: ['product', 'sku', 'version'],
    registers: [registry],
  });
  const shortages = new Gauge({
    name: 'csp_graph_product_key_shortages',
    help: 'Versions that somebody wanted a product key of when none was left, and none was stored since.',
    registers: [registry],
  });
  return async () => {
    // Where the database does not answer, the rest is still told.
    const counts = await countKeysLeft(kysely).catch(() => null);
    left.reset();
    for (const { productId, skuId, version, count } of counts ?? [])
      left.set({ product: productId, sku: skuId, version }, count);
    shortages.set(counts ? counts.filter(({ isShort }) => isShort).length : NaN);
  };
}
