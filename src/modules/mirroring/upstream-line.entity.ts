import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { OrderLine } from '../orders/order.entity.js';

/** Which line of which order of the upstream a line of ours is. */
export const UpstreamLine = defineEntity({
  name: 'UpstreamLine',
  tableName: 'upstream_lines',
  properties: {
    orderLine: p.oneToOne(OrderLine).owner().primary(),
    upstreamOrderId: p.text(),
    alternateId: p.text().nullable(),
    lineNumber: p.integer(),
    subscriptionId: p.uuid().nullable(),
    /** As the upstream calls that of the order, or of the subscription. */
    state: p.text(),
    /** Whether it came here by the mirror; false: it was bought through the gateway. Nothing is charged for the former. */
    isMirrored: p.boolean(),
    /** Whether the upstream says what it costs. */
    isPriced: p.boolean(),
    /** When it was ordered there. */
    orderedAt: p.datetime(3),
    seenAt: p.datetime(3),
    /** Since when the upstream has it no more. */
    goneAt: p.datetime(3).nullable(),
  },
  uniques: [{ name: 'upstream_lines_place_key', properties: ['upstreamOrderId', 'lineNumber'] }],
  indexes: [{ name: 'upstream_lines_alternate_idx', properties: ['alternateId'] }],
});
export type UpstreamLine = InferEntity<typeof UpstreamLine>;
