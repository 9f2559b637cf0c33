import { demoTenantId } from './demo-tenant.js';
import { Role } from './role.js';
import { type DemoIdentity, signDemoToken } from './tokens.js';

/** The customer whose administrator the demo tokens offer: the first of the demonstration data. */
export const DEMO_CUSTOMER_DOMAIN = 'contoso.onmicrosoft.com';

const people: Record<Exclude<Role, 'CUSTOMER_ADMIN'>, string> = {
  ADMIN_AGENT: 'agent.anna@partner.example',
  GLOBAL_ADMIN: 'gloria.global@partner.example',
  SALES_AGENT: 'sales.sam@partner.example',
  HELPDESK_AGENT: 'helpdesk.hugo@partner.example',
  BILLING_ADMIN: 'billing.bea@partner.example',
  ACCOUNT_ADMIN: 'account.ada@partner.example',
  REFERRAL_ADMIN: 'referral.rita@partner.example',
  MARKETING_CONTENT_ADMIN: 'marketing.mia@partner.example',
  REPORT_VIEWER: 'report.ravi@partner.example',
};

/** Who a demo token of a role is. @param customer tenant and domain of a CUSTOMER_ADMIN's customer */
export function demoIdentity(
  role: Role,
  partnerTenantId: string,
  customer = { domain: DEMO_CUSTOMER_DOMAIN, tenantId: demoTenantId(DEMO_CUSTOMER_DOMAIN) },
): DemoIdentity {
  if (role === Role.CUSTOMER_ADMIN)
    return { role, tenantId: customer.tenantId, userPrincipalName: `admin@${customer.domain}` };
  return { role, tenantId: partnerTenantId, userPrincipalName: people[role] };
}

/** One token per role, for the greeting and the playground. */
export function demoTokens(
  partnerTenantId: string,
  ttl: string,
  signingSecret: Uint8Array,
): Promise<{ role: Role; title: string; token: string }[]> {
  const roles = [...(Object.keys(people) as Role[]), Role.CUSTOMER_ADMIN];
  return Promise.all(
    roles.map(async (role) => ({
      role,
      title: role === Role.CUSTOMER_ADMIN ? `${role} of ${DEMO_CUSTOMER_DOMAIN}` : role,
      token: await signDemoToken(demoIdentity(role, partnerTenantId), ttl, signingSecret),
    })),
  );
}
