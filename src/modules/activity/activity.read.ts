import { type RawBuilder, sql } from 'kysely';
import { idPrefixes } from '../../global-id.js';
import { idOf } from '../../graphql/id-of.js';
import { among, before, globalId, since } from '../../read/fields.js';
import {
  computed,
  type Fields,
  money,
  ofTenant,
  one,
  properties,
  property,
  type ReadType,
  type RootReads,
  type Row,
} from '../../read/model.js';
import type { Param } from '../../read/param.js';
import type { ActivityAction } from './activity-action.js';

const inDetail = (entry: Row, key: string): RawBuilder<unknown> => sql`(${entry.col('detail')} ->> ${sql.lit(key)})`;
const text = (...keys: string[]): Fields =>
  Object.fromEntries(keys.map((key) => [key, computed((entry) => inDetail(entry, key))]));
const json = (...keys: string[]): Fields =>
  Object.fromEntries(keys.map((key) => [key, computed((entry) => sql`(${entry.col('detail')} -> ${sql.lit(key)})`)]));
const amount = (key: string): Fields => ({
  [key]: money(
    (entry) => inDetail(entry, key),
    (entry) => inDetail(entry, 'currency'),
  ),
});

const cancelled: Fields = { ...text('orderNumber'), ...json('lineNumbers') };
const choice = text('version', 'language', 'architecture');

/** GraphQL type and fields of the detail by action. */
export const activityDetails: Record<ActivityAction, { type: string; fields: Fields }> = {
  ORDER_PLACED: {
    type: 'OrderPlacedDetail',
    fields: { ...text('orderNumber'), ...json('lineCount'), ...amount('total') },
  },
  CANCELLATION_REQUESTED: {
    type: 'CancellationRequestedDetail',
    fields: { ...cancelled, ...amount('credit'), ...text('reason') },
  },
  CANCELLATION_CONFIRMED: { type: 'CancellationConfirmedDetail', fields: { ...cancelled, ...amount('credit') } },
  CANCELLATION_REFUSED: { type: 'CancellationRefusedDetail', fields: { ...cancelled, ...text('problem') } },
  PRODUCT_KEY_REVEALED: { type: 'ProductKeyRevealedDetail', fields: text('version') },
  DOWNLOAD_LINK_CREATED: { type: 'DownloadLinkCreatedDetail', fields: { ...choice, ...text('expiresAt') } },
  SOFTWARE_DOWNLOADED: { type: 'SoftwareDownloadedDetail', fields: { ...choice, ...json('remainingDownloads') } },
  SUPPORT_REQUEST_SUBMITTED: {
    type: 'SupportRequestSubmittedDetail',
    fields: text('supportRequestNumber', 'topic', 'impact'),
  },
  ACCESS_REVOKED: { type: 'AccessRevokedDetail', fields: text('userPrincipalName', 'reason') },
  ACCESS_DENIED: { type: 'AccessDeniedDetail', fields: text('operation', 'reason') },
};

/**
 * How an ActivityEntry is read. Only rows below the snapshot horizon exist for readers: no transaction that could still
 * commit a row before them is open. So a cursor never skips one (product.md section 4).
 */
export const activityEntryRead: ReadType = {
  name: 'ActivityEntry',
  entity: 'ActivityEntry',
  idPrefix: idPrefixes.ActivityEntry,
  scope: ofTenant('customerId'),
  fields: {
    id: globalId('ActivityEntry'),
    ...properties('at', 'action', 'outcome', 'productIds', 'correlationId'),
    actor: {
      kind: 'embedded',
      fields: {
        userPrincipalName: property('actor'),
        role: property('actorRole'),
        application: property('application'),
      },
    },
    customer: one('Customer', 'customerId'),
    order: one('Order', 'orderId'),
    resource: {
      kind: 'embedded',
      fields: { type: property('resourceType'), id: property('resourceId'), label: property('resourceLabel') },
    },
    detail: { kind: 'union', discriminator: (entry) => entry.col('action'), members: activityDetails },
  },
  listing: {
    feed: true,
    always: (entry) => sql`${entry.col('xid')} < pg_snapshot_xmin(pg_current_snapshot())`,
    filters: {
      from: (entry, from: Param<Date>) => since(entry.col('at'), from),
      to: (entry, to: Param<Date>) => before(entry.col('at'), to),
      actions: (entry, actions: Param<string[]>) => among(entry.col('action'), actions),
      actor: (entry, actor: Param<string>) => sql`${entry.col('actor')} = ${actor.map((name) => name.toLowerCase())}`,
      customerId: (entry, id: Param<string>) =>
        sql`${entry.col('customerId')} = ${id.map((globalId) => idOf('Customer', globalId, 'filter.customerId'))}::uuid`,
      orderId: (entry, id: Param<string>) =>
        sql`${entry.col('orderId')} = ${id.map((globalId) => idOf('Order', globalId, 'filter.orderId'))}::uuid`,
      productId: (entry, productId: Param<string>) =>
        sql`${entry.col('productIds')} @> array[upper(${productId}::text)]`,
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

/** Root fields of the activity log. */
export const activityRoots: RootReads = { activity: { kind: 'connection', type: 'ActivityEntry' } };
