import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** A user whose tokens issued up to `revokedAt` are void; a later one needs a token issued after it. */
export const AccessRevocation = defineEntity({
  name: 'AccessRevocation',
  tableName: 'access_revocations',
  properties: {
    /** User principal name, in lower case. */
    userPrincipalName: p.text().primary().check('user_principal_name = lower(user_principal_name)'),
    revokedAt: p.datetime(3),
    revokedBy: p.text(),
    reason: p.text().nullable(),
  },
});
export type AccessRevocation = InferEntity<typeof AccessRevocation>;

/** The first answer to a mutation, by caller, operation and key (rule 5). */
export const IdempotencyKey = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  properties: {
    caller: p.text().primary(),
    operation: p.text().primary(),
    key: p.text().primary(),
    /** SHA-256 of the input in canonical form. */
    fingerprint: p.text(),
    answer: p.json<Record<string, unknown>>().columnType('jsonb'),
    createdAt: p.datetime(3),
    /** Until when the answer counts: 45 days, more than the 40 of rule 5. */
    expiresAt: p.datetime(3),
  },
  indexes: [{ name: 'idempotency_keys_expiry_idx', properties: ['expiresAt'] }],
});
export type IdempotencyKey = InferEntity<typeof IdempotencyKey>;
