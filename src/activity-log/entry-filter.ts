import { type RawBuilder, sql } from 'kysely';
import { masked } from '../auth/access-rule.js';
import type { ActivityAction } from './activity-action.js';
import { dayOf, daysOfSpan, edgeOf } from './days.js';
import type { FeedEntry } from './entry.js';
import { ANOTHER_TENANT, isByStranger, strangers } from './strangers.js';

/** Which entries a subscriber wants. Ids are the rows', not the graph's. */
export interface EntryFilter {
  from?: Date | null;
  to?: Date | null;
  actions?: readonly ActivityAction[] | null;
  actor?: string | null;
  /** `oid` or `sub` of who acted, case as given. */
  actorObjectId?: string | null;
  customerId?: string | null;
  orderId?: string | null;
  productId?: string | null;
  /** What a CUSTOMER_ADMIN may reach: rows of the tenant's customer only, nothing where it has none, and no stranger. */
  own?: OwnTenant;
}

/** The tenant that somebody is held to. */
export interface OwnTenant {
  /** In lower case. */
  tenantId: string;
  /** The customer with the tenant; null: there is none. */
  customerId: string | null;
}

/** Whether an entry passes: the same rule as `matching`, for entries in memory. */
export function passes(entry: FeedEntry, filter: EntryFilter): boolean {
  const { own } = filter;
  if (own && (own.customerId === null || entry.customerId !== own.customerId)) return false;
  if (filter.from && entry.at < filter.from.getTime()) return false;
  if (filter.to && entry.at >= filter.to.getTime()) return false;
  if (filter.actions && !filter.actions.includes(entry.action)) return false;
  const isMasked = own !== undefined && isByStranger(entry, own.tenantId);
  const [actor, actorObjectId] = isMasked ? [ANOTHER_TENANT, null] : [entry.actor, entry.actorObjectId];
  if (filter.actor != null && actor !== filter.actor.toLowerCase()) return false;
  if (filter.actorObjectId != null && actorObjectId !== filter.actorObjectId) return false;
  if (filter.customerId != null && entry.customerId !== filter.customerId) return false;
  if (filter.orderId != null && entry.orderId !== filter.orderId) return false;
  if (filter.productId != null && !entry.productIds.includes(filter.productId.toUpperCase())) return false;
  return true;
}

type Sql = RawBuilder<unknown>;

const masks = {
  actor: 'actor',
  application: 'application',
  actorIssuer: 'actor_issuer',
  actorTenantId: 'actor_tenant_id',
  actorObjectId: 'actor_object_id',
  correlationId: 'correlation_id',
} as const;

/** A column of the log as somebody is shown it: who is held to a tenant knows no strangers. */
export function shownTo(own: OwnTenant | undefined, property: keyof typeof masks, alias = 'activity_entries'): Sql {
  const column = sql.ref(`${alias}.${masks[property]}`);
  return own ? masked(strangers, { alias, property, column }, sql`${own.tenantId}`) : column;
}

/**
 * The rows of the log within bounds that pass a filter, in parentheses: the same rule as `passes`, and at least the
 * first `limit` of them in commit order. Read by an index whatever the filter: of several actions each has its own
 * part of activity_entries_action_idx, of a time span only the positions that its days lie between are looked at.
 */
export function matching(filter: EntryFilter, bounds: readonly Sql[], limit: number): Sql {
  const conditions = [...bounds, ...conditionsOf(filter)];
  const first = (more: readonly Sql[]) =>
    sql`(select * from "activity_entries" where ${sql.join([...conditions, ...more], sql` and `)} order by "xid", "seq" limit ${limit}::int)`;
  const { actions } = filter;
  if (!actions) return first([]);
  if (actions.length === 0) return first([sql`false`]);
  // Each with its own value: of `any(list)`, and of a value out of a join, PostgreSQL knows not how rare it is.
  const each = [...new Set(actions)].map((action) => first([sql`"action" = ${action}`]));
  return each.length === 1 ? (each[0] as Sql) : sql`(${sql.join(each, sql` union all `)})`;
}

function conditionsOf(filter: EntryFilter): Sql[] {
  const conditions: Sql[] = [];
  const { own } = filter;
  if (own) conditions.push(sql`"customer_id" = ${own.customerId}::uuid`);
  if (filter.from) conditions.push(sql`"at" >= ${filter.from.toISOString()}::timestamptz`);
  if (filter.to) conditions.push(sql`"at" < ${filter.to.toISOString()}::timestamptz`);
  const dayGiven = (instant: Date | null | undefined) =>
    instant ? dayOf(sql`${instant.toISOString()}::timestamptz`) : null;
  const days = daysOfSpan(dayGiven(filter.from), dayGiven(filter.to));
  if (filter.from) conditions.push(sql`("xid", "seq") >= ${edgeOf(days, sql`asc`)}`);
  if (filter.to) conditions.push(sql`("xid", "seq") <= ${edgeOf(days, sql`desc`)}`);
  if (filter.actor != null) conditions.push(sql`${shownTo(own, 'actor')} = ${filter.actor.toLowerCase()}`);
  if (filter.actorObjectId != null) conditions.push(sql`${shownTo(own, 'actorObjectId')} = ${filter.actorObjectId}`);
  if (filter.customerId != null) conditions.push(sql`"customer_id" = ${filter.customerId}::uuid`);
  if (filter.orderId != null) conditions.push(sql`"order_id" = ${filter.orderId}::uuid`);
  if (filter.productId != null) conditions.push(sql`"product_ids" @> array[upper(${filter.productId}::text)]`);
  return conditions;
}
