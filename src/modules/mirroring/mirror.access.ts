import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { catalogReaders } from '../../auth/role-sets.js';

/** Who sees what the mirror knows of rows: the partner's people who read orders, nobody of a customer. */
export const mirrorAccess = {
  'Customer.upstream': { roles: catalogReaders },
  UpstreamCustomer: { roles: catalogReaders, rows: ownTenant('customer') },
  'OrderLine.upstream': { roles: catalogReaders },
  UpstreamLine: { roles: catalogReaders, rows: ownTenant('orderLine', 'order', 'customer') },
} satisfies AccessRules;
