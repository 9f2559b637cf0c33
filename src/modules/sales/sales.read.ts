import { sql } from 'kysely';
import { badUserInput } from '../../graphql/errors.js';
import { idOf } from '../../graphql/id-of.js';
import { among, before, since } from '../../read/fields.js';
import { computed, money, one, type ReadType, type RootReads } from '../../read/model.js';
import { type Args, Param } from '../../read/param.js';
import { type Row, type Sql } from '../../read/row.js';
import type { SalesSpan } from './sales.entity.js';
import type { SalesDimension } from './sales.type.js';
import { type Bounds, type CutRange, cutRange } from './sales-range.js';
import { salesGroups, salesWeight } from './sales-weight.read.js';

const currency = (group: Row) => group.col('currency');

/** How a SalesGroup is read: out of the columns of `salesQuery`. */
export const salesGroupRead: ReadType = {
  name: 'SalesGroup',
  entity: '',
  fields: {
    customer: one('Customer', 'customer'),
    market: one('Market', 'market', 'code'),
    product: one('Product', 'product'),
    kind: computed((group) => group.col('kind')),
    month: computed((group) => sql`${group.col('month')}::text`),
    count: computed((group) => group.col('count')),
    quantity: computed((group) => group.col('quantity')),
    gross: money((group) => group.col('gross'), currency),
    credited: money((group) => group.col('credited'), currency),
    net: money((group) => sql`${group.col('gross')} - ${group.col('credited')}`, currency),
  },
};

const columns: Record<SalesDimension, { column: string; of: Sql; type: Sql }> = {
  CUSTOMER: { column: 'customer', of: sql`"t"."customer"`, type: sql`uuid` },
  MARKET: { column: 'market', of: sql`"t"."market"`, type: sql`char(2)` },
  PRODUCT: { column: 'product', of: sql`"t"."product"`, type: sql`uuid` },
  KIND: { column: 'kind', of: sql`"t"."kind"`, type: sql`text` },
  MONTH: { column: 'month', of: sql`date_trunc('month', "t"."day"::timestamp)::date`, type: sql`date` },
};

/** A table of which many rows may be read. */
type ManyOf = (table: string) => Sql;

/**
 * Sales grouped by dimensions and currency. A credit counts once confirmed, in the month of the purchase. What has both
 * customer and product is read from the lines: there are about as many such groups as lines.
 */
function salesQuery(dimensions: readonly SalesDimension[], filter: Args, manyOf: ManyOf): Sql {
  const selected = (Object.keys(columns) as SalesDimension[]).map((dimension) => {
    const { column, of, type } = columns[dimension];
    return dimensions.includes(dimension) ? sql`${of} as ${sql.id(column)}` : sql`null::${type} as ${sql.id(column)}`;
  });
  const groups = [...dimensions.map((dimension) => columns[dimension].of), sql`"t"."currency"`];
  const names = filter.names.filter((name) => name !== 'from' && name !== 'to');
  const conditions = [sql`true`, ...names.map((name) => (filters[name] as Filter)(filter.param(name)))];
  const ofCustomers = dimensions.includes('CUSTOMER') || names.includes('customerId');
  const ofProducts = dimensions.includes('PRODUCT') || names.includes('productId');
  const range = { from: filter.given('from'), to: filter.given('to') };
  const source =
    ofCustomers && ofProducts
      ? sold(manyOf, [
          ...(range.from ? [since(sql`"o"."placed_at"`, filter.param<Date>('from'))] : []),
          ...(range.to ? [before(sql`"o"."placed_at"`, filter.param<Date>('to'))] : []),
        ])
      : addedUp(manyOf, ofCustomers, dimensions.includes('MONTH') ? 'MONTH' : 'YEAR', filter, range);
  return sql`select ${sql.join(selected)}, "t"."currency" as "currency", sum("t"."count")::bigint as "count", sum("t"."quantity")::bigint as "quantity",
      sum("t"."gross") as "gross", sum("t"."credited") as "credited"
    from (${source}) as "t" where ${sql.join(conditions, sql` and `)} group by ${sql.join(groups)}`;
}

/** The lines themselves. */
function sold(manyOf: ManyOf, conditions: readonly Sql[]): Sql {
  return sql`select ("o"."placed_at" at time zone 'UTC')::date as "day", "o"."customer_id" as "customer", "o"."market_code" as "market",
      "s"."product_id" as "product", "s"."kind" as "kind", "o"."currency" as "currency", 1::bigint as "count", "l"."quantity"::bigint as "quantity",
      "l"."total" as "gross", coalesce("c"."credit", 0 * "l"."total") as "credited"
    from ${manyOf('order_lines')} "l"
    join ${manyOf('orders')} "o" on "o"."id" = "l"."order_id"
    join "skus" "s" on "s"."id" = "l"."sku_id"
    left join ${manyOf('cancellation_lines')} "c" on "c"."order_line_id" = "l"."id" and "c"."standing" and "l"."status" = 'CANCELLED'
    where ${sql.join([sql`true`, ...conditions], sql` and `)}`;
}

