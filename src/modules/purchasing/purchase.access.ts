import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { buyers } from '../../auth/role-sets.js';

/** Who buys (rule 4). */
export const purchaseAccess = {
  'Mutation.purchase': { roles: buyers, rows: ownTenant() },
} satisfies AccessRules;
