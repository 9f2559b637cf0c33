import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { catalogReaders, upstreamReaders } from '../../auth/role-sets.js';

/** Who sees what the mirror knows of rows: the partner's people who read orders, nobody of a customer. */
export const mirrorAccess = {
  'Query.upstream': { roles: upstreamReaders },
  Upstream: { roles: upstreamReaders },
  UpstreamSync: { roles: upstreamReaders },
  UpstreamIntents: { roles: upstreamReaders },
  UpstreamFailure: { roles: upstreamReaders },
  'Customer.upstream': { roles: catalogReaders },
  UpstreamCustomer: { roles: catalogReaders, rows: ownTenant('customer') },
  'OrderLine.upstream': { roles: catalogReaders },
  UpstreamLine: { roles: catalogReaders, rows: ownTenant('orderLine', 'order', 'customer') },
} satisfies AccessRules;
