import { billingLine } from './billing.js';
import { type Answer, type Call, isSame, link, ok, Refusal, type Route } from './call.js';
import { cancelLines } from './cancelling.js';
import { catalogItem, currencyOf } from './catalog.js';
import { collection, resellerCustomerOf } from './customers.js';
import type { Cart, CartLine, Order, OrderLine } from './state.js';
import type { World } from './world.js';

export const orderRoutes: Route[] = [
  { method: 'GET', pattern: '/v1/customers/:customer/orders', handle: list },
  {
    method: 'GET',
    pattern: '/v1/customers/:customer/orders/:order',
    handle: (call) => ok(showOrder(call.world, orderOf(call), isPriced(call))),
  },
  { method: 'PATCH', pattern: '/v1/customers/:customer/orders/:order', handle: cancel },
  {
    method: 'GET',
    pattern: '/v1/customers/:customer/orders/:order/provisioningstatus',
    wants: 'user',
    handle: provisioning,
  },
];

const isPriced = ({ query }: Call) => query.get('include_price') === 'true';

export function orderOf(call: Call): Order {
  const customer = resellerCustomerOf(call);
  const id = call.ids['order'] as string;
  const isIt = (order: Order) => order.id === id || isSame(order.alternateId, id);
  const found = call.world.state.orders.find((order) => order.customerId === customer.id && isIt(order));
  if (!found) throw new Refusal(404, '20000', 'The order was not found.');
  return found;
}

/** A list is behind: it has neither the newest orders nor the newest cancellations. */
function list(call: Call): Answer {
  const { world } = call;
  const customer = resellerCustomerOf(call);
  const seenUntil = world.now() - world.options.listLagMs;
  const orders = world.state.orders.filter((one) => one.customerId === customer.id && one.createdMs <= seenUntil);
  return collection(
    call,
    orders.map((order) => {
      const lines = order.lines.map((line) => ({
        ...line,
        cancelledMs: line.cancelledMs !== null && line.cancelledMs <= seenUntil ? line.cancelledMs : null,
      }));
      return showOrder(world, { ...order, lines }, isPriced(call));
    }),
  );
}

/** How far a line has come. */
export function provisioningOf(world: World, order: Order): 'prefulfillmentPending' | 'unfulfilled' | 'fulfilled' {
  const age = world.now() - order.createdMs;
  const { provisioningMs } = world.options;
  if (age >= provisioningMs) return 'fulfilled';
  return age >= provisioningMs / 2 ? 'unfulfilled' : 'prefulfillmentPending';
}

export function statusOf(world: World, order: Order): string {
  if (order.lines.every(({ cancelledMs }) => cancelledMs !== null)) return 'cancelled';
  return provisioningOf(world, order) === 'fulfilled' ? 'completed' : 'pending';
}

export function showOrder(world: World, order: Order, withPrices: boolean) {
  const { id, alternateId, customerId, billingCycle, createdMs, lines } = order;
  const path = `/customers/${customerId}/orders/${id}`;
  const { code, symbol } = currencyOf(world.state.customers.find((one) => one.id === customerId)?.country ?? 'US');
  const live = lines.filter(({ cancelledMs }) => cancelledMs === null);
  const total = live.reduce((sum, { unitPrice, quantity }) => sum + Number(unitPrice) * quantity, 0);
  return {
    id,
    alternateId,
    referenceCustomerId: customerId,
    billingCycle,
    currencyCode: code,
    currencySymbol: symbol,
    lineItems: lines.map((line) => showLine(world, order, line, withPrices)),
    creationDate: world.iso(createdMs),
    status: statusOf(world, order),
    transactionType: 'UserPurchase',
    ...(withPrices ? { totalPrice: total } : {}),
    links: { self: link(path), provisioningStatus: link(`${path}/provisioningstatus`) },
    attributes: { objectType: 'Order' },
  };
}

