import { sql } from 'kysely';
import { computed, properties, type ReadType } from '../../read/model.js';

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
