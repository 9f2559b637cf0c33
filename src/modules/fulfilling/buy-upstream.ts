import { JobKind } from '../../domain/job-kind.js';
import { handlingOf, PartnerCenterFailure } from '../../partner-center/rest/failure.js';
import type { CartLine, Purchases } from '../../partner-center/rest/purchases.js';
import type { IntentLine } from './intent.entity.js';
import type { Intent, Intents } from './intents.js';
import type { PurchaseAnswer, PurchaseRequest } from './provider.js';
import { answerOf, assignOrders, assignRefusals } from './upstream-lines.js';
import { refusalOf } from './upstream-refusals.js';

/** What buying and cancelling upstream is done with. */
export interface UpstreamTools {
  purchases: Purchases;
  intents: Intents;
}

/** After so long what is in no list was not bought: lists are a quarter of an hour behind. */
const LISTS_BEHIND_SECONDS = 20 * 60;
/** Clocks differ: an order may seem older than the call that made it. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** A purchase whose fate is not known: it is looked for again later. */
class FateUnknown extends Error {
  override name = 'FateUnknown';
}

/**
 * Buys what an intent says, once (docs/partner-center.md, section 6): one cart, whose id is stored before it is checked
 * out, and the same checkout again until it is answered. Throws where it is to go on later.
 */
export async function buyUpstream(
  tools: UpstreamTools,
  request: PurchaseRequest,
  signal: AbortSignal,
): Promise<PurchaseAnswer> {
  const { intents } = tools;
  const id = request.orderId;
  try {
    let intent = await intents.open(id, JobKind.PURCHASE, id);
    while (!isFinal(intent)) {
      intent = await (intent.cartId === null
        ? fillCart(tools, request, intent, signal)
        : checkOut(tools, request, intent, signal));
    }
    return intent.state === 'DONE' ? answerOf(intent.lines) : { refused: intent.problem ?? '' };
  } catch (error) {
    await intents.note(id, (error as Error).message);
    throw error;
  }
}

const isFinal = ({ state }: Intent) => state === 'DONE' || state === 'REFUSED';
const idsOf = ({ orderId, tenantId }: PurchaseRequest, requestId: string, signal: AbortSignal) => ({
  customerId: tenantId,
  requestId,
  correlationId: orderId,
  signal,
});

/** Makes the cart, of what is for sale just now. */
async function fillCart(
  { purchases, intents }: UpstreamTools,
  request: PurchaseRequest,
  intent: Intent,
  signal: AbortSignal,
): Promise<Intent> {
  const { id } = intent;
  let requestId: string | undefined;
  try {
    const lines: CartLine[] = [];
    for (const line of request.lines) {
      const reading = { customerId: request.tenantId, signal };
      const [availability] = (await purchases.availabilities(reading, line.productId, line.skuId)).filter(
        ({ isPurchasable, terms }) => isPurchasable !== false && isSoldFor(line.termDuration, terms),
      );
      if (!availability)
        return intents.finish(
          id,
          'REFUSED',
          [],
          `Partner Center sells no ${line.productId} ${line.skuId} in this way.`,
        );
      const { lineNumber, quantity, termDuration, billingCycle } = line;
      lines.push({ id: lineNumber, catalogItemId: availability.catalogItemId, quantity, termDuration, billingCycle });
    }
    ({ requestId } = await intents.beginCall(id));
    const cart = await purchases.createCart(idsOf(request, requestId, signal), lines);
    const wrong = cart.lineItems.find(({ error }) => error)?.error;
    if (wrong) {
      const reason = `Partner Center refused a line: ${wrong.errorDescription ?? ''} (${wrong.errorCode})`;
      return intents.finish(id, 'REFUSED', [], reason);
    }
    const kept = cart.lineItems.map(
      ({ id: lineNumber, catalogItemId, orderGroup }): IntentLine => ({
        lineNumber,
        catalogItemId,
        orderGroup: orderGroup ?? '',
        quantity: lines.find((line) => line.id === lineNumber)?.quantity ?? 0,
      }),
    );
    return intents.keepCart(id, cart.id, kept);
  } catch (error) {
    if (isMoved(error) && !intent.hasReread) return intents.startAgain(id);
    const reason = refusalOf(error);
    if (reason) return intents.finish(id, 'REFUSED', [], reason);
    if (requestId && isAnswered(error)) await intents.endCall(id, requestId);
    throw error;
  }
}

function isSoldFor(termDuration: string | null, terms: { duration?: string | null | undefined }[] | null | undefined) {
  const durations = (terms ?? []).map(({ duration }) => duration || null);
  return durations.length === 0 ? termDuration === null : durations.includes(termDuration);
}

