import type { AccessRules } from '../../auth/access-rule.js';
import { catalogReaders, orderReaders } from '../../auth/role-sets.js';

/** Who sees markets, the catalog and its prices. What was bought is seen with its order, the rest of the catalog is not. */
export const catalogAccess = {
  'Query.markets': { roles: 'everyone' },
  Market: { roles: 'everyone' },
  'Query.products': { roles: catalogReaders },
  'Query.product': { roles: catalogReaders },
  Product: {
    roles: orderReaders,
    byId: catalogReaders,
    meant: 'A CUSTOMER_ADMIN sees the product that an own order line or entitlement is of, and no other by its id.',
  },
  Sku: {
    roles: orderReaders,
    byId: catalogReaders,
    meant: 'A CUSTOMER_ADMIN sees the SKU that an own order line or entitlement is of, and no other by its id.',
  },
  SoftwareVersion: {
    roles: orderReaders,
    byId: catalogReaders,
    meant: 'A CUSTOMER_ADMIN chooses a version for keys and downloads of what is owned.',
  },
  Price: { roles: catalogReaders },
  'Sku.price': { roles: catalogReaders },
} satisfies AccessRules;
