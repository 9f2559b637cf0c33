/** Who somebody is, as the identity provider says in the token's `roles`. */
export const Role = {
  GLOBAL_ADMIN: 'GLOBAL_ADMIN',
  ADMIN_AGENT: 'ADMIN_AGENT',
  SALES_AGENT: 'SALES_AGENT',
  HELPDESK_AGENT: 'HELPDESK_AGENT',
  BILLING_ADMIN: 'BILLING_ADMIN',
  ACCOUNT_ADMIN: 'ACCOUNT_ADMIN',
  REFERRAL_ADMIN: 'REFERRAL_ADMIN',
  MARKETING_CONTENT_ADMIN: 'MARKETING_CONTENT_ADMIN',
  REPORT_VIEWER: 'REPORT_VIEWER',
  CUSTOMER_ADMIN: 'CUSTOMER_ADMIN',
} as const;
export type Role = (typeof Role)[keyof typeof Role];

/** Each role in a sentence; the schema and the greeting at start use it. */
export const roleDescriptions: Record<Role, string> = {
  GLOBAL_ADMIN: "The partner's global administrator: buys, reads everything but keys, revokes access.",
  ADMIN_AGENT: 'Buys, reads keys, makes download links, cancels and asks support on behalf of customers.',
  SALES_AGENT: 'Reads customers, orders, the catalog and sales.',
  HELPDESK_AGENT: 'Reads customers, orders and the catalog; asks support on behalf of customers.',
  BILLING_ADMIN: 'Reads customers, orders, the catalog, sales, invoices and credits.',
  ACCOUNT_ADMIN: 'Reads the activity log.',
  REFERRAL_ADMIN: 'Reads the activity log.',
  MARKETING_CONTENT_ADMIN: 'Reads the activity log.',
  REPORT_VIEWER: 'The analyst: reads customers without contact data, the catalog, orders and sales.',
  CUSTOMER_ADMIN:
    "A customer's own global administrator: reads that tenant's orders, software, keys, downloads and log.",
};

/** Every role of the partner's people: all but CUSTOMER_ADMIN. */
export const partnerRoles: readonly Role[] = Object.values(Role).filter((role) => role !== Role.CUSTOMER_ADMIN);
