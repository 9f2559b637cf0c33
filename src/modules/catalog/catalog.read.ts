import { sql } from 'kysely';
import { otherMinorUnits } from '../../domain/currencies.js';
import { millisecondOf } from '../../graphql/instant.js';
import { contains, globalId } from '../../read/fields.js';
import {
  computed,
  type KeyColumn,
  many,
  money,
  one,
  properties,
  type ReadType,
  type RootReads,
} from '../../read/model.js';
import type { Args, Param } from '../../read/param.js';
import { type Row, type Sql } from '../../read/row.js';
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
      on: (
        sku,
        price,
        args,
      ) => sql`${price.col('sku')} = ${sku.col('id')} and ${holds((property) => price.col(property), args)}
        and ${price.col('billingPlan')} = coalesce(${args.param('billingPlan')}::text, ${sku.col('billingPlan')})
        and ${price.col('termDuration')} is not distinct from coalesce(${args.param('termDuration')}::text, ${sku.col('termDuration')})`,
      first: (price) => latestEnd((property) => price.col(property)),
      // The valid one is looked for among all prices of the SKU.
      weight: 0.3,
    },
    prices: {
      kind: 'many',
      type: 'Price',
      on: (sku, price, args) => sql`${price.col('id')} in (
        select distinct on ("p"."term_duration", "p"."billing_plan") "p"."id" from "prices" "p"
        where "p"."sku_id" = ${sku.col('id')} and ${holds(columnOfPrice, args)}
        order by "p"."term_duration", "p"."billing_plan", ${sql.join(latestEnd(columnOfPrice))})`,
      orderBy: (price) => [price.col('termDuration'), price.col('billingPlan')],
      weight: 1,
    },
  },
};

type Column = (property: string) => Sql;
const pricesColumns: Record<string, string> = {
  market: 'market_code',
  segment: 'segment',
  currency: 'currency',
  effectiveStartDate: 'effective_start_date',
  effectiveEndDate: 'effective_end_date',
  pricingTierRangeMin: 'pricing_tier_range_min',
  pricingTierRangeMax: 'pricing_tier_range_max',
  source: 'source',
};
const columnOfPrice: Column = (property) => sql.ref(`p.${pricesColumns[property]}`);

/** Rule 3: the prices that hold for whom, when and how many is asked; the same as in prices-at.ts. */
function holds(price: Column, args: Args) {
  const market = args.param<string>('market');
  const at = args.param<Date | undefined>('at');
  const instant = sql`coalesce(${at.map((value) => value && millisecondOf(value).toISOString())}::timestamptz, now())`;
  const quantity = sql`${args.param('quantity')}::int`;
  // Compared as texts its index would be of no use: the columns are of fixed length.
  return sql`${price('market')} = upper(${market}::text)::bpchar and ${price('segment')} = ${args.param('segment')}
    and ${price('currency')} = coalesce(upper(${args.param('currency')}::text), (select "currencies"[1] from "markets" where "code" = upper(${market}::text)::bpchar))::bpchar
    and ${price('effectiveStartDate')} <= ${instant} and ${price('effectiveEndDate')} > ${instant}
    and coalesce(${price('pricingTierRangeMin')}, 1) <= ${quantity} and coalesce(${price('pricingTierRangeMax')}, ${quantity}) >= ${quantity}`;
}

/** Rule 3: on overlap the price that ends last; the same order as in prices-at.ts. */
function latestEnd(price: Column) {
  return [
    sql`${price('effectiveEndDate')} desc`,
    sql`${price('source')} desc`,
    sql`${price('effectiveStartDate')} desc`,
    sql`${price('pricingTierRangeMin')} desc nulls last`,
  ];
}

/** What a purchase charges: the listed price cut to the minor unit of its currency (rule 16). */
function charged(price: Row): Sql {
  const cases = otherMinorUnits.map(
    ({ digits, codes }) =>
      sql`when ${price.col('currency')} in (${sql.join(codes.map((code) => sql.lit(code)))}) then ${sql.lit(digits)}`,
  );
  return sql`trunc(${price.col('unitPrice')}, case ${sql.join(cases, sql` `)} else 2 end)`;
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
    ...properties('segment', 'termDuration', 'billingPlan', 'effectiveStartDate', 'effectiveEndDate', 'source'),
    minimumQuantity: computed((price) => sql`greatest(coalesce(${price.col('pricingTierRangeMin')}, 1), 1)`),
    maximumQuantity: computed((price) => price.col('pricingTierRangeMax')),
    unitPrice: money(charged, (price) => price.col('currency')),
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
