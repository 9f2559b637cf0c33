import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { dayOf, daysBetween, daysOfSpan, edgeOf } from '../../activity-log/days.js';
import { FEED_CURSORS } from '../../activity-log/feed-cursors.js';
import { idOf } from '../../graphql/id-of.js';
import { among, before, eachOf, globalId, reference, since } from '../../read/fields.js';
import {
  connection,
  one,
  properties,
  property,
  type ReadType,
  type RootReads,
  type TypeExtensions,
} from '../../read/model.js';
import type { Args, Param } from '../../read/param.js';
import { type Row, type Sql } from '../../read/row.js';
import { activityDetails } from './activity-detail.read.js';

const DAY_MS = 86_400_000;
/** 1 January 1970. */
const EPOCH_JULIAN_DAY = 2_440_588;
const YEAR_MS = 366 * DAY_MS;

/** Filters with an index in the order of the log: whatever the value, there is one way to read what passes. */
const ORDERED_FILTERS = ['actions', 'actor', 'actorObjectId', 'customerId', 'orderId'];

/** Where a page of a range of time begins and ends in the order of the log, by the positions that its days have. */
function inDays(entry: Row, filter: Args, ascending: boolean): Sql<SqlBool>[] {
  const [hasFrom, hasTo] = [filter.given('from'), filter.given('to')];
  if (!hasFrom && !hasTo) return [];
  const others = filter.names.filter((name) => name !== 'from' && name !== 'to');
  const days = daysOf(filter, others);
  const position = sql`(${entry.col('xid')}, ${entry.col('seq')})`;
  const from = sql<SqlBool>`${position} >= ${edgeOf(days, sql`asc`)}`;
  const to = sql<SqlBool>`${position} <= ${edgeOf(days, sql`desc`)}`;
  // Where too few entries pass the other filters, a page would be looked for beyond the range, to the end of the log.
  if (others.length > 0 && hasFrom && hasTo) return [from, to];
  return ascending ? [from] : [to];
}

/** The days of a range, as a relation of dates. */
function daysOf(filter: Args, others: readonly string[]): RawBuilder<unknown> {
  const [hasFrom, hasTo] = [filter.given('from'), filter.given('to')];
  const isShort = filter.knownOf(({ from, to }) => from instanceof Date && to instanceof Date && +to - +from < YEAR_MS);
  // Ten days are what PostgreSQL expects of a list, a thousand of a series. Expecting few it keeps one plan for all
  // values, and a third of the time; where values decide which index is the better one, it must go on planning each.
  if (isShort && others.length === 1 && ORDERED_FILTERS.includes(others[0] as string))
    return sql`unnest(${filter.all.map(({ from, to }) => dayList(from as Date, to as Date))}::date[])`;
  const dayGiven = (name: string) =>
    dayOf(sql`${filter.param<Date>(name).map((value) => value.toISOString())}::timestamptz`);
  // A long range, or one without an end, is cut to the days that there are.
  if (isShort) return daysBetween(dayGiven('from'), dayGiven('to'));
  return daysOfSpan(hasFrom ? dayGiven('from') : null, hasTo ? dayGiven('to') : null);
}

/** Days in UTC, as PostgreSQL's text of an array; the one that `to` lies in is among them. */
function dayList(from: Date, to: Date): string {
  const days: string[] = [];
  // Julian days (`J2440588`), which PostgreSQL reads as dates: a date written out costs a multiple, for each request.
  for (let day = Math.floor(+from / DAY_MS); day <= +to / DAY_MS; day += 1) days.push(`J${day + EPOCH_JULIAN_DAY}`);
  return `{${days.join()}}`;
}

/**
 * How an ActivityEntry is read. Only rows below the snapshot horizon exist for readers: no transaction that could still
 * commit a row before them is open. So a cursor never skips one.
 */
export const activityEntryRead: ReadType = {
  name: 'ActivityEntry',
  entity: 'ActivityEntry',
  fields: {
    id: globalId('ActivityEntry'),
    ...properties('at', 'action', 'outcome', 'productIds', 'correlationId'),
    actor: {
      kind: 'embedded',
      fields: {
        userPrincipalName: property('actor'),
        role: property('actorRole'),
        application: property('application'),
        issuer: property('actorIssuer'),
        tenantId: property('actorTenantId'),
        objectId: property('actorObjectId'),
      },
    },
    customer: one('Customer', 'customerId'),
    order: one('Order', 'orderId'),
    resource: {
      kind: 'embedded',
      fields: {
        type: property('resourceType'),
        ...reference('resourceId', ['Order', 'Entitlement', 'SupportRequest', 'Sku', 'Reconciliation']),
        label: property('resourceLabel'),
      },
    },
    detail: { kind: 'union', discriminator: (entry) => entry.col('action'), members: activityDetails },
  },
  listing: {
    cursorCodec: FEED_CURSORS,
    defaultScope: (entry) => sql`${entry.col('xid')} < (select feed_horizon())`,
    filters: {
      from: (entry, from: Param<Date>) => since(entry.col('at'), from),
      to: (entry, to: Param<Date>) => before(entry.col('at'), to),
      actions: (entry, actions: Param<string[]>) => among(entry.col('action'), actions),
      actor: (entry, actor: Param<string>) => sql`${entry.col('actor')} = ${actor.map((name) => name.toLowerCase())}`,
      actorObjectId: (entry, objectId: Param<string>) => sql`${entry.col('actorObjectId')} = ${objectId}`,
      customerId: (entry, id: Param<string>) =>
        sql`${entry.col('customerId')} = ${id.map((globalId) => idOf('Customer', globalId, 'filter.customerId'))}::uuid`,
      orderId: (entry, id: Param<string>) =>
        sql`${entry.col('orderId')} = ${id.map((globalId) => idOf('Order', globalId, 'filter.orderId'))}::uuid`,
      productId: (entry, productId: Param<string>) =>
        sql`${entry.col('productIds')} @> array[upper(${productId}::text)]`,
    },
    perValueUnions: { actions: eachOf('action') },
    derivedBounds: inDays,
    weights: {
      customerId: { isOneCustomers: true },
      orderId: { isOneCustomers: true },
      // Its index has its entries in no order: PostgreSQL goes through the log for them, or sorts them all.
      productId: { times: 1.5, share: 0.1, alone: 0.3 },
      // The positions at which the days of a span begin and end are looked for day by day.
      from: { looks: 50 },
      to: { looks: 50 },
      actions: { share: 1 },
      actor: { share: 0.1 },
      actorObjectId: { share: 0.1 },
    },
    orders: {
      COMMITTED: [
        { property: 'xid', type: 'xid8' },
        { property: 'seq', type: 'bigint' },
      ],
    },
    defaultOrder: { field: 'COMMITTED', direction: 'ASC' },
  },
};

/** What the activity log adds to the types below it. */
export const activityExtensions: TypeExtensions = { Customer: { activity: connection('ActivityEntry', 'customerId') } };

/** Root fields of the activity log. */
export const activityRoots: RootReads = { activity: { kind: 'connection', type: 'ActivityEntry' } };
