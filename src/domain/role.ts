/** Who somebody is: what the settings make of the claims of a token. What a role may is in `auth/role-sets.ts`. */
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
