import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { ProductKind } from '../../domain/product-kind.js';

/** A country or territory in which customers live, by ISO 3166-1 alpha-2 code (rules 1 and 2). */
export const Market = defineEntity({
  name: 'Market',
  tableName: 'markets',
  properties: {
    code: p.string().columnType('char(2)').primary().check("code ~ '^[A-Z]{2}$'"),
    name: p.text(),
    /** Rule 2: prices in Australia and Brazil include tax. */
    taxInclusive: p.boolean().default(false),
    /** ISO 4217 codes in which this market is sold to, the default one first. */
    currencies: p.array().columnType('text[]').check('cardinality(currencies) > 0'),
  },
});
export type Market = InferEntity<typeof Market>;

/** Rule 1: a product kind that may not be sold in a market. Closed sets are data per product kind. */
export const MarketClosure = defineEntity({
  name: 'MarketClosure',
  tableName: 'market_closures',
  properties: {
    market: p.manyToOne(Market).primary().deleteRule('cascade'),
    kind: p.enum(Object.values(ProductKind)).primary(),
  },
});
export type MarketClosure = InferEntity<typeof MarketClosure>;
