import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { JobKind } from '../../domain/job-kind.js';
import { Order } from '../orders/order.entity.js';

/**
 * Where an intent is: written down, sent, without an answer so that it may have been done, done, or refused. The last two
 * are final.
 */
export const IntentState = {
  REQUESTED: 'REQUESTED',
  SENT: 'SENT',
  UNKNOWN: 'UNKNOWN',
  DONE: 'DONE',
  REFUSED: 'REFUSED',
} as const;
export type IntentState = (typeof IntentState)[keyof typeof IntentState];

/** What became upstream of a line of ours. */
export interface IntentLine {
  lineNumber: number;
  quantity: number;
  /** What it was bought as. */
  catalogItemId: string;
  /** Lines of one group become one order. */
  orderGroup: string;
  /** The order that it has become, and its number there. */
  order?: { id: string; alternateId: string; lineNumber: number };
  /** Why it was refused, in words for who asked. */
  refused?: string;
}

/**
 * What the upstream is to do, once: written in the transaction of the purchase or the cancellation, and carried out by a
 * job of the same id. Whatever a call is known by is stored before it is made, so that whoever goes on after a crash makes
 * the same call.
 */
export const UpstreamIntent = defineEntity({
  name: 'UpstreamIntent',
  tableName: 'upstream_intents',
  properties: {
    /** That of the order, or of the cancellation. */
    id: p.uuid().primary(),
    kind: p.enum(Object.values(JobKind)),
    order: p.manyToOne(Order),
    state: p.enum(Object.values(IntentState)).default('REQUESTED'),
    /** `MS-RequestId` of the write that is under way; null between two. */
    requestId: p.uuid().nullable(),
    /** The cart of a purchase: there is one, and never a second while the fate of the first is unknown. */
    cartId: p.text().nullable(),
    lines: p.json<IntentLine[]>().columnType('jsonb').default('[]'),
    /** Whether availabilities were read a second time: once is enough. */
    hasReread: p.boolean().default(false),
    /** When it was sent first and last: what is bought is in lists a quarter of an hour later. */
    firstSentAt: p.datetime(3).nullable(),
    lastSentAt: p.datetime(3).nullable(),
    /** What went wrong last, or why it was refused. */
    problem: p.text().nullable(),
    requestedAt: p.datetime(3).defaultRaw('now()'),
    changedAt: p.datetime(3).defaultRaw('now()'),
  },
  indexes: [
    { name: 'upstream_intents_order_idx', properties: ['order'] },
    {
      name: 'upstream_intents_open_idx',
      expression: `create index "upstream_intents_open_idx" on "upstream_intents" ("requested_at") where "state" in ('REQUESTED', 'SENT', 'UNKNOWN')`,
    },
  ],
});
export type UpstreamIntent = InferEntity<typeof UpstreamIntent>;
