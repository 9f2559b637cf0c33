import { Role } from './role.js';

const {
  ACCOUNT_ADMIN,
  ADMIN_AGENT,
  BILLING_ADMIN,
  CUSTOMER_ADMIN,
  GLOBAL_ADMIN,
  HELPDESK_AGENT,
  MARKETING_CONTENT_ADMIN,
  REFERRAL_ADMIN,
  REPORT_VIEWER,
  SALES_AGENT,
} = Role;

/** Anybody with a token. */
export const everyRole = Object.values(Role);
/** Who sees the catalog and its prices. */
export const catalogReaders = [GLOBAL_ADMIN, ADMIN_AGENT, SALES_AGENT, HELPDESK_AGENT, BILLING_ADMIN, REPORT_VIEWER];
/** Who sees customers. */
export const customerReaders = [...catalogReaders, CUSTOMER_ADMIN];
/** Who sees how to reach a customer's people. */
export const contactReaders = [GLOBAL_ADMIN, ADMIN_AGENT, SALES_AGENT, HELPDESK_AGENT, BILLING_ADMIN, CUSTOMER_ADMIN];
/** Who sees orders. */
export const orderReaders = customerReaders;
/** Who sees entitlements; keys are nobody's to read, only to reveal (rule 8). */
export const softwareReaders = [GLOBAL_ADMIN, ADMIN_AGENT, CUSTOMER_ADMIN];
/** Rule 9: who may have a key revealed or a download link made. */
export const keyRevealers = [ADMIN_AGENT, CUSTOMER_ADMIN];
/** Who puts keys into the pool: nobody reads one by it. */
export const keyStorers = [ADMIN_AGENT, GLOBAL_ADMIN];
/** Rule 4: who may buy. */
export const buyers = [ADMIN_AGENT, GLOBAL_ADMIN];
/** Rule 12: who may cancel, and so have a quote. */
export const cancellers = [ADMIN_AGENT];
/** Who sees invoices. */
export const billingReaders = [BILLING_ADMIN, GLOBAL_ADMIN, ADMIN_AGENT];
/** Who sees sums of sales, and so the credits that they are made of: a group of one is its credit. */
export const salesReaders = [GLOBAL_ADMIN, ADMIN_AGENT, SALES_AGENT, BILLING_ADMIN, REPORT_VIEWER];
/** Who asks support and sees what was asked. */
export const supporters = [ADMIN_AGENT, GLOBAL_ADMIN, HELPDESK_AGENT];
/** Rule 23: who reads the activity log. */
export const activityReaders = [GLOBAL_ADMIN, ACCOUNT_ADMIN, REFERRAL_ADMIN, MARKETING_CONTENT_ADMIN, CUSTOMER_ADMIN];
/** Rule 23: who hears of confirmed cancellations. */
export const cancellationListeners = [ADMIN_AGENT, GLOBAL_ADMIN, BILLING_ADMIN, CUSTOMER_ADMIN];
/** Who revokes access. */
export const accessRevokers = [GLOBAL_ADMIN];
/** Who sees how the upstream fares: who looks after it, buys from it, and shows it on dashboards. */
export const upstreamReaders = [GLOBAL_ADMIN, ADMIN_AGENT, REPORT_VIEWER];
/** Who looks after work that waits for somebody. */
export const operators = [GLOBAL_ADMIN];
