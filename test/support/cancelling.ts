import { randomUUID } from 'node:crypto';
import { toGlobalId } from '../../src/domain/global-id.js';
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

/**
 * Does something, and waits until a cancellation of the customer's is confirmed that was not before. An earlier one may
 * still come on the stream: what it shows waits for every transaction that is older, of whichever database.
 */
export async function confirming<Result>(
  gateway: TestGateway,
  customer: TestCustomer,
  act: () => Promise<Result>,
): Promise<Result> {
  const stream = await gateway.subscribe(CancellationConfirmationsDocument, { customerId: customer.id }, 'ADMIN_AGENT');
  await stream.nextOf('FeedCaughtUp');
  const known = await gateway.sql<{ id: string }>(
    `select id from cancellations where customer_id = ? and status = 'CONFIRMED'`,
    [customer.rowId],
  );
  const before = new Set(known.map(({ id }) => toGlobalId('Cancellation', id)));
  const result = await act();
  for (;;) {
    const { cancellation } = await stream.nextOf('CancellationConfirmed');
    if (!before.has(cancellation.id)) break;
  }
  await stream.end();
  return result;
}
