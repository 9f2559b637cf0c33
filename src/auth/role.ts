import { Role } from '../domain/role.js';

export { Role };

/** Each role in a sentence; the schema and `npm run token -- --all` use it. */
export const roleDescriptions: Record<Role, string> = {
  GLOBAL_ADMIN:
    "The partner's global administrator, who reads everything but keys and quotes, buys, asks support and revokes access.",
  ADMIN_AGENT: 'An agent who buys, reads keys, makes download links, cancels and asks support on behalf of customers.',
  SALES_AGENT: 'A seller, who reads customers, orders, the catalog, sales and credits.',
  HELPDESK_AGENT:
    'A helpdesk agent, who reads customers, orders and the catalog and asks support on behalf of customers.',
  BILLING_ADMIN: 'A billing administrator, who reads customers, orders, the catalog, sales, invoices and credits.',
  ACCOUNT_ADMIN: 'An account administrator, who reads the activity log.',
  REFERRAL_ADMIN: 'A referral administrator, who reads the activity log.',
  MARKETING_CONTENT_ADMIN: 'A marketing content administrator, who reads the activity log.',
  REPORT_VIEWER: 'An analyst, who reads customers without contact data, the catalog, orders, sales and credits.',
  CUSTOMER_ADMIN:
    "A customer's own global administrator, who reads that tenant's orders, software, keys, downloads and log.",
};

/** Every role of the partner's people: all but CUSTOMER_ADMIN. */
export const partnerRoles: readonly Role[] = Object.values(Role).filter((role) => role !== Role.CUSTOMER_ADMIN);
