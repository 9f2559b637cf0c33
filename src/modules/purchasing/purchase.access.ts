import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { buyers } from '../../auth/role-sets.js';

/** Who buys, and so sees what it would cost (rule 4). */
export const purchaseAccess = {
  'Query.purchasePreview': { roles: buyers, rows: ownTenant() },
  'Mutation.purchase': { roles: buyers, rows: ownTenant() },
} satisfies AccessRules;
