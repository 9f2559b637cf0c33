import type { ImportKind } from '../domain/import-kind.js';
import type { JobKind } from '../domain/job-kind.js';
import type { SyncKind } from '../domain/sync-kind.js';
import type { UpstreamKind } from '../domain/upstream.js';
import type { ActivityAction } from './activity-action.js';

/**
 * The detail of an entry, one fixed shape per action (rule 22). Small, bounded, and never a key, a token or a
 * message body (rule 8). `cancellationId` is the row's id, `jobId` the graph's. Money is a decimal string with its currency beside it.
 */
export interface ActivityDetails {
  ORDER_PLACED: { orderNumber: string; lineCount: number; total: string; currency: string };
  ORDER_CONFIRMED: { orderNumber: string; lineCount: number; total: string; currency: string };
  ORDER_REFUSED: { orderNumber: string; lineCount: number; problem: string };
  CANCELLATION_REQUESTED: {
    cancellationId: string;
    orderNumber: string;
    lineNumbers: number[];
    credit: string;
    currency: string;
    reason: string | null;
  };
  CANCELLATION_CONFIRMED: {
    cancellationId: string;
    orderNumber: string;
    lineNumbers: number[];
    credit: string;
    currency: string;
  };
  CANCELLATION_REFUSED: { cancellationId: string; orderNumber: string; lineNumbers: number[]; problem: string };
  JOB_RETRIED: { jobId: string; jobKind: JobKind; orderNumber: string; attempts: number };
  /** `isNotDone` is new: absent in entries from before. */
  JOB_GIVEN_UP: {
    jobId: string;
    jobKind: JobKind;
    orderNumber: string;
    attempts: number;
    reason: string;
    isNotDone: boolean;
  };
  /** `isInvented` is new: in entries from before every key was. */
  PRODUCT_KEY_REVEALED: { version: string; isInvented: boolean };
  PRODUCT_KEYS_STORED: { version: string; count: number };
  PRODUCT_KEYS_RAN_OUT: { version: string };
  DOWNLOAD_LINK_CREATED: { version: string; language: string; architecture: string; expiresAt: string };
  /** `address` is new: a network address, of IPv6 its /64. */
  SOFTWARE_DOWNLOADED: {
    version: string;
    language: string;
    architecture: string;
    remainingDownloads: number;
    address: string;
  };
  SUPPORT_REQUEST_SUBMITTED: { supportRequestNumber: string; topic: string; impact: string };
  SUPPORT_REQUEST_UPDATED: { supportRequestNumber: string; statusBefore: string; status: string; noteAdded: boolean };
  SUPPORT_FILE_DOWNLOADED: { supportRequestNumber: string; fileName: string; sha256: string };
  SUPPORT_FILE_REFUSED: { supportRequestNumber: string; fileName: string; sha256: string; refusalReason: string };
  /** `month` is its first day; `sha256` that of the file. */
  RECONCILIATION_IMPORTED: {
    month: string;
    invoiceNumber: string | null;
    total: string;
    currency: string;
    sha256: string;
    equal: number;
    different: number;
    missingHere: number;
    missingThere: number;
  };
  /** `sha256` of the file; how many rows it had, how many were refused, and what became of the things they are about. */
  FILE_IMPORTED: {
    importKind: ImportKind;
    sha256: string;
    rows: number;
    refused: number;
    added: number;
    changed: number;
    removed: number;
  };
  /** `month` is its first day; how many documents are issued for it. */
  MONTH_CLOSED: { month: string; invoices: number; creditNotes: number };
  UPSTREAM_ORDER_PLACED: UpstreamRecordDetail;
  UPSTREAM_ORDER_CHANGED: UpstreamRecordDetail;
  UPSTREAM_ORDER_CANCELLED: UpstreamRecordDetail;
  UPSTREAM_KEY_FETCHED: UpstreamRecordDetail;
  UPSTREAM_LINK_FETCHED: UpstreamRecordDetail;
  UPSTREAM_CREDIT_CHANGED: UpstreamRecordDetail;
  UPSTREAM_INVOICE_READY: UpstreamRecordDetail;
  UPSTREAM_CHANGED: UpstreamRecordDetail;
  UPSTREAM_BROKEN: { syncKind: SyncKind; syncProblem: string | null };
  UPSTREAM_HEALED: { syncKind: SyncKind; syncProblem: string | null };
  ACCESS_REVOKED: { userPrincipalName: string; objectId: string | null; reason: string | null };
  ACCESS_RESTORED: { userPrincipalName: string; objectId: string | null; reason: string | null };
  SESSION_ENDED: { userPrincipalName: string; objectId: string | null; transport: string };
  /** `attempts` is new: entries from before stand for one. */
  ACCESS_DENIED: { operation: string; reason: string; attempts: number };
}

/** What was done upstream, in its words, and when there: `at` of the entry is when it was heard of. */
export interface UpstreamRecordDetail {
  source: UpstreamKind;
  recordId: string;
  operation: string;
  resourceKind: string;
  recordStatus: string;
  happenedAt: string;
  upstreamOrderId: string | null;
}

/** Any detail, as stored: without the action, which is a column of its own. */
export type ActivityDetail = ActivityDetails[ActivityAction];
