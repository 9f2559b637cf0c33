import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Role } from '../../../src/auth/role.js';
import { toGlobalId } from '../../../src/domain/global-id.js';
import {
  CancellationConfirmationsDocument,
  CancellationQuoteDocument,
  CancelOrderDocument,
  CreateDownloadLinkDocument,
  InvoicesDocument,
  OrderDocument,
  RevealProductKeyDocument,
  SoftwareDocument,
  SubmitSupportRequestDocument,
} from '../../generated/graphql.js';
import { cancel, cancelled, confirming, quoteOf } from '../../support/cancelling.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, aPrice, aSkuOf, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';

describe(`cancelOrder, on ${engine}`, () => {
  let gateway: TestGateway;
  let clock: Date;
  let customer: TestCustomer;
  /** Fulfilment waits for it. */
  let gate: Promise<void> = Promise.resolve();
  let letGo = () => {};
  beforeAll(async () => {
    gateway = await startTestGateway({
      now: () => clock,
      provider: { purchase: null, cancel: () => gate.then(() => 'confirmed' as const) },
    });
    await stockShop(gateway);
  });
  beforeEach(async () => {
    clock = new Date('2026-07-15T10:00:00Z');
    customer = await aCustomer(gateway);
  });
  afterEach(() => letGo());
  afterAll(() => gateway.stop());

  const perpetual = (quantity = 1) => ({ ...skus.perpetual, quantity });
  const three = () => buy(gateway, customer, [perpetual(1), perpetual(2), perpetual(3)]);
  const holdFulfilment = () => {
    gate = new Promise((resolve) => {
      letGo = resolve;
    });
  };
  const look = async (order: { id: string }) => {
    const { data } = await gateway.run(OrderDocument, { id: order.id }, 'ADMIN_AGENT');
    if (!data.order) throw new Error('no order');
    return data.order;
  };
  const statuses = async (order: { id: string }) => {
    const { status, lines } = await look(order);
    return [status, ...lines.map((line) => line.status)];
  };
  const entries = async (order: { number: string }) => {
    const rows = await gateway.sql(
      'select action from activity_entries where order_id = (select id from orders where number = ?) order by action',
      [order.number],
    );
    return rows.map((row) => row['action']);
  };

  test.each([...Object.values(Role), 'anonymous' as const])(
    'rule 12: whether %s may quote and cancel',
    async (role) => {
      const order = await buy(gateway, customer, [perpetual()]);
      const as =
        role === 'anonymous' ? null : role === 'CUSTOMER_ADMIN' ? { token: await gateway.token(role, customer) } : role;
      const quote = await gateway.run(CancellationQuoteDocument, { orderId: order.id }, as);
      const input = { idempotencyKey: randomUUID(), orderId: order.id, acknowledged: true };
      const result = await gateway.run(CancelOrderDocument, { input }, as);
      if (role === 'ADMIN_AGENT') {
        expect(quote.data.cancellationQuote?.allowed).toBe(true);
        expect(result.data.cancelOrder?.__typename).toBe('CancelOrderSuccess');
      } else {
        const code = as ? 'FORBIDDEN' : 'UNAUTHENTICATED';
        expect([quote.data.cancellationQuote, result.data.cancelOrder]).toEqual([null, null]);
        expect([...(quote.errors ?? []), ...(result.errors ?? [])].map((error) => error.extensions.code)).toEqual([
          code,
          code,
        ]);
        expect(await statuses(order)).toEqual(['COMPLETED', 'ACTIVE']);
      }
    },
  );

  test('rule 12: without acknowledged: true nothing is cancelled, and the key stays free', async () => {
    const order = await buy(gateway, customer, [perpetual()]);
    const idempotencyKey = randomUUID();
    expect(await cancel(gateway, order, { acknowledged: false, idempotencyKey })).toMatchObject({
      __typename: 'AcknowledgementRequired',
      code: 'ACKNOWLEDGEMENT_REQUIRED',
    });
    expect(await statuses(order)).toEqual(['COMPLETED', 'ACTIVE']);
    expect((await cancel(gateway, order, { idempotencyKey })).__typename).toBe('CancelOrderSuccess');
  });

  test('rule 15: named lines are cancelled whole, the others stand; the order is CANCELLED once all its lines are', async () => {
    const order = await three();
    const first = await confirming(gateway, customer, () => cancelled(gateway, order, { lineNumbers: [0, 2] }));
    expect(first.cancellation).toMatchObject({
      credit: { amount: '54992.00' },
      lines: [{ orderLine: { lineNumber: 0 } }, { orderLine: { lineNumber: 2 }, credit: { amount: '41244.00' } }],
    });
    expect(await statuses(order)).toEqual(['COMPLETED', 'CANCELLED', 'ACTIVE', 'CANCELLED']);
    const rest = await confirming(gateway, customer, () => cancelled(gateway, order));
    expect(rest.cancellation.lines).toMatchObject([{ orderLine: { lineNumber: 1 }, credit: { amount: '27496.00' } }]);
    expect(await statuses(order)).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED', 'CANCELLED']);
    expect((await look(order)).cancellations).toHaveLength(2);
  });

  test('rule 15: part of a quantity cannot be asked for', async () => {
    const order = await buy(gateway, customer, [perpetual(5)]);
    for (const part of [{ quantity: 1 }, { lines: [{ lineNumber: 0, quantity: 1 }] }]) {
      const input = { idempotencyKey: randomUUID(), orderId: order.id, acknowledged: true, ...part };
      const { errors } = await gateway.run(String(CancelOrderDocument), { input }, 'ADMIN_AGENT');
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    }
  });

  test('rule 15: two lines cancelled apart and pending together are both confirmed, and then the order is CANCELLED', async () => {
    const order = await buy(gateway, customer, [perpetual(), perpetual()]);
    holdFulfilment();
    await cancelled(gateway, order, { lineNumbers: [0] });
    await cancelled(gateway, order, { lineNumbers: [1] });
    expect(await statuses(order)).toEqual(['COMPLETED', 'CANCELLATION_PENDING', 'CANCELLATION_PENDING']);
    const stream = await gateway.subscribe(
      CancellationConfirmationsDocument,
      { customerId: customer.id },
      'ADMIN_AGENT',
    );
    await stream.nextOf('FeedCaughtUp');
    letGo();
    await stream.nextOf('CancellationConfirmed');
    await stream.nextOf('CancellationConfirmed');
    await stream.end();
    expect(await statuses(order)).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED']);
  });

  test('rules 17 and 18: at once it is pending and gives no key and no link; confirmed, keys, links and credit change together', async () => {
    const order = await buy(gateway, customer, [perpetual(2)]);
    const own = async () =>
      (await gateway.run(SoftwareDocument, { filter: { customerId: customer.id } }, 'ADMIN_AGENT')).data.software
        ?.nodes[0];
    const software = await own();
    const version = software?.sku.softwareVersions[0];
    if (!software || !version) throw new Error('no software');
    const reveal = { input: { entitlementId: software.id, version: version.version } };
    await gateway.run(RevealProductKeyDocument, reveal, 'ADMIN_AGENT');
    const choice = { language: version.languages[0] as string, architecture: version.architectures[0] as string };
    const linked = await gateway.run(
      CreateDownloadLinkDocument,
      { input: { ...reveal.input, ...choice } },
      'ADMIN_AGENT',
    );
    const made = linked.data.createDownloadLink;
    if (made?.__typename !== 'CreateDownloadLinkSuccess') throw new Error(JSON.stringify(linked));
    const state = async () => {
      const keys = await gateway.sql(
        'select 1 from product_keys k join entitlements e on e.id = k.entitlement_id where e.customer_id = ?',
        [customer.rowId],
      );
      const invoices = await gateway.run(InvoicesDocument, { filter: { customerId: customer.id } }, 'BILLING_ADMIN');
      return {
        order: await statuses(order),
        cancellation: (await look(order)).cancellations.map(({ status, confirmedAt }) => [status, confirmedAt]),
        entitlement: (await own())?.status,
        keys: keys.length,
        download: (await fetch(made.downloadLink.url)).status,
        ledger: invoices.data.invoices?.nodes[0]?.lines.map((line) => line.amount.amount),
      };
    };

    holdFulfilment();
    const { cancellation } = await cancelled(gateway, order, { reason: 'Not needed' });
    expect(cancellation).toMatchObject({ status: 'PENDING', requestedBy: 'agent.anna@partner.example' });
    expect(await state()).toEqual({
      order: ['COMPLETED', 'CANCELLATION_PENDING'],
      cancellation: [['PENDING', null]],
      entitlement: 'ACTIVE',
      keys: 1,
      download: 410,
      ledger: ['27496.00'],
    });
    expect((await gateway.run(RevealProductKeyDocument, reveal, 'ADMIN_AGENT')).data.revealProductKey).toMatchObject({
      code: 'ENTITLEMENT_PENDING',
    });
    expect(await (await fetch(made.downloadLink.url)).json()).toMatchObject({ code: 'CANCELLATION_PENDING' });
    expect(await entries(order)).not.toContain('CANCELLATION_CONFIRMED');
    clock = new Date('2026-07-15T10:00:02Z');
    await confirming(gateway, customer, async () => letGo());
    expect(await state()).toEqual({
      order: ['CANCELLED', 'CANCELLED'],
      cancellation: [['CONFIRMED', '2026-07-15T10:00:02.000Z']],
      entitlement: 'REVOKED',
      keys: 0,
      download: 410,
      ledger: ['27496.00', '-27496.00'],
    });
    expect(await own()).toMatchObject({ id: software.id, quantity: 2, revokedAt: '2026-07-15T10:00:02.000Z' });
    const again = await gateway.run(RevealProductKeyDocument, reveal, 'ADMIN_AGENT');
    expect(again.data.revealProductKey?.__typename).toBe('EntitlementRevoked');
    expect(await entries(order)).toEqual([
      'CANCELLATION_CONFIRMED',
      'CANCELLATION_REQUESTED',
      'DOWNLOAD_LINK_CREATED',
      'ORDER_CONFIRMED',
      'ORDER_PLACED',
      'PRODUCT_KEY_REVEALED',
    ]);
  });

  test('rule 19: six sessions at once, with quotes and without: one cancellation, one credit, one confirmation', async () => {
    const order = await buy(gateway, customer, [perpetual(2), perpetual(1)]);
    const { quoteToken } = await quoteOf(gateway, order);
    const sessions = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => ({
        as: { token: await gateway.token('ADMIN_AGENT', { user: `agent${index}@partner.example` }) },
        input: index % 2 === 0 ? { quoteToken } : index === 1 ? { lineNumbers: [1, 0] } : {},
      })),
    );
    const results = await confirming(gateway, customer, () =>
      Promise.all(sessions.map(({ input, as }) => cancel(gateway, order, input, as))),
    );
    const names = results.map((result) => result.__typename);
    expect(names.filter((name) => name === 'CancelOrderSuccess')).toHaveLength(1);
    for (const name of names) expect(['CancelOrderSuccess', 'CancellationPending', 'AlreadyCancelled']).toContain(name);
    expect((await look(order)).cancellations).toMatchObject([{ status: 'CONFIRMED', credit: { amount: '41244.00' } }]);
    expect(await entries(order)).toEqual([
      'CANCELLATION_CONFIRMED',
      'CANCELLATION_REQUESTED',
      'ORDER_CONFIRMED',
      'ORDER_PLACED',
    ]);
    const credits = await gateway.sql(
      `select amount from invoice_lines l join invoices i on i.id = l.invoice_id where i.customer_id = ? and l.kind = 'CREDIT' order by amount`,
      [customer.rowId],
    );
    expect(credits).toEqual([{ amount: '-27496.00' }, { amount: '-13748.00' }]);
  });

  test('rule 19: sessions whose lines overlap: each line is cancelled once', async () => {
    const order = await three();
    const results = await confirming(gateway, customer, () =>
      Promise.all(
        [
          [0, 1],
          [1, 2],
          [2, 0],
        ].map((lineNumbers) => cancel(gateway, order, { lineNumbers })),
      ),
    );
    expect(results.filter((result) => result.__typename === 'CancelOrderSuccess')).toHaveLength(1);
    const [, ...lines] = await statuses(order);
    expect(lines.toSorted()).toEqual(['ACTIVE', 'CANCELLED', 'CANCELLED']);
  });

  test('rule 20: each refusal is a problem with its code, the same in cancellationQuote and cancelOrder', async () => {
    const plan = await aSkuOf(gateway, 'LINUX_PLAN');
    await aPrice(gateway, plan, '9.00', { from: '2020-02-02T00:00:00Z' });
    const order = await buy(gateway, customer, [
      perpetual(),
      perpetual(),
      perpetual(),
      { ...plan, quantity: 1 },
      { ...skus.reservation, quantity: 1 },
    ]);
    const both = async (...lineNumbers: number[]) => {
      const { problem } = await quoteOf(gateway, order, lineNumbers);
      const refused = await cancel(gateway, order, { lineNumbers });
      expect(refused).toMatchObject(problem as object);
      return refused;
    };
    await confirming(gateway, customer, () => cancelled(gateway, order, { lineNumbers: [0] }));
    holdFulfilment();
    await cancelled(gateway, order, { lineNumbers: [1] });
    expect(await both(0)).toMatchObject({ __typename: 'AlreadyCancelled', code: 'ALREADY_CANCELLED' });
    expect(await both(1)).toMatchObject({ __typename: 'CancellationPending', code: 'CANCELLATION_PENDING' });
    expect(await both(3)).toMatchObject({ __typename: 'ProductNotCancellable', code: 'PRODUCT_NOT_CANCELLABLE' });
    expect(await both(2, 4)).toMatchObject({ __typename: 'SupportRequestRequired', lineNumbers: [4] });
    expect(await both(5)).toMatchObject({ __typename: 'OrderLineNotFound', code: 'ORDER_LINE_NOT_FOUND' });
    const { quoteToken } = await quoteOf(gateway, order, [2]);
    clock = new Date('2026-08-15T00:00:00Z');
    expect(await both(2)).toMatchObject({
      __typename: 'CancellationWindowClosed',
      closedAt: '2026-08-14T23:59:00.000Z',
    });
    expect(await cancel(gateway, order, { lineNumbers: [2], quoteToken })).toMatchObject({ code: 'QUOTE_EXPIRED' });
    const missing = { id: toGlobalId('Order', randomUUID()) };
    expect(await cancel(gateway, missing)).toMatchObject({ __typename: 'OrderNotFound', code: 'ORDER_NOT_FOUND' });
  });

  test('rule 20: an order cancelled already, and one being cancelled, say so when cancelled whole', async () => {
    const order = await buy(gateway, customer, [perpetual(), perpetual()]);
    holdFulfilment();
    await cancelled(gateway, order, { lineNumbers: [0] });
    expect((await cancel(gateway, order)).__typename).toBe('CancellationPending');
    await confirming(gateway, customer, async () => letGo());
    await confirming(gateway, customer, () => cancelled(gateway, order));
    expect((await cancel(gateway, order)).__typename).toBe('AlreadyCancelled');
    expect((await quoteOf(gateway, order)).problem).toMatchObject({ code: 'ALREADY_CANCELLED' });
  });

  test('rules 20 and 25: a reservation is cancelled by support; the draft is about its lines alone and can be submitted', async () => {
    const order = await buy(gateway, customer, [perpetual(), { ...skus.reservation, quantity: 1 }]);
    const refused = await cancel(gateway, order);
    if (refused.__typename !== 'SupportRequestRequired') throw new Error(JSON.stringify(refused));
    expect(refused).toMatchObject({ code: 'SUPPORT_REQUEST_REQUIRED', lineNumbers: [1] });
    const { draft } = refused;
    for (const part of [customer.tenantId, customer.domain, order.number]) expect(draft.description).toContain(part);
    expect(draft.description).toContain('1 ');
    expect(draft.description).not.toContain('SQL Server');
    const { data, errors } = await gateway.run(
      SubmitSupportRequestDocument,
      {
        input: {
          idempotencyKey: randomUUID(),
          customerId: customer.id,
          orderId: order.id,
          impact: 'MODERATE',
          contact: { name: 'Anna', email: 'anna@partner.example', phone: '+39 02 1234567' },
          ...draft,
        },
      },
      'ADMIN_AGENT',
    );
    expect(errors).toBeUndefined();
    expect(data.submitSupportRequest?.__typename).toBe('SubmitSupportRequestSuccess');
    expect((await cancelled(gateway, order, { lineNumbers: [0] })).cancellation.credit).toMatchObject({
      amount: '13748.00',
    });
  });
});
