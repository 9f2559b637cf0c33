import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { Customer } from '../customers/customer.entity.js';
import { Order } from '../orders/order.entity.js';

/** How badly the problem hurts, in the words of Partner Center's severity. */
export const SupportImpact = { CRITICAL: 'CRITICAL', MODERATE: 'MODERATE', MINIMAL: 'MINIMAL' } as const;
export type SupportImpact = (typeof SupportImpact)[keyof typeof SupportImpact];

/** Where a support request is, in the words of Partner Center. */
export const SupportRequestStatus = { OPEN: 'OPEN', ATTENTION_NEEDED: 'ATTENTION_NEEDED', CLOSED: 'CLOSED' } as const;
export type SupportRequestStatus = (typeof SupportRequestStatus)[keyof typeof SupportRequestStatus];

/** The moves that a support request may make. Whoever changes a status asks this table. */
export const supportRequestMoves: Record<SupportRequestStatus, readonly SupportRequestStatus[]> = {
  OPEN: ['ATTENTION_NEEDED', 'CLOSED'],
  ATTENTION_NEEDED: ['OPEN', 'CLOSED'],
  /** It is opened again where it was closed too early. */
  CLOSED: ['OPEN'],
};

/** What was found of a file by whoever judges files. */
export const ScanVerdict = { CLEAN: 'CLEAN', REFUSED: 'REFUSED' } as const;
export type ScanVerdict = (typeof ScanVerdict)[keyof typeof ScanVerdict];

/** A request to Microsoft's support on behalf of a customer, such as a refund (rule 21). */
export const SupportRequest = defineEntity({
  name: 'SupportRequest',
  tableName: 'support_requests',
  properties: {
    id: p.uuid().primary(),
    /** 15 digits, as Partner Center numbers them. */
    number: p.text().unique('support_requests_number_key').check("number ~ '^[0-9]{15}$'"),
    customer: p.manyToOne(Customer),
    order: p.manyToOne(Order).nullable(),
    topic: p.text(),
    impact: p.enum(Object.values(SupportImpact)),
    title: p.text(),
    description: p.text(),
    refundReason: p.text().nullable(),
    amount: p.decimal('string').columnType('numeric').nullable().check('amount >= 0'),
    currency: p.string().columnType('char(3)').nullable(),
    contactName: p.text(),
    contactEmail: p.text(),
    contactPhone: p.text(),
    status: p.enum(Object.values(SupportRequestStatus)),
    submittedAt: p.datetime(3),
    submittedBy: p.text(),
  },
  indexes: [
    { name: 'support_requests_recent_idx', properties: ['submittedAt', 'id'] },
    { name: 'support_requests_customer_idx', properties: ['customer', 'submittedAt', 'id'] },
    { name: 'support_requests_status_idx', properties: ['status', 'submittedAt', 'id'] },
    { name: 'support_requests_topic_idx', properties: ['topic', 'submittedAt', 'id'] },
  ],
  checks: [{ name: 'support_requests_money', expression: '(amount is null) = (currency is null)' }],
});
export type SupportRequest = InferEntity<typeof SupportRequest>;

/** A file attached to a support request. */
export const SupportFile = defineEntity({
  name: 'SupportFile',
  tableName: 'support_files',
  properties: {
    id: p.uuid().primary(),
    supportRequest: p.manyToOne(SupportRequest),
    name: p.text(),
    contentType: p.text(),
    /** Bytes. */
    size: p.integer().check('size > 0'),
    sha256: p.text(),
    content: p.blob().lazy(),
    uploadedAt: p.datetime(3),
    /** User principal name, role and identity of who uploaded it; null in files from before they were kept. */
    uploadedBy: p.text().nullable(),
    uploadedByRole: p.text().nullable(),
    uploadedByIdentity: p.text().nullable(),
    /** Null until somebody has judged it. */
    scanVerdict: p.enum(Object.values(ScanVerdict)).nullable(),
    /** Why it was refused, in the words of who judged it. */
    scanReason: p.text().nullable(),
    scannedAt: p.datetime(3).nullable(),
    /** How often it was handed over to be judged. */
    scanAttempts: p.integer().default(0),
    /** When it may be handed over next: one process has it until then. */
    scanDueAt: p.datetime(3).defaultRaw('now()'),
  },
  indexes: [
    { name: 'support_files_request_idx', properties: ['supportRequest', 'uploadedAt', 'id'] },
    {
      name: 'support_files_scan_idx',
      expression: `create index "support_files_scan_idx" on "support_files" ("scan_due_at") where "scan_verdict" is null`,
    },
  ],
  checks: [
    { name: 'support_files_scanned', expression: '(scan_verdict is null) = (scanned_at is null)' },
    {
      name: 'support_files_refused',
      expression: "(coalesce(scan_verdict, '') = 'REFUSED') = (scan_reason is not null)",
    },
  ],
});
export type SupportFile = InferEntity<typeof SupportFile>;

/** A note to a support request, by who serves it. */
export const SupportNote = defineEntity({
  name: 'SupportNote',
  tableName: 'support_notes',
  properties: {
    id: p.uuid().primary(),
    supportRequest: p.manyToOne(SupportRequest),
    text: p.text(),
    createdAt: p.datetime(3),
    createdBy: p.text(),
  },
  indexes: [{ name: 'support_notes_request_idx', properties: ['supportRequest', 'createdAt', 'id'] }],
});
export type SupportNote = InferEntity<typeof SupportNote>;
