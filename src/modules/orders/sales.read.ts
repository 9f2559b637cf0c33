import { sql } from 'kysely';
import { idOf } from '../../graphql/id-of.js';
import { among, before, since } from '../../read/fields.js';
import { computed, money, one, type ReadType, type Row, type Sql } from '../../read/model.js';
import type { SalesDimension, SalesFilter } from './sales.type.js';

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
export function salesQuery(dimensions: readonly SalesDimension[], filter: SalesFilter): Sql {
  const selected = (Object.keys(columns) as SalesDimension[]).map((dimension) => {
    const { column, of, type } = columns[dimension];
    return dimensions.includes(dimension) ? sql`${of} as ${sql.id(column)}` : sql`null::${type} as ${sql.id(column)}`;
  });
  const groups = [...dimensions.map((dimension) => columns[dimension].of), sql`"o"."currency"`];
  const conditions = [sql`true`, ...conditionsOf(filter)];
  return sql`select ${sql.join(selected)}, "o"."currency" as "currency", count(*)::int as "count", sum("l"."quantity")::int as "quantity",
      sum("l"."total") as "gross", sum(coalesce("c"."credit", 0 * "l"."total")) as "credited"
    from "order_lines" "l"
    join "orders" "o" on "o"."id" = "l"."order_id"
    join "skus" "s" on "s"."id" = "l"."sku_id"
    left join "cancellation_lines" "c" on "c"."order_line_id" = "l"."id" and "c"."standing" and "l"."status" = 'CANCELLED'
    where ${sql.join(conditions, sql` and `)}
    group by ${sql.join(groups)}`;
}

function conditionsOf(filter: SalesFilter): Sql[] {
  return [
    filter.from && since(sql`"o"."placed_at"`, filter.from),
    filter.to && before(sql`"o"."placed_at"`, filter.to),
    filter.customerId && sql`"o"."customer_id" = ${idOf('Customer', filter.customerId, 'filter.customerId')}::uuid`,
    filter.markets &&
      among(
        sql`"o"."market_code"`,
        filter.markets.map((code) => code.toUpperCase()),
      ),
    filter.kinds && among(sql`"s"."kind"`, filter.kinds),
    filter.productId &&
      sql`"s"."product_id" = (select "id" from "products" where "product_id" = upper(${filter.productId}::text))`,
    filter.currency && sql`"o"."currency" = upper(${filter.currency}::text)`,
  ].filter((condition) => condition !== undefined && condition !== null && condition !== '') as Sql[];
}
