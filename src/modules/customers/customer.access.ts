import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { activityReaders, contactReaders, customerReaders } from '../../auth/role-sets.js';

/** Who sees customers, and how to reach their people. */
export const customerAccess = {
  'Query.customers': { roles: customerReaders },
  'Query.customer': { roles: customerReaders },
  Customer: {
    roles: [...new Set([...customerReaders, ...activityReaders])],
    byId: customerReaders,
    rows: ownTenant(),
    meant: 'Readers of the log see which customer an entry is for, name, tenant and market; they find none otherwise.',
  },
  'Customer.contact': { roles: contactReaders },
} satisfies AccessRules;
