/** The topic of a refund, first in the list (rule 21). */
export const REFUND_TOPIC = 'CSP Purchase/Refund on behalf of customers';

/** What support can be asked about. */
export const supportTopics: readonly string[] = [
  REFUND_TOPIC,
  'CSP Software downloads and product keys',
  'CSP Azure reservations',
  'CSP Billing and invoices',
  'Partner Center access and roles',
];
