import { JobKind } from '../../domain/job-kind.js';
import { PartnerCenterFailure } from '../../partner-center/rest/failure.js';
import { isAnswered, type UpstreamTools } from './buy-upstream.js';
import type { Intent } from './intents.js';
import type { CancellationRequest, FulfilmentAnswer } from './provider.js';
import { refusalOf } from './upstream-refusals.js';

const NOT_PLACED =
  'The order was not placed in Partner Center through this gateway, so it cannot be cancelled there through it. Cancel it in Partner Center, or ask support.';

/**
 * Cancels what an intent says, each line whole (docs/partner-center.md, section 7). Orders are read by their ids before and
 * after, which is true at once: what is cancelled already is not asked for again. Throws where it is to go on later.
 */
export async function cancelUpstream(
  tools: UpstreamTools,
  request: CancellationRequest,
  signal: AbortSignal,
): Promise<FulfilmentAnswer> {
  const { intents } = tools;
  const { cancellationId: id, orderId, lineNumbers } = request;
  try {
    let intent = await intents.open(id, JobKind.CANCELLATION, orderId);
    if (intent.state === 'DONE') return 'confirmed';
    if (intent.state === 'REFUSED') return { refused: intent.problem ?? '' };
    const bought = (await intents.boughtLines(orderId)) ?? [];
    const orders = new Map<string, number[]>();
    for (const lineNumber of lineNumbers) {
      const { order } = bought.find((line) => line.lineNumber === lineNumber) ?? {};
      if (!order) return refuse(tools, id, NOT_PLACED);
      orders.set(order.id, [...(orders.get(order.id) ?? []), order.lineNumber]);
    }
    let done = 0;
    for (const [upstreamId, numbers] of orders) {
      const reason = await cancelLines(tools, request, { upstreamId, numbers, intent }, signal);
      // Lines go together here: what is cancelled in part is an operator's to mend.
      if (reason && done > 0)
        throw new Error(
          `${done} of ${orders.size} orders are cancelled in Partner Center, ${upstreamId} is not: ${reason}`,
        );
      if (reason) return refuse(tools, id, reason);
      done += 1;
      intent = await intents.open(id, JobKind.CANCELLATION, orderId);
    }
    await intents.finish(id, 'DONE', [], null);
    return 'confirmed';
  } catch (error) {
    await intents.note(id, (error as Error).message);
    throw error;
  }
}

async function refuse({ intents }: UpstreamTools, id: string, reason: string): Promise<FulfilmentAnswer> {
  await intents.finish(id, 'REFUSED', [], reason);
  return { refused: reason };
}

/** Lines of one order that are to be cancelled there. */
interface LinesThere {
  upstreamId: string;
  numbers: readonly number[];
  /** As it is before that. */
  intent: Intent;
}

/** Cancels lines of one order. Answers why not; null: they are cancelled. */
async function cancelLines(
  { purchases, intents }: UpstreamTools,
  { cancellationId: id, tenantId: customerId }: CancellationRequest,
  { upstreamId: orderId, numbers, intent }: LinesThere,
  signal: AbortSignal,
): Promise<string | null> {
  const read = async () => {
    const order = await purchases.order({ customerId, signal }, orderId);
    const standing = order.lineItems.filter(({ quantity }) => quantity > 0).map(({ lineItemNumber }) => lineItemNumber);
    return { order, left: numbers.filter((number) => standing.includes(number)) };
  };
  const { order, left } = await read();
  if (left.length === 0) return null;
  const { requestId } = await intents.beginSending(id);
  try {
    await purchases.cancelLines({ customerId, requestId, correlationId: id, signal }, order, left);
    await intents.endCall(id, requestId);
  } catch (error) {
    if (!(error instanceof PartnerCenterFailure)) throw error;
    if (isAnswered(error)) await intents.endCall(id, requestId);
    if (error.handling === 'unknown' || error.mayBeDone) await intents.markUnknown(id);
    else await intents.takeBack(id, intent);
    const reason = refusalOf(error);
    if (!reason) throw error;
    if ((await read()).left.length === 0) return null;
    // What got no answer a moment ago may still be under way: it is read again later.
    if (error.mayBeDone) throw error;
    return reason;
  }
  if ((await read()).left.length > 0) throw new Error(`Partner Center has not cancelled all lines of ${orderId} yet.`);
  return null;
}
