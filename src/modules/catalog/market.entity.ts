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

/**
 * Rule 1: whether a product kind may be sold in a market from a day on. Closed sets are data per product kind; of several
 * rows the newest one that is in effect says so, and without one the market is open.
 */
export const MarketClosure = defineEntity({
  name: 'MarketClosure',
  tableName: 'market_closures',
  properties: {
    market: p.manyToOne(Market).primary().deleteRule('cascade'),
    kind: p.enum(Object.values(ProductKind)).primary(),
    /** The first day (UTC) on which it holds. */
    effectiveDate: p.date().primary(),
    /** False where the market is open again from that day on. */
    isClosed: p.boolean().default(true),
  },
});
export type MarketClosure = InferEntity<typeof MarketClosure>;
