import { sql } from 'kysely';
import { globalId } from '../../read/fields.js';
import { computed, type KeyColumn, properties, type ReadType, type RootReads } from '../../read/model.js';

const key: readonly KeyColumn[] = [{ property: 'code', type: 'bpchar' }];

/** How a Market is read. */
export const marketRead: ReadType = {
  name: 'Market',
  entity: 'Market',
  key,
  fields: {
    id: globalId('Market', key),
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
