import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { composed, NAMES } from '../../database/names.js';
import {
  BillingPlan,
  PriceListView,
  PriceSource,
  ProductKind,
  Segment,
  WindowsServerEdition,
} from '../../domain/product-kind.js';
import { Market } from './market.entity.js';

/** A family of SKUs under one 12-character product id (`DG7GMGF0FKZV`). */
export const Product = defineEntity({
  name: 'Product',
  tableName: 'products',
  properties: {
    id: p.uuid().primary(),
    productId: p.string().columnType('text').unique('products_product_id_key').check("product_id ~ '^[A-Z0-9]{12}$'"),
    title: p.text().collation(NAMES),
    publisher: p.text(),
    /** The reconciliation (`modules/reconciling/`) whose file it was created out of; null where it came in another way. */
    importedFrom: p.uuid().nullable(),
  },
  triggers: [composed('products', ['title', 'publisher'])],
});
export type Product = InferEntity<typeof Product>;

/** What is bought: kind, term and bounds on quantity are facts of the SKU. */
export const Sku = defineEntity({
  name: 'Sku',
  tableName: 'skus',
  properties: {
    id: p.uuid().primary(),
    product: p.manyToOne(Product),
    /** Four characters, unique only inside the product; leading zeros matter. */
    skuId: p.string().columnType('text').check("sku_id ~ '^[A-Z0-9]{4}$'"),
    title: p.text(),
    kind: p.enum(Object.values(ProductKind)),
    /** ISO 8601 duration (`P1Y`), null for perpetual software: what is bought where no other is named (rule 3). */
    termDuration: p.text().nullable().check("term_duration ~ '^P[1-9][0-9]*[MY]$'"),
    /** How the term is billed where no other plan is named. */
    billingPlan: p.enum(Object.values(BillingPlan)).default(BillingPlan.ONE_TIME),
    minimumQuantity: p.integer().default(1),
    maximumQuantity: p.integer().default(10_000),
    windowsServerEdition: p.enum(Object.values(WindowsServerEdition)).nullable(),
    /** Cores licensed by one unit, where the SKU is licensed by core (rule 24). */
    coresPerUnit: p.integer().nullable(),
    /** The reconciliation (`modules/reconciling/`) whose file it was created out of; null where it came in another way. */
    importedFrom: p.uuid().nullable(),
  },
  uniques: [{ name: 'skus_product_sku_key', properties: ['product', 'skuId'] }],
  checks: [
    { name: 'skus_quantity_bounds', expression: 'minimum_quantity >= 1 and maximum_quantity >= minimum_quantity' },
    { name: 'skus_perpetual_without_term', expression: "(kind = 'PERPETUAL_SOFTWARE') = (term_duration is null)" },
  ],
  triggers: [composed('skus', ['title'])],
});
export type Sku = InferEntity<typeof Sku>;

/** A version of the software that a SKU gives keys and downloads for, with its choices (rule 7). */
export const SoftwareVersion = defineEntity({
  name: 'SoftwareVersion',
  tableName: 'software_versions',
  properties: {
    sku: p.manyToOne(Sku).primary().deleteRule('cascade'),
    version: p.string().columnType('text').primary(),
    /** Newest first: 0 is the version bought. */
    position: p.integer(),
    /** BCP 47 tags. */
    languages: p.array().columnType('text[]'),
    architectures: p.array().columnType('text[]'),
    /**
     * Path of the image below the folder or store of images, with `{language}` and `{architecture}` where those stand in
     * it; null: PRODUCT/SKU/VERSION/LANGUAGE/ARCHITECTURE.
     */
    artifact: p.text().nullable(),
  },
});
export type SoftwareVersion = InferEntity<typeof SoftwareVersion>;

/** Rule 3: what one unit costs for a term, billed so, in a market, currency and segment between two instants. */
export const Price = defineEntity({
  name: 'Price',
  tableName: 'prices',
  properties: {
    id: p.uuid().primary(),
    sku: p.manyToOne(Sku),
    market: p.manyToOne(Market),
    currency: p.string().columnType('char(3)').check("currency ~ '^[A-Z]{3}$'"),
    segment: p.enum(Object.values(Segment)),
    unitPrice: p.decimal('string').columnType('numeric').check('unit_price >= 0 and scale(unit_price) <= 4'),
    /** Estimated retail price, where the list names one. */
    erpPrice: p.decimal('string').columnType('numeric').nullable().check('erp_price >= 0'),
    /** ISO 8601 duration; null for perpetual software. Without a billing plan both are those of the SKU. */
    termDuration: p.text().nullable().check("term_duration ~ '^P[1-9][0-9]*[MY]$'"),
    billingPlan: p.enum(Object.values(BillingPlan)),
    /** Quantity range of a pricing tier, both inclusive; null: any quantity. */
    pricingTierRangeMin: p.integer().nullable(),
    pricingTierRangeMax: p.integer().nullable(),
    effectiveStartDate: p.datetime(3),
    effectiveEndDate: p.datetime(3),
    source: p.enum(Object.values(PriceSource)),
    /** The list that had it last, and when that begins: what a newer one of the view lacks ends with it. Null where none did. */
    listView: p.enum(Object.values(PriceListView)).nullable(),
    listBeginsAt: p.datetime(3).nullable(),
  },
  uniques: [
    {
      name: 'prices_identity_key',
      expression:
        'create unique index "prices_identity_key" on "prices" ("sku_id", "market_code", "currency", "segment", coalesce("term_duration", \'\'), "billing_plan", "effective_start_date", coalesce("pricing_tier_range_min", 0))',
    },
  ],
  checks: [{ name: 'prices_period', expression: 'effective_end_date > effective_start_date' }],
  triggers: [
    {
      name: 'prices_of_own_term',
      timing: 'before',
      events: ['insert'],
      forEach: 'row',
      body: 'if new.billing_plan is null then select term_duration, billing_plan into new.term_duration, new.billing_plan from skus where id = new.sku_id; end if; return new',
    },
  ],
});
export type Price = InferEntity<typeof Price>;
