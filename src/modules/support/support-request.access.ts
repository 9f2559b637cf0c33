import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { supporters } from '../../auth/role-sets.js';

/** Who asks support and sees what was asked (rule 21). */
export const supportRequestAccess = {
  'Query.supportRequests': { roles: supporters },
  'Query.supportTopics': { roles: supporters },
  'Customer.supportRequests': { roles: supporters },
  SupportRequest: { roles: supporters, rows: ownTenant('customer') },
  SupportFile: { roles: supporters, rows: ownTenant('supportRequest', 'customer') },
  'Mutation.submitSupportRequest': { roles: supporters, rows: ownTenant() },
  'Mutation.updateSupportRequest': { roles: supporters, rows: ownTenant('customer') },
} satisfies AccessRules;
