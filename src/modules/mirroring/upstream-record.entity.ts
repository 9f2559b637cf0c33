import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/** A record of what was done upstream that is known here: none is told twice. */
export const UpstreamRecord = defineEntity({
  name: 'UpstreamRecord',
  tableName: 'upstream_records',
  properties: {
    id: p.text().primary(),
    happenedAt: p.datetime(3),
    heardAt: p.datetime(3).defaultRaw('now()'),
    /** Either id of the order that it is about. */
    upstreamOrderId: p.text().nullable(),
    operation: p.text(),
    actor: p.text().nullable(),
    quantities: p.json<number[]>().columnType('jsonb').default('[]'),
    /** The entry that tells of it; null: the gateway did it itself, and has told of it. */
    entryId: p.uuid().nullable(),
  },
  indexes: [
    { name: 'upstream_records_order_idx', properties: ['upstreamOrderId'] },
    { name: 'upstream_records_happened_idx', properties: ['happenedAt'] },
  ],
});
export type UpstreamRecord = InferEntity<typeof UpstreamRecord>;
