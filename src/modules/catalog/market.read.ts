import { sql } from 'kysely';
import { computed, properties, type ReadType, type RootReads } from '../../read/model.js';

/** How a Market is read. */
export const marketRead: ReadType = {
  name: 'Market',
  entity: 'Market',
  fields: {
    ...properties('code', 'name', 'taxInclusive', 'currencies'),
    closedTo: computed(
      (market) =>
        sql`array(select "kind" from "market_closures" where "market_code" = ${market.col('code')} order by "kind")`,
    ),
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
            sql`${market.col('code')} in (select "market_code" from "market_closures" where "kind" = ${args.param('closedTo')})`,
          ]
        : [],
    orderBy: (market) => [market.col('code')],
  },
};