/** Totals of whole years, months and days, what is not in them yet, and the lines of a day that is not whole. */
function addedUp(
  manyOf: ManyOf,
  ofCustomers: boolean,
  longest: SalesSpan,
  filter: Args,
  range: { from: boolean; to: boolean },
): Sql {
  const [from, to] = [filter.param<Date>('from'), filter.param<Date>('to')];
  const cut = new Param((run) =>
    cutRange(
      from.evaluate(run)?.getTime() ?? Number.NEGATIVE_INFINITY,
      to.evaluate(run)?.getTime() ?? Number.POSITIVE_INFINITY,
      longest,
    ),
  );
  const within = (value: Sql, type: Sql, bounds: (range: CutRange) => Bounds) =>
    sql`(${value} >= ${cut.map((all) => bounds(all).lo)}::${type} and ${value} < ${cut.map((all) => bounds(all).hi)}::${type})`;
  const either = (value: Sql, type: Sql, both: (range: CutRange) => readonly [Bounds, Bounds]) =>
    sql`(${within(value, type, (all) => both(all)[0])} or ${within(value, type, (all) => both(all)[1])})`;
  const start = sql`"total"."start"`;
  const spans = (longest === 'YEAR' ? (['YEAR', 'MONTH', 'DAY'] as const) : (['MONTH', 'DAY'] as const)).map(
    (span) => sql`("total"."span" = ${sql.lit(span)} and ${either(start, sql`date`, (all) => all.spans[span])})`,
  );
  const isOpen = !range.from && !range.to;
  const totals = isOpen ? sql`"total"."span" = ${sql.lit(longest)}` : sql`(${sql.join(spans, sql` or `)})`;
  const known = ofCustomers
    ? sql`"total"."customer_id", "total"."market_code", null::uuid as "product"`
    : sql`null::uuid as "customer", "total"."market_code", "total"."product_id"`;
  const table = manyOf(ofCustomers ? 'sales_by_customer' : 'sales_by_product');
  return sql.join(
    [
      sql`select "day", "customer_id" as "customer", "market_code" as "market", "product_id" as "product", "kind", "currency", "count", "quantity", "gross", "credited"
        from ${manyOf('sales_deltas')} where ${isOpen ? sql`true` : within(sql`"day"`, sql`date`, (all) => all.days)}`,
      sql`select "total"."start", ${known}, "total"."kind", "total"."currency", "total"."count", "total"."quantity", "total"."gross", "total"."credited"
        from ${table} as "total" where ${totals}`,
      ...(isOpen ? [] : [sold(manyOf, [either(sql`"o"."placed_at"`, sql`timestamptz`, (all) => all.edges)])]),
    ],
    sql` union all `,
  );
}

// biome-ignore lint/suspicious/noExplicitAny: each filter says what its value is; the schema has coerced it
type Filter = (value: Param<any>) => Sql;

/** Filters by the names of SalesFilter's fields; `from` and `to` choose what is read instead. */
const filters: Record<string, Filter> = {
  customerId: (id: Param<string>) =>
    sql`"t"."customer" = ${id.map((globalId) => idOf('Customer', globalId, 'filter.customerId'))}::uuid`,
  markets: (codes: Param<string[]>) =>
    among(
      sql`"t"."market"`,
      codes.map((list) => list.map((code) => code.toUpperCase())),
    ),
  kinds: (kinds: Param<string[]>) => among(sql`"t"."kind"`, kinds),
  productId: (productId: Param<string>) =>
    sql`"t"."product" = (select "id" from "products" where "product_id" = upper(${productId}::text))`,
  currency: (currency: Param<string>) => sql`"t"."currency" = upper(${currency}::text)`,
};

/** Root fields of sales. */
export const salesRoots: RootReads = {
  sales: {
    kind: 'grouped',
    type: 'SalesGroup',
    query: (args, manyOf) => {
      const dimensions = args.knownList<SalesDimension>('groupBy');
      if (new Set(dimensions).size !== dimensions.length) throw badUserInput('groupBy', 'name each dimension once');
      return salesQuery(dimensions, args.object('filter'), manyOf);
    },
    groups: salesGroups,
    weight: salesWeight,
    orderBy: (group) => [
      ...['month', 'market', 'kind'].map((column) => group.col(column)),
      sql`(select "title" from "products" where "id" = ${group.col('product')})`,
      sql`(select "company_name" from "customers" where "id" = ${group.col('customer')})`,
      ...['product', 'customer', 'currency'].map((column) => group.col(column)),
    ],
  },
};
