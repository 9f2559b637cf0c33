import { type Answer, type Call, Refusal, type Route } from './call.js';
import { collection, resellerCustomerOf } from './customers.js';
import { provisioningOf } from './orders.js';
import type { Order, OrderLine } from './state.js';
import type { World } from './world.js';

export const entitlementRoutes: Route[] = [
  { method: 'GET', pattern: '/v1/customers/:customer/entitlements', wants: 'user', handle: list },
];

/** What a customer owns of software that is perpetual, and of reservations: without keys, which no route gives. */
function list(call: Call): Answer {
  const { world, query } = call;
  const customer = resellerCustomerOf(call);
  const wanted = query.get('entitlementType') === 'reservedinstance' ? 'reservation' : 'perpetual';
  const seenUntil = world.now() - world.options.listLagMs;
  const items = world.state.orders
    .filter(({ customerId, createdMs }) => customerId === customer.id && createdMs <= seenUntil)
    .flatMap((order) => order.lines.filter(({ soldAs }) => soldAs === wanted).map((line) => show(world, order, line)));
  return collection(call, items);
}

function show(world: World, order: Order, line: OrderLine) {
  const isRevoked = line.cancelledMs !== null && line.cancelledMs <= world.now() - world.options.listLagMs;
  const quantity = isRevoked ? 0 : line.quantity;
  return {
    includedEntitlements: [],
    referenceOrder: { id: order.id, lineItemId: String(line.lineNumber), alternateId: order.alternateId },
    productId: line.productId,
    skuId: line.skuId,
    quantity,
    quantityDetails: [{ quantity, status: isRevoked ? 'Cancelled' : 'Fulfilled' }],
    entitledArtifacts: [],
    entitlementType: line.soldAs === 'perpetual' ? 'software' : 'reservedinstance',
    fulfillmentState: provisioningOf(world, order) === 'fulfilled' ? 'Fulfilled' : 'Unfulfilled',
    expiryDate: '0001-01-01T00:00:00',
  };
}

/** What somebody does in the portal, of which only the audit log tells. */
export function fetchInPortal(world: World, orderId: string, what: 'key' | 'link', user: string): void {
  const order = world.state.orders.find(({ id }) => id === orderId);
  if (!order) throw new Refusal(404, '20000', 'The order was not found.');
  const isKey = what === 'key';
  world.record({
    customerId: order.customerId,
    resourceType: isKey ? 'software_key' : 'software_download_link',
    operationType: isKey ? 'get_software_key' : 'get_software_download_link',
    userPrincipalName: user,
    value: { ProductId: order.lines[0]?.productId, OrderId: order.id },
    customizedData: [{ key: 'OrderId', value: order.id }],
  });
}
