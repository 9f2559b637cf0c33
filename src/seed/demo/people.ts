import type { Actor } from '../../activity-log/record-activity.js';
import { demoTenantId } from '../../auth/demo-tenant.js';
import { identityOf } from '../../auth/identity.js';
import { Role } from '../../auth/role.js';
import { DEMO_ISSUER } from '../../auth/tokens.js';
import { DEMO_PARTNER_TENANT_ID } from '../../config/auth-config.js';
import type { SeededRandom } from './random.js';

const PORTAL = 'partner-portal';
/** As demo tokens have it: see signDemoToken. */
const identityIn = (tenantId: string, userPrincipalName: string) =>
  identityOf({ issuer: DEMO_ISSUER, tenantId, objectId: userPrincipalName });
const staff = (name: string, role: Role, application = PORTAL): Actor => ({
  identity: identityIn(DEMO_PARTNER_TENANT_ID, `${name}@partner.example`),
  userPrincipalName: `${name}@partner.example`,
  role,
  application,
});

/** Who buys, cancels and reads keys for the partner. */
export const agents: readonly Actor[] = ['anna', 'bruno', 'chiara', 'david', 'emre', 'freya'].map((name) =>
  staff(`agent.${name}`, Role.ADMIN_AGENT),
);
/** Purchases of the partner's own enterprise system, on behalf of an agent. */
export const connector: Actor = staff('agent.anna', Role.ADMIN_AGENT, 'erp-connector');
/** The partner's global administrator. */
export const globalAdmin: Actor = staff('gloria.global', Role.GLOBAL_ADMIN);
/** People who try what their role may not do. */
export const curious: readonly Actor[] = [
  staff('sales.sofia', Role.SALES_AGENT),
  staff('helpdesk.hugo', Role.HELPDESK_AGENT),
  staff('billing.bea', Role.BILLING_ADMIN),
  staff('analyst.ravi', Role.REPORT_VIEWER, 'playground'),
];
/** Who asks Microsoft's support. */
export const supporters: readonly Actor[] = [...agents.slice(0, 3), staff('helpdesk.hugo', Role.HELPDESK_AGENT)];
/** Somebody whose access was taken away. */
export const departed: Actor = staff('temp.theo', Role.ADMIN_AGENT);
/** Whoever opens a download link acts in the name of who made it. */
export const holderOf = (maker: Actor): Actor => ({ ...maker, application: 'download link' });

/** A customer's own administrator. */
export const administratorOf = (domain: string): Actor => ({
  identity: identityIn(demoTenantId(domain), `admin@${domain}`),
  userPrincipalName: `admin@${domain}`,
  role: Role.CUSTOMER_ADMIN,
  application: 'admin-center',
});

/** Who reads a key or makes a link: mostly the partner, at times the customer. */
export const keyReader = (random: SeededRandom, domain: string): Actor =>
  random.chance(0.3) ? administratorOf(domain) : random.pick(agents);
