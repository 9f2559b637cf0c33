import { activityEntryRead, activityRoots } from '../modules/activity/activity.read.js';
import { invoiceLineRead, invoiceRead, invoiceRoots } from '../modules/billing/invoice.read.js';
import { catalogRoots, priceRead, productRead, skuRead, softwareVersionRead } from '../modules/catalog/catalog.read.js';
import { marketRead, marketRoots } from '../modules/catalog/market.read.js';
import { customerRead, customerRoots } from '../modules/customers/customer.read.js';
import { entitlementRead, entitlementRoots } from '../modules/entitlements/entitlement.read.js';
import {
  cancellationLineRead,
  cancellationRead,
  orderLineRead,
  orderRead,
  orderRoots,
} from '../modules/orders/order.read.js';
import { salesGroupRead, salesRoots } from '../modules/sales/sales.read.js';
import { supportFileRead, supportRequestRead, supportRequestRoots } from '../modules/support/support-request.read.js';
import type { RootReads } from '../read/model.js';
import type { ReadModel } from '../read/operation.js';

/** The one description of reads: every type by its GraphQL name. */
export const readModel: ReadModel = new Map(
  [
    activityEntryRead,
    cancellationLineRead,
    cancellationRead,
    customerRead,
    entitlementRead,
    invoiceLineRead,
    invoiceRead,
    marketRead,
    orderLineRead,
    orderRead,
    priceRead,
    productRead,
    salesGroupRead,
    skuRead,
    softwareVersionRead,
    supportFileRead,
    supportRequestRead,
  ].map((type) => [type.name, type]),
);

/** Root fields that the read model answers. */
export const rootReads: RootReads = {
  ...activityRoots,
  ...catalogRoots,
  ...customerRoots,
  ...entitlementRoots,
  ...invoiceRoots,
  ...marketRoots,
  ...orderRoots,
  ...salesRoots,
  ...supportRequestRoots,
  node: { kind: 'node' },
  nodes: { kind: 'nodes' },
};
