import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { billingReaders } from '../../auth/role-sets.js';

/** Who sees what Microsoft invoices, and how ours differs: nobody of a customer, for it is what the partner pays. */
export const reconciliationAccess = {
  'Query.reconciliations': { roles: billingReaders },
  'Query.reconciliationLines': { roles: billingReaders },
  'Order.importedFrom': { roles: billingReaders },
  'InvoiceLine.evidence': { roles: billingReaders },
  Reconciliation: { roles: billingReaders },
  ReconciliationLine: { roles: billingReaders, rows: ownTenant('customer') },
} satisfies AccessRules;
