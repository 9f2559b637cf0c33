import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/**
 * A checkpoint of the activity log: the hashes of its next entries in commit order, chained to the seal before
 * (`seal/leaf.ts` says of what). Whatever is done to a sealed entry afterwards no longer fits. Append-only like the log.
 */
export const ActivitySeal = defineEntity({
  name: 'ActivitySeal',
  tableName: 'activity_seals',
  properties: {
    /** 1, 2, 3 … without a gap. */
    number: p.bigint('string').autoincrement(false).primary(),
    /** Position of the last entry that it closes. */
    xid: p.string().columnType('xid8'),
    seq: p.bigint('string'),
    /** How many entries it closes. */
    entries: p.integer().check('entries > 0'),
    /** 16 bytes for each entry, in commit order. */
    leaves: p.blob(),
    /** SHA-256 of the hash of the seal before and the leaves. */
    hash: p.blob(),
    sealedAt: p.datetime(3).defaultRaw('clock_timestamp()'),
  },
  checks: [{ name: 'activity_seals_leaves', expression: 'octet_length(leaves) = 16 * entries' }],
  triggers: [
    // TRUNCATE has a trigger of its own in the migration, as that of the log.
    {
      name: 'activity_seals_append_only',
      timing: 'before',
      events: ['update', 'delete'],
      forEach: 'statement',
      body: "raise exception 'activity_seals is append-only' using errcode = 'insufficient_privilege'; return null",
    },
  ],
});
export type ActivitySeal = InferEntity<typeof ActivitySeal>;
