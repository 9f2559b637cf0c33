import { sum, times } from '../../domain/money.js';
import { ProductKind, Segment } from '../../domain/product-kind.js';
import { OrderLineStatus, OrderStatus } from '../../modules/orders/order-status.js';
import { lastExpiry } from '../../modules/orders/refund-options.js';
import { referenceTermsOf } from '../reference/reference-data.js';
import { datedTermOf, soldOptionsOf } from './calendar.js';
import type { DemoCustomer } from './customers.js';
import type { Demo } from './demo.js';
import type { DemoLine, DemoOrder } from './demo-order.js';
import { demoId, orderNumberAt } from './numbers.js';
import { agents, connector } from './people.js';
import { isSold, type PricedSku, unitPriceAt } from './prices.js';

/** What is to be bought: a SKU and how many of it. */
export interface Wish {
  sku: PricedSku;
  quantity: number;
}

/** How often each kind is bought. */
const kindWeights: Record<ProductKind, number> = {
  PERPETUAL_SOFTWARE: 10,
  SOFTWARE_SUBSCRIPTION: 30,
  AZURE_RESERVATION: 12,
  LINUX_PLAN: 22,
};
/** How many of a hundred orders have one, two, three and four lines. */
const lineCountWeights = [52, 28, 14, 6];
/** How many customers of the European price list pay in another of its currencies. */
const FOREIGN_CURRENCY_SHARE = 0.06;

/** One to four different SKUs that are sold to the customer. */
export function drawWishes(demo: Demo, customer: DemoCustomer): Wish[] {
  const { random } = demo;
  const offered = demo.skus.filter((sku) => isSold(sku, customer.market, customer.segment));
  const lineCount = random.weighted([1, 2, 3, 4], (count) => lineCountWeights[count - 1] as number);
  const wishes = new Map<string, Wish>();
  for (let line = 0; line < lineCount; line++) {
    const sku = random.weighted(offered, ({ kind }) => kindWeights[kind]);
    wishes.set(sku.id, { sku, quantity: drawQuantity(demo, sku) });
  }
  return [...wishes.values()];
}

/** The currency of an order: the market's first, at times another one in which the market is sold to. */
export function drawCurrency(demo: Demo, { market, segment }: DemoCustomer): string {
  const isForeign = segment === Segment.COMMERCIAL && demo.random.chance(FOREIGN_CURRENCY_SHARE);
  return isForeign ? demo.random.pick(market.currencies) : (market.currencies[0] as string);
}

/** An order at the prices of its day (rule 3), with its refund options and terms frozen (rule 13). */
export function placeOrder(
  demo: Demo,
  index: number,
  customer: DemoCustomer,
  currency: string,
  placedAt: Date,
  wishes: readonly Wish[],
): DemoOrder {
  const lines = wishes.map(({ sku, quantity }, lineNumber): DemoLine => {
    const terms = referenceTermsOf(sku, placedAt);
    const refundOptions = soldOptionsOf(placedAt, terms.refundOptions);
    const unitPrice = unitPriceAt(sku, customer.market, currency, customer.segment, placedAt);
    return {
      id: demoId(demo.seed, `order/${index}/line/${lineNumber}`),
      lineNumber,
      sku,
      quantity,
      unitPrice,
      total: times(unitPrice, quantity, currency),
      refundOptions,
      cancellableUntil: lastExpiry(refundOptions),
      supportRequestRequired: terms.supportRequestRequired,
      term: sku.termDuration ? datedTermOf(placedAt, sku.termDuration) : null,
      status: OrderLineStatus.ACTIVE,
      entitlementId: demoId(demo.seed, `order/${index}/line/${lineNumber}/entitlement`),
      leftAt: null,
      revokedAt: null,
    };
  });
  const order: DemoOrder = {
    index,
    id: demoId(demo.seed, `order/${index}`),
    number: orderNumberAt(index),
    customer,
    currency,
    placedAt,
    placedBy: demo.random.chance(0.2) ? connector : demo.random.pick(agents),
    correlationId: demo.activity.nextCorrelationId(demo),
    lines,
    total: sum(
      lines.map(({ total }) => total),
      currency,
    ),
    cancellations: 0,
  };
  const entry = {
    outcome: 'SUCCEEDED',
    customerId: customer.id,
    orderId: order.id,
    productIds: productIdsOf(lines),
    resource: { type: 'ORDER', id: order.id, label: order.number },
    correlationId: order.correlationId,
    detail: { orderNumber: order.number, lineCount: lines.length, total: order.total, currency },
  } as const;
  demo.activity.write(demo, placedAt, { action: 'ORDER_PLACED', actor: order.placedBy, ...entry });
  // As where nobody is to be asked: confirmed in the transaction of the purchase.
  const fulfilment = { ...order.placedBy, application: 'fulfilment' };
  demo.activity.write(demo, placedAt, { action: 'ORDER_CONFIRMED', actor: fulfilment, ...entry });
  return order;
}

/** Hands over the rows of an order, once everything that happened to it is known. */
export function writeOrder(demo: Demo, order: DemoOrder): void {
  const isCancelled = order.lines.every(({ status }) => status === OrderLineStatus.CANCELLED);
  const placedAt = order.placedAt.toISOString();
  demo.batch.add('orders', {
    id: order.id,
    number: order.number,
    customer_id: order.customer.id,
    market_code: order.customer.market.code,
    status: isCancelled ? OrderStatus.CANCELLED : OrderStatus.COMPLETED,
    currency: order.currency,
    total: order.total,
    tax_included: order.customer.market.taxInclusive ?? false,
    placed_at: placedAt,
    placed_by: order.placedBy.userPrincipalName,
    placed_by_role: order.placedBy.role,
    placed_by_identity: order.placedBy.identity?.key ?? null,
    correlation_id: order.correlationId,
  });
  for (const line of order.lines) {
    demo.batch.add('order_lines', {
      id: line.id,
      order_id: order.id,
      line_number: line.lineNumber,
      sku_id: line.sku.id,
      quantity: line.quantity,
      unit_price: line.unitPrice,
      total: line.total,
      status: line.status,
      refund_options: line.refundOptions,
      cancellable_until: line.cancellableUntil?.toISOString() ?? null,
      support_request_required: line.supportRequestRequired,
      term_start: line.term?.start ?? null,
      term_end: line.term?.end ?? null,
      billing_plan: line.sku.billingPlan,
    });
    demo.batch.add('entitlements', {
      id: line.entitlementId,
      order_line_id: line.id,
      customer_id: order.customer.id,
      sku_id: line.sku.id,
      quantity: line.quantity,
      status: line.revokedAt ? 'REVOKED' : 'ACTIVE',
      granted_at: placedAt,
      expires_at: line.term?.over.toISOString() ?? null,
      revoked_at: line.revokedAt?.toISOString() ?? null,
    });
    demo.invoices.charge(demo, order, line);
  }
}

/** The catalog product ids of lines, each once. */
export function productIdsOf(lines: readonly DemoLine[]): string[] {
  return [...new Set(lines.map(({ sku }) => sku.productId))];
}

function drawQuantity({ random }: Demo, sku: PricedSku): number {
  if (sku.kind === ProductKind.AZURE_RESERVATION) return random.whole(1, 10);
  if (sku.kind === ProductKind.LINUX_PLAN) return random.whole(1, 20);
  if (/CAL|Office|Access|Excel|Windows 11|Microsoft 365/.test(sku.title))
    return random.whole(1, 40) * random.pick([1, 1, 5]);
  return random.whole(1, 12);
}
