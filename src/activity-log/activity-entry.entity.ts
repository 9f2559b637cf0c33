import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { ActivityAction, ActivityOutcome, ResourceType } from './activity-action.js';
import type { ActivityDetail } from './activity-detail.js';

/**
 * Who did what to which resource, for which customer, when and with which outcome (rule 22).
 * Append-only: the triggers refuse UPDATE, DELETE and TRUNCATE to everybody, the owner too.
 * Readers order by `(xid, seq)` and stay below the snapshot horizon: `seq` alone is drawn
 * before commit and loses entries of overlapping transactions.
 * Plain columns instead of foreign keys to orders: an entry outlives whatever it speaks of.
 */
export const ActivityEntry = defineEntity({
  name: 'ActivityEntry',
  tableName: 'activity_entries',
  properties: {
    seq: p.bigint('string').autoincrement().primary(),
    xid: p.string().columnType('xid8').defaultRaw('feed_xid()'),
    id: p.uuid().unique('activity_entries_id_key'),
    at: p.datetime(3).defaultRaw('clock_timestamp()'),
    action: p.enum(Object.values(ActivityAction)),
    outcome: p.enum(Object.values(ActivityOutcome)),
    /** User principal name, role and application of who acted. */
    actor: p.text(),
    actorRole: p.text(),
    application: p.text().nullable(),
    /** Identity of who acted (`auth/identity.ts`); null in entries from before identities were kept. */
    actorIssuer: p.text().nullable(),
    actorTenantId: p.uuid().nullable(),
    actorObjectId: p.text().nullable(),
    customerId: p.uuid().nullable(),
    orderId: p.uuid().nullable(),
    /** Catalog product ids (`DG7GMGF0FKZV`) that the entry concerns. */
    productIds: p.array().columnType('text[]').defaultRaw(`'{}'`),
    resourceType: p.enum(Object.values(ResourceType)),
    resourceId: p.text(),
    /** What a person calls the resource: an order number, a SKU's title, a user principal name. */
    resourceLabel: p.text(),
    correlationId: p.uuid(),
    detail: p.json<ActivityDetail>().columnType('jsonb'),
  },
  indexes: [
    { name: 'activity_entries_order_idx', properties: ['xid', 'seq'] },
    { name: 'activity_entries_customer_idx', properties: ['customerId', 'xid', 'seq'] },
    { name: 'activity_entries_action_idx', properties: ['action', 'xid', 'seq'] },
    { name: 'activity_entries_actor_idx', properties: ['actor', 'xid', 'seq'] },
    { name: 'activity_entries_actor_object_idx', properties: ['actorObjectId', 'xid', 'seq'] },
    { name: 'activity_entries_order_id_idx', properties: ['orderId', 'xid', 'seq'] },
    // Where in the log a day begins and ends: see inDays of activity.read.ts.
    {
      name: 'activity_entries_day_idx',
      expression: `create index "activity_entries_day_idx" on "activity_entries" ((("at" at time zone 'UTC')::date), "xid", "seq")`,
    },
    {
      name: 'activity_entries_products_idx',
      expression: 'create index "activity_entries_products_idx" on "activity_entries" using gin ("product_ids")',
    },
  ],
  triggers: [
    // TRUNCATE has a trigger of its own in the migration: the ORM cannot see that kind when it looks for drift.
    {
      name: 'activity_entries_append_only',
      timing: 'before',
      events: ['update', 'delete'],
      forEach: 'statement',
      body: "raise exception 'activity_entries is append-only (rule 22)' using errcode = 'insufficient_privilege'; return null",
    },
  ],
});
export type ActivityEntry = InferEntity<typeof ActivityEntry>;

/**
 * The incarnation of this database: cursors name it, so that one from another database, or from before a restore or a
 * failover, is refused. One row; `feed/incarnation.ts` keeps it true.
 */
export const DatabaseIncarnation = defineEntity({
  name: 'DatabaseIncarnation',
  tableName: 'database_incarnation',
  properties: {
    singleton: p.boolean().primary().default(true).check('singleton'),
    id: p.uuid().defaultRaw('gen_random_uuid()'),
    /** Cluster, database, table and timeline that the id was given to; null until a gateway first started. */
    fingerprint: p.text().nullable(),
    /** Added to this cluster's transaction ids: restored entries keep those of another, and must stay before new ones. */
    xidOffset: p.bigint('string').default('0'),
  },
});
