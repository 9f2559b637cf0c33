import type { AccessRules } from '../auth/access-rule.js';
import { everyRole } from '../auth/role-sets.js';
import { accessAccess } from '../modules/access/access.access.js';
import { activityAccess } from '../modules/activity/activity.access.js';
import { invoiceAccess } from '../modules/billing/invoice.access.js';
import { cancelOrderAccess } from '../modules/cancelling/cancel-order.access.js';
import { catalogAccess } from '../modules/catalog/catalog.access.js';
import { customerAccess } from '../modules/customers/customer.access.js';
import { entitlementAccess } from '../modules/entitlements/entitlement.access.js';
import { jobAccess } from '../modules/jobs/job.access.js';
import { mirrorAccess } from '../modules/mirroring/mirror.access.js';
import { orderAccess } from '../modules/orders/order.access.js';
import { purchaseAccess } from '../modules/purchasing/purchase.access.js';
import { reconciliationAccess } from '../modules/reconciling/reconciliation.access.js';
import { salesAccess } from '../modules/sales/sales.access.js';
import { supportRequestAccess } from '../modules/support/support-request.access.js';

/** What is found by its id: the type's own rule says by whom. */
const nodeAccess = {
  'Query.node': { roles: everyRole },
  'Query.nodes': { roles: everyRole },
} satisfies AccessRules;

/** The one table of who may use what: all the modules say, by coordinate. */
export const accessRules: AccessRules = merged([
  accessAccess,
  activityAccess,
  cancelOrderAccess,
  catalogAccess,
  customerAccess,
  entitlementAccess,
  invoiceAccess,
  jobAccess,
  mirrorAccess,
  nodeAccess,
  orderAccess,
  purchaseAccess,
  reconciliationAccess,
  salesAccess,
  supportRequestAccess,
]);

/** @throws where two say something of one coordinate: neither would be the whole rule */
function merged(all: readonly AccessRules[]): AccessRules {
  const coordinates = all.flatMap((rules) => Object.keys(rules));
  const twice = coordinates.find((coordinate, index) => coordinates.indexOf(coordinate) !== index);
  if (twice) throw new Error(`${twice} has two rules of access`);
  return Object.assign({}, ...all);
}
