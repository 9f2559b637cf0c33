import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/**
 * Attempts at a key or a link that were refused lately, joined: whoever tries the same again and again fills a row, not
 * the log. The first has its entry at once, the others one entry when the window ends (`refused-attempts.ts`).
 */
export const RefusedAttempt = defineEntity({
  name: 'RefusedAttempt',
  tableName: 'refused_attempts',
  properties: {
    /** Key of the identity (`auth/identity.ts`). */
    identity: p.text().primary(),
    operation: p.text().primary(),
    /** What was tried for, whether there is such an entitlement or not. */
    entitlementId: p.uuid().primary(),
    reason: p.text().primary(),
    /** Entry of the first attempt: it says who tried, and for whose. */
    entryId: p.uuid(),
    firstAt: p.datetime(3),
    attempts: p.integer().default(1),
  },
  indexes: [{ name: 'refused_attempts_first_idx', properties: ['firstAt'] }],
});
export type RefusedAttempt = InferEntity<typeof RefusedAttempt>;
