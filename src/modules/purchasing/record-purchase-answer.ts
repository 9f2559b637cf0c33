import { type Actor, recordActivity } from '../../activity-log/record-activity.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import { sum } from '../../domain/money.js';
import { fulfilmentFor } from '../fulfilling/fulfilment-actor.js';
import type { FulfilmentAnswer } from '../fulfilling/provider.js';
import type { FoundOrder } from '../orders/find-order.js';
import { type ChargedLine, productIdsOf } from '../orders/sold-line.js';

/** An order that the provider has answered to. */
export type AnsweredOrder = Omit<FoundOrder, 'status' | 'customer'> & { customerId: string };

/** Writes down what the provider answered. @param by who acts; null: fulfilment, in the name of who bought */
export function recordPurchaseAnswer(
  em: Em,
  order: AnsweredOrder,
  lines: readonly ChargedLine[],
  answer: FulfilmentAnswer,
  by: Actor | null,
): void {
  const { number: orderNumber, currency } = order;
  const entry = {
    actor:
      by ??
      fulfilmentFor({
        identity: order.placedByIdentity,
        userPrincipalName: order.placedBy,
        role: order.placedByRole ?? '',
      }),
    customerId: order.customerId,
    orderId: order.id,
    productIds: productIdsOf(lines),
    resource: { type: 'ORDER' as const, id: toGlobalId('Order', order.id), label: orderNumber },
    correlationId: order.correlationId,
  };
  const lineCount = lines.length;
  if (answer === 'confirmed') {
    const total = sum(
      lines.map((line) => line.total),
      currency,
    );
    const detail = { orderNumber, lineCount, total, currency };
    recordActivity(em, { action: 'ORDER_CONFIRMED', outcome: 'SUCCEEDED', ...entry, detail });
  } else {
    const detail = { orderNumber, lineCount, problem: answer.refused };
    recordActivity(em, { action: 'ORDER_REFUSED', outcome: 'FAILED', ...entry, detail });
  }
}
