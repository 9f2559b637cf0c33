import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { orderReaders, salesReaders } from '../../auth/role-sets.js';

/** Who sees orders, their lines and their cancellations. */
export const orderAccess = {
  'Query.orders': { roles: orderReaders },
  'Query.order': { roles: orderReaders },
  'Customer.orders': { roles: orderReaders },
  Order: { roles: orderReaders, rows: ownTenant('customer') },
  OrderLine: { roles: orderReaders, rows: ownTenant('order', 'customer') },
  Cancellation: { roles: orderReaders, rows: ownTenant('customer') },
  'Cancellation.credit': {
    roles: salesReaders,
    meant: 'Who reads sums of sales reads the credits in them: a group may be of one cancellation.',
  },
  CancellationLine: { roles: orderReaders, rows: ownTenant('cancellation', 'customer') },
  'CancellationLine.unitCredit': { roles: salesReaders },
  'CancellationLine.credit': { roles: salesReaders },
} satisfies AccessRules;
