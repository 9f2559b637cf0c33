import { randomUUID } from 'node:crypto';
import {
  CancellationConfirmationsDocument,
  CancellationQuoteDocument,
  CancelOrderDocument,
} from '../generated/graphql.js';
import type { Caller, TestGateway } from './gateway.js';
import type { TestCustomer } from './shop.js';

/** The quote for cancelling lines of an order, all of them where none are named. */
export async function quoteOf(gateway: TestGateway, order: { id: string }, lineNumbers?: number[]) {
  const { data, errors } = await gateway.run(
    CancellationQuoteDocument,
    { orderId: order.id, lineNumbers: lineNumbers ?? null },
    'ADMIN_AGENT',
  );
  if (errors || !data.cancellationQuote) throw new Error(JSON.stringify({ data, errors }));
  return data.cancellationQuote;
}

/** Sends `cancelOrder`, acknowledged and with a key of its own unless said otherwise. */
export async function cancel(
  gateway: TestGateway,
  order: { id: string },
  input: {
    lineNumbers?: number[];
    quoteToken?: string | null;
    acknowledged?: boolean;
    reason?: string;
    idempotencyKey?: string;
  } = {},
  as: Caller = 'ADMIN_AGENT',
) {
  const { data, errors } = await gateway.run(
    CancelOrderDocument,
    { input: { idempotencyKey: randomUUID(), orderId: order.id, acknowledged: true, ...input } },
    as,
  );
  if (errors || !data.cancelOrder) throw new Error(JSON.stringify({ data, errors }));
  return data.cancelOrder;
}

/** What `cancelOrder` gave where it succeeded. Fails where it was refused. */
export async function cancelled(...args: Parameters<typeof cancel>) {
  const result = await cancel(...args);
  if (result.__typename !== 'CancelOrderSuccess') throw new Error(JSON.stringify(result));
  return result;
}

/** Does a deed, and waits until a cancellation of the customer's is confirmed. */
export async function confirming<Result>(
  gateway: TestGateway,
  customer: TestCustomer,
  deed: () => Promise<Result>,
): Promise<Result> {
  const stream = await gateway.subscribe(CancellationConfirmationsDocument, { customerId: customer.id }, 'ADMIN_AGENT');
  await stream.nextOf('FeedCaughtUp');
  const result = await deed();
  await stream.nextOf('CancellationConfirmed');
  await stream.end();
  return result;
}
