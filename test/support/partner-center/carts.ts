import { type Answer, type Call, created, ok, Refusal, type Route } from './call.js';
import { catalogItem } from './catalog.js';
import { resellerCustomerOf } from './customers.js';
import { placeOrder, showOrder } from './orders.js';
import type { Cart, CartLine } from './state.js';
import type { World } from './world.js';

const CART_LIFE_MS = 7 * 86_400_000;
/** What a sandbox has room for. */
const SANDBOX_SUBSCRIPTIONS = 5;
const SANDBOX_QUANTITY = 25;

export const cartRoutes: Route[] = [
  { method: 'POST', pattern: '/v1/customers/:customer/carts', handle: create },
  {
    method: 'GET',
    pattern: '/v1/customers/:customer/carts/:cart',
    handle: (call) => ok(show(call.world, cartOf(call))),
  },
  { method: 'POST', pattern: '/v1/customers/:customer/carts/:cart/checkout', handle: checkOut },
];

function cartOf(call: Call): Cart {
  const { world, ids } = call;
  const cart = world.state.carts[(ids['cart'] as string).toLowerCase()];
  // What an expired cart answers is not known; it is taken to be gone.
  if (!cart || cart.customerId !== resellerCustomerOf(call).id || cart.createdMs + CART_LIFE_MS <= world.now())
    throw new Refusal(404, '800008', 'The cart was not found.');
  return cart;
}

function create(call: Call): Answer {
  const { world, body } = call;
  const customer = resellerCustomerOf(call);
  const asked = anyCase(body, 'lineItems') as Record<string, unknown>[] | undefined;
  if (!asked?.length) throw new Refusal(400, '800002', 'The cart has no lines.');
  const splits = world.faults.strikes('splitCart');
  const lines = asked.map((line, index) => cartLine(world, line, index, splits));
  const cart: Cart = {
    id: world.guid(),
    customerId: customer.id,
    createdMs: world.now(),
    status: 'Active',
    lines,
    orderOf: {},
  };
  world.state.carts[cart.id] = cart;
  return created(show(world, cart));
}

function cartLine(world: World, line: Record<string, unknown>, index: number, splits: boolean): CartLine {
  const catalogItemId = String(anyCase(line, 'catalogItemId') ?? '');
  const quantity = Number(anyCase(line, 'quantity'));
  const product = catalogItem(world, catalogItemId);
  const termDuration = String(anyCase(line, 'termDuration') ?? '');
  if (termDuration !== product.termDuration)
    throw new Refusal(400, '800094', 'The term is not one that the availability is sold for.');
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > product.maximumQuantity)
    throw new Refusal(400, '800088', 'The quantity is outside of the limits of the SKU.');
  const isShort = world.faults.strikes('lineError');
  return {
    id: Number(anyCase(line, 'id') ?? index),
    catalogItemId,
    quantity,
    billingCycle: product.billingCycle,
    termDuration: product.termDuration || undefined,
    orderGroup: splits ? String(index) : `${product.billingCycle}${product.termDuration}`,
    error: isShort
      ? {
          errorCode: 10_003,
          errorDescription: 'The inventory is not available.',
          additionalInformation: { availableQuantity: 0, purchasedQuantity: quantity },
        }
      : undefined,
  };
}

/** Requests in PascalCase are accepted too. */
export const anyCase = (body: Record<string, unknown>, name: string): unknown =>
  body[name] ?? body[name.charAt(0).toUpperCase() + name.slice(1)];

function show(world: World, { id, createdMs, status, lines, orderOf }: Cart) {
  return {
    id,
    creationTimestamp: world.iso(createdMs),
    lastModifiedTimestamp: world.iso(createdMs),
    expirationTimestamp: world.iso(createdMs + CART_LIFE_MS),
    lastModifiedUser: world.partnerId,
    status: Object.keys(orderOf).length > 0 ? 'Ordered' : status,
    lineItems: lines,
    attributes: { objectType: 'Cart' },
  };
}

/**
 * Makes an order of each group of lines. A cart that went through answers the same orders again, unless it is told to
 * refuse with 800065; a group that failed is tried again.
 */
function checkOut(call: Call): Answer {
  const { world } = call;
  const cart = cartOf(call);
  const groups = [...new Set(cart.lines.map(({ orderGroup }) => orderGroup))];
  const open = groups.filter((group) => !cart.orderOf[group]);
  if (open.length === 0 && world.faults.strikes('cartAlreadySubmitted'))
    throw new Refusal(400, '800065', 'The cart has already been submitted.');
  const isOverLimit = open.length === 0 ? 'refusedAfterwards' : 'checkoutRefused';
  if (world.faults.strikes(isOverLimit))
    throw new Refusal(400, '900119', 'The credit limit of the customer is reached.');
  if (world.faults.strikes('ownFault')) throw new Refusal(500, '800031', 'Something went wrong.');
  const orderErrors: object[] = [];
  for (const group of open) {
    const lines = cart.lines.filter(({ orderGroup }) => orderGroup === group);
    const reason = reasonAgainst(call, lines, group === groups.at(-1));
    if (reason) orderErrors.push({ orderGroupId: group, ...reason });
    else cart.orderOf[group] = placeOrder(call, cart, lines).id;
  }
  if (orderErrors.length === 0) cart.status = 'Ordered';
  const orders = Object.values(cart.orderOf).flatMap((id) => world.state.orders.filter((order) => order.id === id));
  return created({ orders: orders.map((order) => showOrder(world, order, false)), orderErrors });
}

/** What has moved in the catalog since the cart was made. */
function staleIn(world: World, lines: CartLine[]): { code: number; description: string } | null {
  try {
    for (const { catalogItemId } of lines) catalogItem(world, catalogItemId);
    return null;
  } catch (error) {
    const { code, message } = error as Refusal;
    return { code: Number(code), description: message };
  }
}

/** Why a group of lines is no order; null: it is one. */
function reasonAgainst(
  { world }: Call,
  lines: CartLine[],
  isLast: boolean,
): { code: number; description: string } | null {
  const wrong = lines.find(({ error }) => error)?.error;
  if (wrong) return { code: wrong.errorCode, description: wrong.errorDescription };
  const stale = staleIn(world, lines);
  if (stale) return stale;
  if (isLast && world.faults.strikes('groupFails'))
    return { code: 900_120, description: 'The credit limit of the customer is reached.' };
  if (!world.options.isSandbox) return null;
  const held = new Set(world.state.subscriptions.map(({ orderId, lineNumber }) => `${orderId}/${lineNumber}`)).size;
  if (
    lines.some(({ quantity, termDuration }) => termDuration && quantity > SANDBOX_QUANTITY) ||
    held >= SANDBOX_SUBSCRIPTIONS
  )
    return { code: 800_018, description: 'The limit of the sandbox is reached.' };
  return null;
}
