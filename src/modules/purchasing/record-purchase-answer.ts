import { type Actor, recordActivity } from '../../activity-log/record-activity.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import { fulfilmentFor } from '../fulfilling/fulfilment-actor.js';
import type { FulfilmentAnswer } from '../fulfilling/provider.js';
import type { Order, OrderLine } from '../orders/order.entity.js';

/** Writes down what the provider answered. @param by who acts; null: fulfilment, in the name of who bought */
export function recordPurchaseAnswer(
  em: Em,
  order: Order,
  lines: OrderLine[],
  answer: FulfilmentAnswer,
  by: Actor | null,
): void {
  const { number: orderNumber, total, currency } = order;
  const entry = {
    actor:
      by ??
      fulfilmentFor({
        identity: order.placedByIdentity,
        userPrincipalName: order.placedBy,
        role: order.placedByRole ?? '',
      }),
    customerId: order.customer.id,
    orderId: order.id,
    productIds: [...new Set(lines.map(({ sku }) => sku.product.productId))],
    resource: { type: 'ORDER' as const, id: toGlobalId('Order', order.id), label: orderNumber },
    correlationId: order.correlationId,
  };
  const lineCount = lines.length;
  if (answer === 'confirmed') {
    const detail = { orderNumber, lineCount, total, currency };
    recordActivity(em, { action: 'ORDER_CONFIRMED', outcome: 'SUCCEEDED', ...entry, detail });
  } else {
    const detail = { orderNumber, lineCount, problem: answer.refused };
    recordActivity(em, { action: 'ORDER_REFUSED', outcome: 'FAILED', ...entry, detail });
  }
}
