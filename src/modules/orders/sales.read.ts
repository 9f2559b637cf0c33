import { sql } from 'kysely';
import { badUserInput } from '../../graphql/errors.js';
import { idOf } from '../../graphql/id-of.js';
import { among, before, since } from '../../read/fields.js';
import { computed, money, one, type ReadType, type RootReads, type Row, type Sql } from '../../read/model.js';
import type { Args, Param } from '../../read/param.js';
import type { SalesDimension } from './sales.type.js';

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
  CUSTOMER: { column: 'customer', of: sql`"o"."customer_id"`, type: sql`uuid` },
  MARKET: { column: 'market', of: sql`"o"."market_code"`, type: sql`char(2)` },
  PRODUCT: { column: 'product', of: sql`"s"."product_id"`, type: sql`uuid` },
  KIND: { column: 'kind', of: sql`"s"."kind"`, type: sql`text` },
  MONTH: { column: 'month', of: sql`date_trunc('month', "o"."placed_at" at time zone 'UTC')::date`, type: sql`date` },
};

/** Order lines grouped by dimensions and currency. A credit counts once confirmed, in the month of the purchase. */
function salesQuery(dimensions: readonly SalesDimension[], filter: Args): Sql {
  const selected = (Object.keys(columns) as SalesDimension[]).map((dimension) => {
    const { column, of, type } = columns[dimension];
    return dimensions.includes(dimension) ? sql`${of} as ${sql.id(column)}` : sql`null::${type} as ${sql.id(column)}`;
  });
  const groups = [...dimensions.map((dimension) => columns[dimension].of), sql`"o"."currency"`];
  const conditions = [sql`true`, ...filter.names.map((name) => (filters[name] as Filter)(filter.param(name)))];
  return sql`select ${sql.join(selected)}, "o"."currency" as "currency", count(*)::int as "count", sum("l"."quantity")::int as "quantity",
      sum("l"."total") as "gross", sum(coalesce("c"."credit", 0 * "l"."total")) as "credited"
    from "order_lines" "l"
    join "orders" "o" on "o"."id" = "l"."order_id"
    join "skus" "s" on "s"."id" = "l"."sku_id"
    left join "cancellation_lines" "c" on "c"."order_line_id" = "l"."id" and "c"."standing" and "l"."status" = 'CANCELLED'
    where ${sql.join(conditions, sql` and `)}
    group by ${sql.join(groups)}`;
}

// biome-ignore lint/suspicious/noExplicitAny: each filter says what its value is; the schema has coerced it
type Filter = (value: Param<any>) => Sql;

/** By the names of SalesFilter's fields. */
const filters: Record<string, Filter> = {
  from: (from: Param<Date>) => since(sql`"o"."placed_at"`, from),
  to: (to: Param<Date>) => before(sql`"o"."placed_at"`, to),
  customerId: (id: Param<string>) =>
    sql`"o"."customer_id" = ${id.map((globalId) => idOf('Customer', globalId, 'filter.customerId'))}::uuid`,
  markets: (codes: Param<string[]>) =>
    among(
      sql`"o"."market_code"`,
      codes.map((list) => list.map((code) => code.toUpperCase())),
    ),
  kinds: (kinds: Param<string[]>) => among(sql`"s"."kind"`, kinds),
  productId: (productId: Param<string>) =>
    sql`"s"."product_id" = (select "id" from "products" where "product_id" = upper(${productId}::text))`,
  currency: (currency: Param<string>) => sql`"o"."currency" = upper(${currency}::text)`,
};

/** Root fields of sales. */
export const salesRoots: RootReads = {
  sales: {
    kind: 'grouped',
    type: 'SalesGroup',
    query: (args) => {
      const dimensions = args.knownList<SalesDimension>('groupBy');
      if (new Set(dimensions).size !== dimensions.length) throw badUserInput('groupBy', 'name each dimension once');
      return salesQuery(dimensions, args.object('filter'));
    },
    orderBy: (group) =>
      ['month', 'market', 'kind', 'product', 'customer', 'currency'].map((column) => group.col(column)),
  },
};
