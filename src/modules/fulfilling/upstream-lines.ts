import type { Checkout, UpstreamOrder } from '../../partner-center/rest/resources.js';
import type { IntentLine } from './intent.entity.js';
import type { PurchaseAnswer } from './provider.js';
import { refusalOfGroup } from './upstream-refusals.js';

/** Notes in lines which orders they have become. Each line of an order is one of ours at most. */
export function assignOrders(lines: readonly IntentLine[], orders: readonly UpstreamOrder[]): IntentLine[] {
  const free = orders.flatMap((order) => order.lineItems.map((item) => ({ order, item })));
  return lines.map((line) => {
    if (line.order) return line;
    const place = free.findIndex(
      ({ item }) =>
        item.offerId.toLowerCase() === line.catalogItemId.toLowerCase() &&
        // One that was cancelled meanwhile has none.
        (item.quantity === line.quantity || item.quantity === 0),
    );
    const [found] = place === -1 ? [] : free.splice(place, 1);
    if (!found) return line;
    const { id, alternateId } = found.order;
    return { ...line, order: { id, alternateId: alternateId ?? id, lineNumber: found.item.lineItemNumber } };
  });
}

/** Notes in lines why they have become no order. What may be tried again is left as it is. */
export function assignRefusals(
  lines: readonly IntentLine[],
  errors: NonNullable<Checkout['orderErrors']>,
): IntentLine[] {
  return lines.map((line) => {
    const error = errors.find(({ orderGroupId }) => orderGroupId === line.orderGroup);
    const refused = error && !line.order ? refusalOfGroup(error.code, error.description ?? '') : null;
    return refused ? { ...line, refused } : line;
  });
}

/** What lines that all have an end say together. */
export function answerOf(lines: readonly IntentLine[]): PurchaseAnswer {
  const refused = lines.filter((line) => line.refused);
  const [first] = refused;
  if (!first) return 'confirmed';
  if (refused.length === lines.length) return { refused: first.refused as string };
  return { refusedLines: refused.map(({ lineNumber, refused: reason }) => ({ lineNumber, reason: reason as string })) };
}