function showLine(world: World, order: Order, line: OrderLine, withPrices: boolean) {
  const { lineNumber, catalogItemId, productId, skuId, title, termDuration, subscriptionId, unitPrice } = line;
  const quantity = line.cancelledMs === null ? line.quantity : 0;
  const isProvisioned = provisioningOf(world, order) === 'fulfilled';
  return {
    lineItemNumber: lineNumber,
    offerId: catalogItemId,
    transactionType: 'New',
    friendlyName: title,
    quantity,
    ...(termDuration ? { termDuration } : {}),
    ...(subscriptionId && isProvisioned ? { subscriptionId } : {}),
    ...(withPrices
      ? {
          pricing: {
            listPrice: Number(unitPrice),
            price: Number(unitPrice),
            extendedPrice: Number(unitPrice) * quantity,
          },
        }
      : {}),
    links: { product: link(`/products/${productId}`), sku: link(`/products/${productId}/skus/${skuId}`) },
  };
}

/** Writes an order, what it makes of subscriptions, what it costs, and that it was placed. */
export function placeOrder({ world, header }: Call, cart: Cart, lines: CartLine[]): Order {
  const products = lines.map(({ catalogItemId }) => catalogItem(world, catalogItemId));
  const isLicence = products.every(({ soldAs }) => soldAs === 'licence');
  const alternateId = world.hex(12);
  const order: Order = {
    id: isLicence ? alternateId : world.orderId(),
    alternateId,
    customerId: cart.customerId,
    cartId: cart.id,
    billingCycle: (lines[0] as CartLine).billingCycle,
    createdMs: world.now(),
    lines: lines.map(({ catalogItemId, quantity }, lineNumber) => {
      const { productId, skuId, title, soldAs, termDuration, unitPrice } = catalogItem(world, catalogItemId);
      const subscriptionId = soldAs === 'perpetual' || soldAs === 'reservation' ? '' : world.guid();
      const what = { productId, skuId, title, soldAs, termDuration, unitPrice };
      return { lineNumber, catalogItemId, quantity, subscriptionId, cancelledMs: null, ...what };
    }),
  };
  const { state } = world;
  state.orders.push(order);
  for (const line of order.lines) {
    const { customerId, createdMs } = order;
    const { lineNumber, quantity, subscriptionId, title } = line;
    const common = { customerId, orderId: order.id };
    if (subscriptionId)
      state.subscriptions.push({
        ...{ id: subscriptionId, lineNumber, friendlyName: title, quantity, createdMs, ...common },
        ...{ status: 'active', autoRenewEnabled: true, version: 1 },
      });
    state.lines.push(billingLine(order, line, 'new', createdMs));
  }
  world.record({
    customerId: order.customerId,
    resourceType: 'order',
    operationType: 'create_order',
    value: {
      Id: order.id,
      AlternateId: alternateId,
      LineItems: order.lines.map(({ quantity: Quantity }) => ({ Quantity })),
    },
    originalCorrelationId: header('ms-correlationid') ?? world.guid(),
    customizedData: [
      { key: 'OrderId', value: order.id },
      { key: 'AlternateId', value: alternateId },
      ...order.lines.map((line, index) => ({ key: `Quantity-${index}`, value: String(line.quantity) })),
    ],
  });
  return order;
}

function cancel(call: Call): Answer {
  const order = orderOf(call);
  const { body, world } = call;
  if (String(body['status'] ?? body['Status']).toLowerCase() !== 'cancelled')
    throw new Refusal(400, '2000', 'An order can be cancelled, and nothing else.');
  const asked = (body['lineItems'] ?? body['LineItems']) as { lineItemNumber: number }[] | undefined;
  const numbers = asked?.map(({ lineItemNumber }) => lineItemNumber) ?? order.lines.map(({ lineNumber }) => lineNumber);
  cancelLines(call, order, numbers);
  return ok(showOrder(world, order, false));
}

function provisioning(call: Call): Answer {
  const order = orderOf(call);
  const status = provisioningOf(call.world, order);
  return collection(
    call,
    order.lines.map(({ lineNumber, quantity }) => ({
      orderLineItemId: String(lineNumber),
      lineItemNumber: lineNumber,
      status,
      quantityProvisioningInformation: [{ quantity, status }],
    })),
  );
}
