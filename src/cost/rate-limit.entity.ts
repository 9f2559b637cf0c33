import { defineEntity, p } from '@mikro-orm/core';

/**
 * What users have spent in the window that runs: the table of `rate-limiter-flexible`, whose columns are its own, in its
 * own order. A crash of PostgreSQL may empty it, which gives everybody a new window.
 */
export const RateLimit = defineEntity({
  name: 'RateLimit',
  tableName: 'rate_limits',
  properties: {
    key: p.string().length(255).primary(),
    points: p.integer().default(0),
    /** Milliseconds since 1970. */
    expire: p.bigint('number').nullable(),
  },
});
