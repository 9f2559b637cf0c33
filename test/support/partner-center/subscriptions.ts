import { type Answer, type Call, isSame, link, ok, Refusal, type Route } from './call.js';
import { cancelLine, mustBeCancellable } from './cancelling.js';
import { REFUND_OPTIONS } from './catalog.js';
import { collection, resellerCustomerOf } from './customers.js';
import type { Order, OrderLine, Subscription } from './state.js';
import type { World } from './world.js';

const DAY_MS = 86_400_000;

export const subscriptionRoutes: Route[] = [
  { method: 'GET', pattern: '/v1/customers/:customer/subscriptions', handle: list },
  {
    method: 'GET',
    pattern: '/v1/customers/:customer/subscriptions/:subscription',
    handle: (call) => ok(show(call.world, subscriptionOf(call))),
  },
  { method: 'PATCH', pattern: '/v1/customers/:customer/subscriptions/:subscription', handle: patch },
  {
    method: 'GET',
    pattern: '/v1/customers/:customer/subscriptions/:subscription/operations/:operation',
    handle: (call) => ok(show(call.world, subscriptionOf(call))),
  },
];

function list(call: Call): Answer {
  const { world, query } = call;
  const customer = resellerCustomerOf(call);
  const seenUntil = world.now() - world.options.listLagMs;
  const asked = query.get('order_id');
  const found = world.state.subscriptions.filter(
    ({ customerId, orderId, createdMs }) =>
      customerId === customer.id && createdMs <= seenUntil && (!asked || asked === orderId),
  );
  return collection(
    call,
    found.map((one) => show(world, one)),
  );
}

function subscriptionOf(call: Call): Subscription {
  const customer = resellerCustomerOf(call);
  const found = call.world.state.subscriptions.find(
    ({ id, customerId }) => customerId === customer.id && isSame(id, call.ids['subscription'] as string),
  );
  if (!found) throw new Refusal(404, '20003', 'The subscription was not found.');
  return found;
}

function lineOf({ state }: World, { orderId, lineNumber }: Subscription): [Order, OrderLine] {
  const order = state.orders.find(({ id }) => id === orderId) as Order;
  return [order, order.lines.find((one) => one.lineNumber === lineNumber) as OrderLine];
}

const etagOf = ({ id, version }: Subscription) => `${id.slice(0, 8)}${version}`;

function show(world: World, subscription: Subscription) {
  const { id, orderId, friendlyName, quantity, status, autoRenewEnabled, createdMs } = subscription;
  const [, line] = lineOf(world, subscription);
  const options = REFUND_OPTIONS[line.soldAs];
  const until = (expiresAfter: string) => world.iso(createdMs + Number(/\d+/.exec(expiresAfter)?.[0]) * DAY_MS);
  const last = options.at(-1);
  return {
    id,
    orderId,
    offerId: line.catalogItemId,
    offerName: line.title,
    friendlyName,
    quantity,
    unitType: 'Licenses',
    productType: { id: line.soldAs === 'licence' ? 'OnlineServicesNCE' : 'Software' },
    creationDate: world.iso(createdMs),
    effectiveStartDate: world.iso(createdMs),
    commitmentEndDate: world.iso(createdMs + 365 * DAY_MS),
    commitmentEndDateTime: world.iso(createdMs + 365 * DAY_MS),
    cancellationAllowedUntilDate: last ? until(last.expiresAfter) : '0001-01-01T00:00:00',
    status,
    autoRenewEnabled,
    isTrial: false,
    billingType: 'license',
    billingCycle: 'annual',
    termDuration: line.termDuration,
    contractType: 'subscription',
    refundOptions: options.map(({ type, expiresAfter }) => ({ type, expiresAt: until(expiresAfter) })),
    refundableQuantity: { totalQuantity: status === 'active' ? quantity : 0, details: [] },
    publisherName: 'Microsoft Corporation',
    partnerId: '1234567',
    links: { self: link(`/customers/${subscription.customerId}/subscriptions/${id}`) },
    attributes: { etag: etagOf(subscription), objectType: 'Subscription' },
  };
}

/** Takes the whole resource back: what is left out is reset. */
function patch(call: Call): Answer {
  const { world, body, header } = call;
  const subscription = subscriptionOf(call);
  if (header('if-match')?.replaceAll('"', '') !== etagOf(subscription))
    throw new Refusal(400, '2055', 'The etag is stale: the resource was changed meanwhile.');
  const [order, line] = lineOf(world, subscription);
  const status = String(body['status'] ?? subscription.status).toLowerCase();
  const isCancelled = /^(deleted|cancelled|suspended)$/.test(status) && subscription.status === 'active';
  if (isCancelled) {
    mustBeCancellable(world, order, line, 'subscription');
    cancelLine(world, order, line);
  } else {
    const quantity = Number(body['quantity'] ?? subscription.quantity);
    if (quantity < subscription.quantity) throw new Refusal(400, '800090', 'The quantity cannot be decreased.');
    Object.assign(subscription, {
      quantity,
      autoRenewEnabled: body['autoRenewEnabled'] === true,
      version: subscription.version + 1,
    });
  }
  const { id, customerId } = subscription;
  const customizedData = [{ key: 'SubscriptionId-0', value: id }];
  const value = { Id: id, Status: subscription.status };
  const originalCorrelationId = header('ms-correlationid') ?? world.guid();
  const what = { resourceType: 'subscription', operationType: 'update_subscription', value };
  world.record({ customerId, ...what, customizedData, originalCorrelationId });
  world.hint('subscription-updated', `/v1/customers/${customerId}/subscriptions/${id}`, 'subscription');
  if (!world.faults.strikes('acceptedWrites', call.path)) return ok(show(world, subscription));
  const location = `/customers/${customerId}/subscriptions/${id}/operations/${world.guid()}`;
  return { status: 202, headers: { location, 'retry-after': String(world.options.retryAfterSeconds) } };
}
