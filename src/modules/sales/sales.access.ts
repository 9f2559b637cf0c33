import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { salesReaders } from '../../auth/role-sets.js';

/** Who sees sums of sales. All of them read orders and credits, which are the parts of the sums. */
export const salesAccess = {
  'Query.sales': { roles: salesReaders, rows: ownTenant() },
} satisfies AccessRules;
