import { activityEntryRead } from './modules/activity/activity.read.js';
import { invoiceLineRead, invoiceRead } from './modules/billing/invoice.read.js';
import { priceRead, productRead, skuRead, softwareVersionRead } from './modules/catalog/catalog.read.js';
import { customerRead } from './modules/customers/customer.read.js';
import { entitlementRead } from './modules/entitlements/entitlement.read.js';
import { marketRead } from './modules/markets/market.read.js';
import { cancellationLineRead, cancellationRead, orderLineRead, orderRead } from './modules/orders/order.read.js';
import { salesGroupRead } from './modules/orders/sales.read.js';
import { supportFileRead, supportRequestRead } from './modules/support/support-request.read.js';
import type { ReadModel } from './read/compile.js';

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