/** Buys what is in the cart, or finds out what became of an earlier attempt to. */
async function checkOut(
  tools: UpstreamTools,
  request: PurchaseRequest,
  intent: Intent,
  signal: AbortSignal,
): Promise<Intent> {
  const { purchases, intents } = tools;
  const { id, cartId, lines } = intent;
  const sending = await intents.beginSending(id);
  const { requestId } = sending;
  try {
    const { orders, orderErrors } = await purchases.checkOut(idsOf(request, requestId, signal), cartId as string);
    await intents.endCall(id, requestId);
    const errors = orderErrors ?? [];
    const hasMoved = errors.length > 0 && errors.every(({ code }) => handlingOf(400, code) === 'moved');
    if ((orders ?? []).length === 0 && hasMoved && !intent.hasReread) return intents.startAgain(id);
    const known = assignRefusals(assignOrders(lines, orders ?? []), errors);
    if (known.every((line) => line.order || line.refused)) return finish(intents, id, known);
    const said = errors.map(({ code, description }) => `${code} ${description ?? ''}`).join('; ');
    throw new FateUnknown(`The checkout of the cart did not say what became of every line. ${said}`);
  } catch (error) {
    if (!(error instanceof PartnerCenterFailure)) throw error;
    if (isAnswered(error)) await intents.endCall(id, requestId);
    const wasSent = intent.firstSentAt !== null;
    const { handling } = error;
    if (handling === 'unknown') {
      await intents.markUnknown(id);
      // What gets no answer each time may have been done the first time.
      const bought = wasSent && (await lookFor(tools, request, sending, signal));
      if (bought) return bought;
      throw error;
    }
    // A clear answer says that nothing was done now, unless it comes after none, or says that something was.
    const mayBeNow = error.mayBeDone || (handling === 'done' && !wasSent);
    if (!mayBeNow) await intents.takeBack(id, intent);
    const sent = mayBeNow ? sending : intent;
    if (handling === 'done') {
      await intents.markUnknown(id);
      const bought = await lookFor(tools, request, { ...sent, firstSentAt: intent.requestedAt }, signal);
      if (bought) return bought;
      throw new FateUnknown('The cart was submitted, and its orders are in no list yet.');
    }
    const reason = refusalOf(error);
    if (!reason) throw error;
    // What was never sent before was not bought; what was may have been, whatever this answer says.
    if (wasSent || mayBeNow) {
      const bought = await lookFor(tools, request, sent, signal);
      if (bought) return bought;
      if ((sent.lastSentSecondsAgo ?? 0) < LISTS_BEHIND_SECONDS) {
        await intents.markUnknown(id);
        throw new FateUnknown(`It is in no list yet; the last answer was: ${error.message}`);
      }
    }
    if ((isMoved(error) || handling === 'missing') && !intent.hasReread) return intents.startAgain(id);
    return intents.finish(id, 'REFUSED', lines, reason);
  }
}

/** Looks for the orders of a cart in the customer's list. Null where not all of them are there yet. */
async function lookFor(
  { purchases, intents }: UpstreamTools,
  request: PurchaseRequest,
  { id, lines, requestedAt, firstSentAt, lastSentSecondsAgo }: Intent,
  signal: AbortSignal,
): Promise<Intent | null> {
  const claimed = await intents.claimedOrders(id);
  const since = new Date(firstSentAt ?? requestedAt).getTime() - CLOCK_SKEW_MS;
  const orders = (await purchases.orders({ customerId: request.tenantId, signal })).filter(
    (order) => !claimed.has(order.id) && order.creationDate.getTime() >= since,
  );
  const known = assignOrders(lines, orders);
  const isComplete = known.every(({ order }) => order);
  const isLate = (lastSentSecondsAgo ?? 0) >= LISTS_BEHIND_SECONDS;
  if (!isComplete && !(isLate && known.some(({ order }) => order))) return null;
  const refused = 'Partner Center has placed other lines of the purchase, and not this one.';
  return finish(
    intents,
    id,
    known.map((line) => (line.order ? line : { ...line, refused })),
  );
}

function finish(intents: Intents, id: string, lines: IntentLine[]): Promise<Intent> {
  const isRefused = lines.every(({ refused }) => refused);
  return intents.finish(id, isRefused ? 'REFUSED' : 'DONE', lines, (isRefused && lines[0]?.refused) || null);
}

const isMoved = (error: unknown) => error instanceof PartnerCenterFailure && error.handling === 'moved';

/** Whether the service itself has answered: then the next call has an id of its own. */
export const isAnswered = (error: unknown) => error instanceof PartnerCenterFailure && error.code !== null;
