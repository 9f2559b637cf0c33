import { type RawBuilder, sql } from 'kysely';
import type { ActivityAction } from '../../activity-log/activity-action.js';
import { computed, type Fields, money } from '../../read/model.js';
import type { Row } from '../../read/row.js';

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

const done = text('source', 'recordId', 'operation', 'resourceKind', 'recordStatus', 'happenedAt', 'upstreamOrderId');
const upstreamState = text('syncKind', 'syncProblem');

/** GraphQL type and fields of the detail by action. */
export const activityDetails: Record<ActivityAction, { type: string; fields: Fields }> = {
  ORDER_PLACED: {
    type: 'OrderPlacedDetail',
    fields: { ...text('orderNumber'), ...json('lineCount'), ...amount('total') },
  },
  ORDER_CONFIRMED: {
    type: 'OrderConfirmedDetail',
    fields: { ...text('orderNumber'), ...json('lineCount'), ...amount('total') },
  },
  ORDER_REFUSED: { type: 'OrderRefusedDetail', fields: { ...text('orderNumber', 'problem'), ...json('lineCount') } },
  CANCELLATION_REQUESTED: {
    type: 'CancellationRequestedDetail',
    fields: { ...cancelled, ...amount('credit'), ...text('reason') },
  },
  CANCELLATION_CONFIRMED: { type: 'CancellationConfirmedDetail', fields: { ...cancelled, ...amount('credit') } },
  CANCELLATION_REFUSED: { type: 'CancellationRefusedDetail', fields: { ...cancelled, ...text('problem') } },
  JOB_RETRIED: {
    type: 'JobRetriedDetail',
    fields: { ...text('jobId', 'jobKind', 'orderNumber'), ...json('attempts') },
  },
  JOB_GIVEN_UP: {
    type: 'JobGivenUpDetail',
    fields: {
      ...text('jobId', 'jobKind', 'orderNumber', 'reason'),
      ...json('attempts'),
      isNotDone: computed((entry) => sql`coalesce((${inDetail(entry, 'isNotDone')})::boolean, false)`),
    },
  },
  PRODUCT_KEY_REVEALED: {
    type: 'ProductKeyRevealedDetail',
    fields: {
      ...text('version'),
      isInvented: computed((entry) => sql`coalesce((${inDetail(entry, 'isInvented')})::boolean, true)`),
    },
  },
  PRODUCT_KEYS_STORED: { type: 'ProductKeysStoredDetail', fields: { ...text('version'), ...json('count') } },
  PRODUCT_KEYS_RAN_OUT: { type: 'ProductKeysRanOutDetail', fields: text('version') },
  DOWNLOAD_LINK_CREATED: { type: 'DownloadLinkCreatedDetail', fields: { ...choice, ...text('expiresAt') } },
  SOFTWARE_DOWNLOADED: {
    type: 'SoftwareDownloadedDetail',
    fields: { ...choice, ...json('remainingDownloads'), ...text('address') },
  },
  SUPPORT_REQUEST_SUBMITTED: {
    type: 'SupportRequestSubmittedDetail',
    fields: text('supportRequestNumber', 'topic', 'impact'),
  },
  SUPPORT_REQUEST_UPDATED: {
    type: 'SupportRequestUpdatedDetail',
    fields: { ...text('supportRequestNumber', 'statusBefore', 'status'), ...json('noteAdded') },
  },
  SUPPORT_FILE_DOWNLOADED: {
    type: 'SupportFileDownloadedDetail',
    fields: text('supportRequestNumber', 'fileName', 'sha256'),
  },
  SUPPORT_FILE_REFUSED: {
    type: 'SupportFileRefusedDetail',
    fields: text('supportRequestNumber', 'fileName', 'sha256', 'refusalReason'),
  },
  RECONCILIATION_IMPORTED: {
    type: 'ReconciliationImportedDetail',
    fields: {
      ...text('month', 'invoiceNumber', 'sha256'),
      ...json('equal', 'different', 'missingHere', 'missingThere'),
      ...amount('total'),
    },
  },
  FILE_IMPORTED: {
    type: 'FileImportedDetail',
    fields: { ...text('importKind', 'sha256'), ...json('rows', 'refused', 'added', 'changed', 'removed') },
  },
  MONTH_CLOSED: { type: 'MonthClosedDetail', fields: { ...text('month'), ...json('invoices', 'creditNotes') } },
  UPSTREAM_ORDER_PLACED: { type: 'UpstreamOrderPlacedDetail', fields: done },
  UPSTREAM_ORDER_CHANGED: { type: 'UpstreamOrderChangedDetail', fields: done },
  UPSTREAM_ORDER_CANCELLED: { type: 'UpstreamOrderCancelledDetail', fields: done },
  UPSTREAM_KEY_FETCHED: { type: 'UpstreamKeyFetchedDetail', fields: done },
  UPSTREAM_LINK_FETCHED: { type: 'UpstreamLinkFetchedDetail', fields: done },
  UPSTREAM_CREDIT_CHANGED: { type: 'UpstreamCreditChangedDetail', fields: done },
  UPSTREAM_INVOICE_READY: { type: 'UpstreamInvoiceReadyDetail', fields: done },
  UPSTREAM_CHANGED: { type: 'UpstreamChangedDetail', fields: done },
  UPSTREAM_BROKEN: { type: 'UpstreamBrokenDetail', fields: upstreamState },
  UPSTREAM_HEALED: { type: 'UpstreamHealedDetail', fields: upstreamState },
  ACCESS_REVOKED: { type: 'AccessRevokedDetail', fields: text('userPrincipalName', 'objectId', 'reason') },
  ACCESS_RESTORED: { type: 'AccessRestoredDetail', fields: text('userPrincipalName', 'objectId', 'reason') },
  SESSION_ENDED: { type: 'SessionEndedDetail', fields: text('userPrincipalName', 'objectId', 'transport') },
  ACCESS_DENIED: {
    type: 'AccessDeniedDetail',
    fields: {
      ...text('operation', 'reason'),
      attempts: computed((entry) => sql`coalesce((${inDetail(entry, 'attempts')})::int, 1)`),
    },
  },
};
