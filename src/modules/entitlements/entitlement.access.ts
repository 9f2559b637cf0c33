import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import { keyRevealers, keyStorers, softwareReaders } from '../../auth/role-sets.js';

/** Who sees what customers own, and who may have keys and downloads of it (rules 8 and 9). */
export const entitlementAccess = {
  'Query.software': { roles: softwareReaders },
  'Customer.software': { roles: softwareReaders },
  Entitlement: { roles: softwareReaders, rows: ownTenant('customer') },
  'Mutation.revealProductKey': { roles: keyRevealers, rows: ownTenant('customer'), logsDenial: true },
  'Mutation.createDownloadLink': { roles: keyRevealers, rows: ownTenant('customer'), logsDenial: true },
  'SoftwareVersion.unusedKeys': { roles: keyStorers },
  'Mutation.storeProductKeys': { roles: keyStorers },
} satisfies AccessRules;
