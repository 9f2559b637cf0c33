import type { Call } from './call.js';
import { cancelLines } from './cancelling.js';
import { placeOrder } from './orders.js';
import type { Order } from './state.js';
import type { World } from './world.js';

/** A SKU, and how much of it. */
export interface PortalLine {
  productId: string;
  skuId: string;
  quantity: number;
}

/** Whoever does something in the portal: no program, so without a correlation of theirs. */
const inPortal = (world: World) => ({ world, header: () => undefined }) as unknown as Call;

/** Somebody orders in the portal. */
export function orderInPortal(world: World, customerId: string, lines: PortalLine[], user: string): Order {
  const products = lines.map(({ productId, skuId }) => {
    const found = world.state.products.find((one) => one.productId === productId && one.skuId === skuId);
    if (!found) throw new Error(`the simulator sells no ${productId} ${skuId}`);
    return found;
  });
  const cartLines = lines.map(({ productId, skuId, quantity }, id) => ({
    id,
    catalogItemId: `${productId}:${skuId}:${products[id]?.availabilityId}`,
    quantity,
    billingCycle: products[id]?.billingCycle as string,
    orderGroup: '0',
  }));
  const cart = { id: world.guid(), customerId, createdMs: world.now(), status: 'Ordered' as const, orderOf: {} };
  const order = placeOrder(inPortal(world), { ...cart, lines: cartLines }, cartLines);
  sign(world, user);
  return order;
}

/** Somebody cancels lines of an order in the portal; all of them where none are named. */
export function cancelInPortal(world: World, order: Order, user: string, lineNumbers?: number[]): void {
  cancelLines(inPortal(world), order, lineNumbers ?? order.lines.map(({ lineNumber }) => lineNumber));
  sign(world, user);
}

/** The newest record says who it was. */
function sign(world: World, user: string): void {
  const newest = world.state.audit.at(-1);
  if (newest) newest.userPrincipalName = user;
}
