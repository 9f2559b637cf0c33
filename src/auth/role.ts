import { Role } from '../domain/role.js';

export { Role };

/**
 * Each role in two sentences, of which callers of other roles are told the first; the schema, README and
 * `npm run token -- --all` use them.
 */
export const roleDescriptions: Record<Role, string> = {
  GLOBAL_ADMIN:
    "The partner's global administrator. It reads everything but keys and quotes, buys, asks support and revokes access.",
  ADMIN_AGENT:
    'An agent of the partner. It buys, reads keys, makes download links, cancels and asks support on behalf of customers.',
  SALES_AGENT: 'A seller. It reads customers, orders, the catalog, sales and credits.',
  HELPDESK_AGENT:
    'A helpdesk agent. It reads customers, orders and the catalog and asks support on behalf of customers.',
  BILLING_ADMIN: 'A billing administrator. It reads customers, orders, the catalog, sales, invoices and credits.',
  ACCOUNT_ADMIN: 'An account administrator. It reads the activity log.',
  REFERRAL_ADMIN: 'A referral administrator. It reads the activity log.',
  MARKETING_CONTENT_ADMIN: 'A marketing content administrator. It reads the activity log.',
  REPORT_VIEWER: 'An analyst. It reads customers without contact data, the catalog, orders, sales and credits.',
  CUSTOMER_ADMIN:
    "A customer's own global administrator. It reads that tenant's orders, software, keys, downloads and log.",
};

/** Every role of the partner's people: all but CUSTOMER_ADMIN. */
export const partnerRoles: readonly Role[] = Object.values(Role).filter((role) => role !== Role.CUSTOMER_ADMIN);
