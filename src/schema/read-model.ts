import { sessionRead, sessionRoots } from '../modules/access/session.read.js';
import { activityEntryRead, activityExtensions, activityRoots } from '../modules/activity/activity.read.js';
import { invoiceExtensions, invoiceLineRead, invoiceRead, invoiceRoots } from '../modules/billing/invoice.read.js';
import { cancellationPolicyRead } from '../modules/catalog/cancellation-policy.read.js';
import { catalogRoots, priceRead, productRead, skuRead, softwareVersionRead } from '../modules/catalog/catalog.read.js';
import { marketRead, marketRoots } from '../modules/catalog/market.read.js';
import { customerRead, customerRoots } from '../modules/customers/customer.read.js';
import { entitlementExtensions, entitlementRead, entitlementRoots } from '../modules/entitlements/entitlement.read.js';
import { jobRead, jobRoots, periodicWorkRead } from '../modules/jobs/job.read.js';
import { mirrorExtensions, upstreamCustomerRead, upstreamLineRead } from '../modules/mirroring/mirror.read.js';
import {
  cancellationLineRead,
  cancellationRead,
  orderExtensions,
  orderLineRead,
  orderRead,
  orderRoots,
} from '../modules/orders/order.read.js';
import {
  reconciliationExtensions,
  reconciliationLineRead,
  reconciliationRead,
  reconciliationRoots,
} from '../modules/reconciling/reconciliation.read.js';
import { salesGroupRead, salesRoots } from '../modules/sales/sales.read.js';
import {
  supportFileRead,
  supportNoteRead,
  supportRequestExtensions,
  supportRequestRead,
  supportRequestRoots,
} from '../modules/support/support-request.read.js';
import type { ReadType, RootReads, TypeExtensions } from '../read/model.js';
import type { ReadModel } from '../read/operation.js';
import { accessRules } from './access-rules.js';

/** What modules add to the types below them. */
const extensions: readonly TypeExtensions[] = [
  activityExtensions,
  entitlementExtensions,
  invoiceExtensions,
  reconciliationExtensions,
  orderExtensions,
  supportRequestExtensions,
  mirrorExtensions,
];

/** A type with the fields that lead from it to modules above, and its rule of rows. */
function extended(type: ReadType): ReadType {
  const added = extensions.map((extension) => extension[type.name] ?? {});
  return { ...type, rows: accessRules[type.name]?.rows, fields: Object.assign({}, type.fields, ...added) };
}

/** The one description of reads: every type by its GraphQL name. */
export const readModel: ReadModel = new Map(
  [
    activityEntryRead,
    cancellationLineRead,
    cancellationPolicyRead,
    cancellationRead,
    customerRead,
    entitlementRead,
    invoiceLineRead,
    invoiceRead,
    jobRead,
    periodicWorkRead,
    marketRead,
    orderLineRead,
    orderRead,
    priceRead,
    productRead,
    reconciliationLineRead,
    reconciliationRead,
    salesGroupRead,
    sessionRead,
    skuRead,
    softwareVersionRead,
    supportFileRead,
    supportNoteRead,
    supportRequestRead,
    upstreamCustomerRead,
    upstreamLineRead,
  ].map((type) => [type.name, extended(type)]),
);

/** Root fields that the read model answers. */
export const rootReads: RootReads = {
  ...activityRoots,
  ...catalogRoots,
  ...customerRoots,
  ...entitlementRoots,
  ...invoiceRoots,
  ...jobRoots,
  ...marketRoots,
  ...orderRoots,
  ...reconciliationRoots,
  ...salesRoots,
  ...sessionRoots,
  ...supportRequestRoots,
  node: { kind: 'node' },
  nodes: { kind: 'nodes' },
};
