import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { idOf } from '../../graphql/id-of.js';
import { among, before, globalId } from '../../read/fields.js';
import {
  computed,
  connection,
  one,
  period,
  properties,
  type ReadType,
  type RootReads,
  type TypeExtensions,
} from '../../read/model.js';
import type { Args, Param } from '../../read/param.js';
import { instant, type Row, type Sql } from '../../read/row.js';

/** EXPIRED is no stored state: it is ACTIVE with its term behind it, so that no job has to run at midnight. */
const status = (entitlement: Row) =>
  sql`case when ${entitlement.col('status')} = 'ACTIVE' and ${entitlement.col('expiresAt')} <= now() then 'EXPIRED' else ${entitlement.col('status')} end`;

const ofSku = (entitlement: Row, column: string): RawBuilder<unknown> =>
  sql`(select ${sql.ref(`skus.${column}`)} from "skus" where "skus"."id" = ${entitlement.col('sku')})`;
const ofOrderLine = (entitlement: Row, column: string): RawBuilder<unknown> =>
  sql`(select ${sql.ref(`order_lines.${column}`)} from "order_lines" where "order_lines"."id" = ${entitlement.col('orderLine')})`;
const edition = (entitlement: Row) => ofSku(entitlement, 'windows_server_edition');
const isActive = (entitlement: Row) => sql`${status(entitlement)} = 'ACTIVE'`;
const isEligible = (entitlement: Row) => sql`(${edition(entitlement)} is not null and ${isActive(entitlement)})`;
const ifEligible = (value: (entitlement: Row) => RawBuilder<unknown>) =>
  computed((entitlement) => sql`case when ${isEligible(entitlement)} then ${value(entitlement)} end`);

/** Core licences that Windows Server needs at least by virtual machine and by customer. */
const CORES_PER_VIRTUAL_MACHINE = 8;
const CORES_PER_CUSTOMER = 16;

const skusOfProduct = (productId: Param<string>) =>
  sql`select "s"."id" from "skus" "s" join "products" "p" on "p"."id" = "s"."product_id" where "p"."product_id" = upper(${productId}::text)`;

/**
 * Newest first, what expired long ago lies behind all that did not. So the page begins at the newest grant of what
 * expires on the days before the bound, each of which entitlements_expiry_idx tells at once.
 */
function expiring(entitlement: Row, filter: Args, ascending: boolean): Sql<SqlBool>[] {
  if (ascending || !filter.given('expiresBefore')) return [];
  const day = sql`("expires_at" at time zone 'UTC')::date`;
  const outermost = (way: Sql) =>
    sql`(select ${day} from "entitlements" where ${day} is not null order by ${day} ${way} limit 1)`;
  const bound = filter.param<Date>('expiresBefore').map((value) => value.toISOString());
  const [first, last] = [
    outermost(sql`asc`),
    sql`least((${bound}::timestamptz at time zone 'UTC')::date, ${outermost(sql`desc`)})`,
  ];
  return [
    sql<SqlBool>`${entitlement.col('grantedAt')} <= (select max("edge"."granted_at") from generate_series(0, ${last} - ${first}) as "day" ("of")
      cross join lateral (select "granted_at" from "entitlements" where ${day} = ${first} + "day"."of" order by "granted_at" desc limit 1) "edge")`,
  ];
}

