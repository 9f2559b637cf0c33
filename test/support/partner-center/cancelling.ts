import { billingLine } from './billing.js';
import { type Call, Refusal } from './call.js';
import type { Order, OrderLine, SoldAs } from './state.js';
import type { World } from './world.js';

const DAY_MS = 86_400_000;
/** How long each kind may be cancelled; 0: never. */
const WINDOW_MS: Record<SoldAs, number> = {
  perpetual: 30 * DAY_MS,
  'software-subscription': 7 * DAY_MS,
  licence: 7 * DAY_MS,
  linux: 0,
  reservation: 30 * DAY_MS,
};

/** Cancels whole lines of an order, or none of them. A credit is in the next invoice, not in the answer. */
export function cancelLines(call: Call, order: Order, numbers: number[]): void {
  const { world } = call;
  const lines = order.lines.filter(({ lineNumber }) => numbers.includes(lineNumber));
  if (lines.length !== numbers.length) throw new Refusal(400, '800021', 'The order has no such line.');
  for (const line of lines) mustBeCancellable(world, order, line, 'order');
  for (const line of lines) cancelLine(world, order, line);
  world.record({
    customerId: order.customerId,
    resourceType: 'order',
    operationType: 'update_order',
    // There is no operation for a cancellation: quantities of 0 say it.
    value: { Id: order.id, Status: 'Cancelled', LineItems: numbers.map(() => ({ Quantity: 0 })) },
    originalCorrelationId: call.header('ms-correlationid') ?? world.guid(),
    customizedData: [
      { key: 'OrderId', value: order.id },
      { key: 'AlternateId', value: order.alternateId },
      ...numbers.map((_, index) => ({ key: `Quantity-${index}`, value: '0' })),
    ],
  });
}

/** @param by which door it comes: licences are cancelled as subscriptions, orders of software as orders */
export function mustBeCancellable(world: World, order: Order, line: OrderLine, by: 'order' | 'subscription'): void {
  const { isSandbox } = world.options;
  if (line.cancelledMs !== null) throw new Refusal(400, '800063', 'The line is cancelled already.');
  if (by === 'order' && line.soldAs === 'licence')
    throw new Refusal(400, '800063', 'Cancel the subscription, not the order.');
  if (by === 'order' && line.soldAs === 'reservation' && !isSandbox)
    throw new Refusal(400, '800019', 'Outside of the sandbox only orders of software can be cancelled.');
  const window = WINDOW_MS[line.soldAs];
  if (window === 0) throw new Refusal(400, '800061', 'The order cannot be cancelled.');
  if (isSandbox && world.now() > order.createdMs + 60 * DAY_MS)
    throw new Refusal(400, '800061', 'Orders of the sandbox that are older than 60 days cannot be cancelled.');
  if (world.now() <= order.createdMs + window) return;
  throw line.soldAs === 'perpetual'
    ? new Refusal(400, '900117', 'The order cannot be cancelled more than 30 days after the purchase.')
    : new Refusal(400, '900213', 'The order cannot be cancelled more than 168 hours after the purchase.');
}

export function cancelLine(world: World, order: Order, line: OrderLine): void {
  const now = world.now();
  line.cancelledMs = now;
  const subscription = world.state.subscriptions.find(({ id }) => id === line.subscriptionId);
  if (subscription) Object.assign(subscription, { status: 'deleted', version: subscription.version + 1 });
  world.state.lines.push(billingLine(order, line, 'cancelImmediate', now));
}
