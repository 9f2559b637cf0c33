import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { billingReaders } from '../../auth/role-sets.js';

/** Who sees invoices. */
export const invoiceAccess = {
  'Query.invoices': { roles: billingReaders },
  'Customer.invoices': { roles: billingReaders },
  Invoice: { roles: billingReaders, rows: ownTenant('customer') },
  InvoiceLine: { roles: billingReaders, rows: ownTenant('invoice', 'customer') },
} satisfies AccessRules;