/** How an Entitlement is read. There is no way from here to a product key (rule 8). */
export const entitlementRead: ReadType = {
  name: 'Entitlement',
  entity: 'Entitlement',
  fields: {
    id: globalId('Entitlement'),
    ...properties('quantity', 'grantedAt', 'revokedAt'),
    expiresAt: computed((entitlement) => instant(entitlement.col('expiresAt'))),
    term: period(
      (entitlement) => ofOrderLine(entitlement, 'term_start'),
      (entitlement) => ofOrderLine(entitlement, 'term_end'),
    ),
    status: computed(status),
    customer: one('Customer', 'customer'),
    orderLine: one('OrderLine', 'orderLine'),
    order: {
      kind: 'one',
      type: 'Order',
      on: (entitlement, order) =>
        sql`${order.col('id')} = (select "order_id" from "order_lines" where "order_lines"."id" = ${entitlement.col('orderLine')})`,
    },
    sku: one('Sku', 'sku'),
    hybridBenefit: {
      kind: 'embedded',
      // Its fields look the SKU up again and again.
      weight: 0.2,
      fields: {
        isEligible: computed(isEligible),
        reason: computed(
          (entitlement) => sql`case
            when ${edition(entitlement)} is null then 'Only Windows Server Datacenter and Standard core licences with Software Assurance or as a subscription qualify.'
            when not ${isActive(entitlement)} then 'The entitlement is not active.'
            when ${edition(entitlement)} = 'DATACENTER' then 'Windows Server Datacenter: the licence may be used on premises and in Azure at once, with Software Assurance or as a subscription.'
            else 'Windows Server Standard: the licence is converted, it moves to Azure, with Software Assurance or as a subscription.' end`,
        ),
        edition: computed(edition),
        use: ifEligible(
          (entitlement) => sql`case ${edition(entitlement)} when 'DATACENTER' then 'REUSE' else 'CONVERT' end`,
        ),
        coresOwned: ifEligible(
          (entitlement) => sql`${ofSku(entitlement, 'cores_per_unit')}::bigint * ${entitlement.col('quantity')}`,
        ),
        coresNeededPerVirtualMachine: ifEligible(() => sql`${CORES_PER_VIRTUAL_MACHINE}::int`),
        coresNeededPerCustomer: ifEligible(() => sql`${CORES_PER_CUSTOMER}::int`),
        documentedSaving: ifEligible(() => sql`'up to 40 %'::text`),
      },
    },
  },
  listing: {
    filters: {
      customerId: (entitlement, id: Param<string>) =>
        sql`${entitlement.col('customer')} = ${id.map((globalId) => idOf('Customer', globalId, 'filter.customerId'))}::uuid`,
      statuses: (entitlement, statuses: Param<string[]>) => among(status(entitlement), statuses),
      kinds: (entitlement, kinds: Param<string[]>) => among(ofSku(entitlement, 'kind'), kinds),
      productId: (entitlement, productId: Param<string>) =>
        sql`${entitlement.col('sku')} in (${skusOfProduct(productId)})`,
      expiresBefore: (entitlement, bound: Param<Date>) => before(entitlement.col('expiresAt'), bound),
    },
    derivedBounds: expiring,
    weights: {
      customerId: { isOneCustomers: true },
      statuses: { times: 3, share: 1 },
      kinds: { times: 25, share: 1 },
      productId: { share: 0.1 },
    },
    perValueUnions: {
      productId: { key: 'sku', values: skusOfProduct },
      kinds: {
        key: 'sku',
        values: (kinds: Param<string[]>) => sql`select "id" from "skus" where ${among(sql`"skus"."kind"`, kinds)}`,
      },
      // EXPIRED is ACTIVE in the table; the filter itself tells them apart.
      statuses: {
        key: 'status',
        values: (statuses: Param<string[]>) =>
          sql`select distinct unnest(array_replace(${statuses}::text[], 'EXPIRED', 'ACTIVE'))`,
      },
    },
    orders: {
      GRANTED_AT: [
        { property: 'grantedAt', type: 'timestamptz' },
        { property: 'id', type: 'uuid' },
      ],
    },
    defaultOrder: { field: 'GRANTED_AT', direction: 'DESC' },
  },
};

/** Keys of a version that are counted: two milliseconds. */
const MOST_COUNTED = 10_000;

/** What entitlements add to the types below them. */
export const entitlementExtensions: TypeExtensions = {
  Customer: { software: connection('Entitlement', 'customer') },
  OrderLine: {
    entitlement: {
      kind: 'one',
      type: 'Entitlement',
      on: (line, entitlement) => sql`${entitlement.col('orderLine')} = ${line.col('id')}`,
    },
  },
  SoftwareVersion: {
    unusedKeys: {
      ...computed(
        (version) =>
          sql`(select count(*)::int from (select from "product_key_pool" as "pooled" where "pooled"."sku_id" = ${version.col('sku')}
            and "pooled"."version" = ${version.col('version')} and "pooled"."taken_at" is null limit ${sql.lit(MOST_COUNTED)}) as "free")`,
      ),
      weight: 20,
    },
  },
};

/** Root fields of entitlements. */
export const entitlementRoots: RootReads = { software: { kind: 'connection', type: 'Entitlement' } };
