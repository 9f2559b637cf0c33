import { sql } from 'kysely';
import { globalId } from '../../read/fields.js';
import { computed, type KeyColumn, properties, type ReadType, type RootReads } from '../../read/model.js';
import type { Sql } from '../../read/row.js';

const key: readonly KeyColumn[] = [{ property: 'code', type: 'bpchar' }];

/** What holds today (UTC) of each market and kind; the same choice as in policies-at.ts. */
const newestClosures = (which: Sql) =>
  sql`select distinct on ("market_code", "kind") "market_code", "kind", "is_closed" from "market_closures"
    where ${which} and "effective_date" <= (now() at time zone 'UTC')::date order by "market_code", "kind", "effective_date" desc`;

/** How a Market is read. */
export const marketRead: ReadType = {
  name: 'Market',
  entity: 'Market',
  key,
  fields: {
    id: globalId('Market', key),
    ...properties('code', 'name', 'taxInclusive', 'currencies'),
    closedTo: {
      ...computed(
        (market) =>
          sql`array(select "kind" from (${newestClosures(sql`"market_code" = ${market.col('code')}`)}) as "newest" where "is_closed" order by "kind")`,
      ),
      weight: 0.1,
    },
    closures: {
      kind: 'elements',
      from: (market, as) =>
        sql`(select "kind", "effective_date"::text as "effectiveDate", "is_closed" as "isClosed" from "market_closures" where "market_code" = ${market.col('code')}) as ${as}`,
      orderBy: (closure) => [closure.col('kind'), closure.col('effectiveDate')],
      fields: properties('kind', 'effectiveDate', 'isClosed'),
    },
  },
};

/** Root fields of markets. */
export const marketRoots: RootReads = {
  markets: {
    kind: 'list',
    type: 'Market',
    where: (market, args) =>
      args.given('closedTo')
        ? [
            sql`${market.col('code')} in (select "market_code" from (${newestClosures(sql`"kind" = ${args.param('closedTo')}`)}) as "newest" where "is_closed")`,
          ]
        : [],
    orderBy: (market) => [market.col('code')],
  },
};
