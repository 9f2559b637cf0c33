import { CancellationStatus } from '../../modules/orders/order-status.js';
import { cancelLines, maybeCancel } from './cancellations.js';
import type { DemoCustomer } from './customers.js';
import type { Demo } from './demo.js';
import type { DemoOrder } from './demo-order.js';
import { OrderActivity } from './order-activity.js';
import { drawCurrency, drawWishes, placeOrder, writeOrder } from './orders.js';

const HOUR_MS = 3_600_000;
/** Orders were placed in the two years before now. */
const STORY_MS = 730 * 24 * HOUR_MS;
/** Below 1: business grows. */
const GROWTH = 0.85;
/** Above 1: older customers order more often. */
const LOYALTY = 1.4;
/** How many cancellations wait for fulfilment at `now`. */
const PENDING_CANCELLATIONS = 3;
/** How many of the latest orders those are chosen from. */
const LATEST_ORDERS = 60;

/** How much to tell. */
interface Plan {
  /** Place of the first order among all. */
  first: number;
  count: number;
  /** Activity entries that the log of this load shall have in the end. */
  entries: number;
}

/** Tells orders, the oldest first, with what happened to each. Yields how many are told after every one. */
export function* generateOrders(demo: Demo, customers: readonly DemoCustomer[], plan: Plan): Generator<number> {
  const before = demo.activity.written;
  let customersByThen = 0;
  let pending = 0;
  for (let turn = 0; turn < plan.count; turn++) {
    const placedAt = placedAtOf(demo, turn, plan.count);
    while (customersByThen < customers.length && (customers[customersByThen] as DemoCustomer).createdAt < placedAt)
      customersByThen += 1;
    const customer = customers[Math.floor(customersByThen * demo.random.fraction() ** LOYALTY)] as DemoCustomer;
    const order = placeOrder(
      demo,
      plan.first + turn,
      customer,
      drawCurrency(demo, customer),
      placedAt,
      drawWishes(demo, customer),
    );
    const isLate = turn >= plan.count - LATEST_ORDERS && pending < PENDING_CANCELLATIONS;
    if (isLate && cancelNow(demo, order, pending)) pending += 1;
    else maybeCancel(demo, order);
    const activity = new OrderActivity(demo, order);
    activity.doUntil(Math.round(before + ((plan.entries - before) * (turn + 1)) / plan.count));
    activity.writeKeys();
    writeOrder(demo, order);
    yield turn + 1;
  }
}

/** Asks for a cancellation some minutes before now, so that fulfilment has it to do. */
function cancelNow(demo: Demo, order: DemoOrder, pending: number): boolean {
  const requestedAt = new Date(demo.now.getTime() - (pending + 2) * 60_000);
  const lines = order.lines.filter(
    ({ cancellableUntil }) => cancellableUntil !== null && cancellableUntil > requestedAt,
  );
  if (lines.length === 0 || order.placedAt.getTime() > requestedAt.getTime() - HOUR_MS) return false;
  cancelLines(demo, order, lines, requestedAt, CancellationStatus.PENDING);
  return true;
}

function placedAtOf(demo: Demo, turn: number, count: number): Date {
  const share = ((turn + demo.random.fraction()) / count) ** GROWTH;
  return new Date(Math.floor(demo.now.getTime() - STORY_MS + share * (STORY_MS - HOUR_MS)));
}
