import { sql } from 'kysely';
import { millisecondOf } from '../../graphql/instant.js';
import { contains, globalId } from '../../read/fields.js';
import { type KeyColumn, many, money, one, properties, type ReadType, type RootReads } from '../../read/model.js';
import type { Param } from '../../read/param.js';
import { type Row } from '../../read/row.js';
import { isPolicyOf, ownFirst } from './cancellation-policy.read.js';

/** How a Product is read. */
export const productRead: ReadType = {
  name: 'Product',
  entity: 'Product',
  fields: {
    id: globalId('Product'),
    ...properties('productId', 'title', 'publisher'),
    skus: many('Sku', 'product', (sku) => [sku.col('skuId')]),
  },
  listing: {
    filters: {
      kind: (product, kind: Param<string>) =>
        sql`exists (select from "skus" where "skus"."product_id" = ${product.col('id')} and "skus"."kind" = ${kind})`,
      search: (product, text: Param<string>) =>
        sql`(${contains(product.col('title'), text)} or ${contains(product.col('productId'), text)} or exists (select from "skus" where "skus"."product_id" = ${product.col('id')} and ${contains(sql.ref('skus.title'), text)}))`,
      publisher: (product, publisher: Param<string>) => sql`${product.col('publisher')} = ${publisher}`,
    },
    weights: {
      search: { times: 10, isWalked: true },
      kind: { times: 5, isWalked: true },
      publisher: { isWalked: true },
    },
    orders: {
      TITLE: [
        { property: 'title', type: 'name' },
        { property: 'id', type: 'uuid' },
      ],
      PRODUCT_ID: [
        { property: 'productId', type: 'text' },
        { property: 'id', type: 'uuid' },
      ],
    },
    defaultOrder: { field: 'TITLE', direction: 'ASC' },
  },
};

/** How a Sku is read. */
export const skuRead: ReadType = {
  name: 'Sku',
  entity: 'Sku',
  fields: {
    id: globalId('Sku'),
    ...properties('skuId', 'title', 'kind', 'termDuration', 'billingPlan', 'minimumQuantity', 'maximumQuantity'),
    product: one('Product', 'product'),
    cancellationPolicy: {
      kind: 'one',
      type: 'CancellationPolicy',
      on: (sku, policy) =>
        sql`${isPolicyOf(sku, policy)} and ${policy.col('effectiveDate')} <= (now() at time zone 'UTC')::date`,
      first: ownFirst,
    },
    cancellationPolicies: { kind: 'many', type: 'CancellationPolicy', on: isPolicyOf, orderBy: ownFirst },
    softwareVersions: {
      kind: 'many',
      type: 'SoftwareVersion',
      on: (sku, version) => sql`${version.col('sku')} = ${sku.col('id')}`,
      orderBy: (version) => [version.col('position')],
    },
    price: {
      kind: 'one',
      type: 'Price',
      on: (sku, price, args) => {
        const market = args.param<string>('market');
        return sql`${price.col('sku')} = ${sku.col('id')} and ${price.col('market')} = upper(${market}::text) and ${price.col('segment')} = ${args.param('segment')}
          and ${price.col('currency')} = coalesce(upper(${args.param('currency')}::text), (select "currencies"[1] from "markets" where "code" = upper(${market}::text)))
          and ${validAt(price, args.param<Date | undefined>('at'))}`;
      },
      first: latestEnd,
      // The valid one is looked for among all prices of the SKU.
      weight: 0.3,
    },
  },
};

/** Rule 3: a price holds at an instant (now, where null). */
function validAt(price: Row, at: Param<Date | undefined>) {
  const instant = sql`coalesce(${at.map((value) => value && millisecondOf(value).toISOString())}::timestamptz, now())`;
  return sql`${price.col('effectiveStartDate')} <= ${instant} and ${price.col('effectiveEndDate')} > ${instant} and coalesce(${price.col('pricingTierRangeMin')}, 1) <= 1`;
}

/** Rule 3: on overlap the price that ends last; the same order as in price-at.ts. */
function latestEnd(price: Row) {
  return [
    sql`${price.col('effectiveEndDate')} desc`,
    sql`${price.col('source')} desc`,
    sql`${price.col('effectiveStartDate')} desc`,
    sql`${price.col('pricingTierRangeMin')} desc nulls last`,
  ];
}

const versionKey: readonly KeyColumn[] = [
  { property: 'sku', type: 'uuid' },
  { property: 'version', type: 'text' },
];

/** How a SoftwareVersion is read. */
export const softwareVersionRead: ReadType = {
  name: 'SoftwareVersion',
  entity: 'SoftwareVersion',
  key: versionKey,
  fields: { id: globalId('SoftwareVersion', versionKey), ...properties('version', 'languages', 'architectures') },
};

/** How a Price is read. */
export const priceRead: ReadType = {
  name: 'Price',
  entity: 'Price',
  fields: {
    id: globalId('Price'),
    ...properties('segment', 'effectiveStartDate', 'effectiveEndDate', 'source'),
    unitPrice: money(
      (price) => price.col('unitPrice'),
      (price) => price.col('currency'),
    ),
    erpPrice: money(
      (price) => price.col('erpPrice'),
      (price) => price.col('currency'),
    ),
    market: one('Market', 'market', 'code'),
  },
};

/** Root fields of the catalog. */
export const catalogRoots: RootReads = {
  products: { kind: 'connection', type: 'Product' },
  product: {
    kind: 'one',
    type: 'Product',
    where: (product, args) => sql`${product.col('productId')} = upper(${args.param('productId')}::text)`,
  },
};
