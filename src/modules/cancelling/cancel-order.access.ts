import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { cancellers } from '../../auth/role-sets.js';

/** Who cancels, and so has a quote (rule 12). */
export const cancelOrderAccess = {
  'Query.cancellationQuote': { roles: cancellers, rows: ownTenant('customer') },
  'Mutation.cancelOrder': { roles: cancellers, rows: ownTenant('customer') },
} satisfies AccessRules;
