import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { Customer } from '../customers/customer.entity.js';
import { Order } from '../orders/order.entity.js';

/** How badly the problem hurts, in the words of Partner Center's severity. */
export const SupportImpact = { CRITICAL: 'CRITICAL', MODERATE: 'MODERATE', MINIMAL: 'MINIMAL' } as const;
export type SupportImpact = (typeof SupportImpact)[keyof typeof SupportImpact];

/** Where a support request is. */
export const SupportRequestStatus = { OPEN: 'OPEN', CLOSED: 'CLOSED' } as const;
export type SupportRequestStatus = (typeof SupportRequestStatus)[keyof typeof SupportRequestStatus];

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
  },
  indexes: [{ name: 'support_files_request_idx', properties: ['supportRequest', 'uploadedAt', 'id'] }],
});
export type SupportFile = InferEntity<typeof SupportFile>;
