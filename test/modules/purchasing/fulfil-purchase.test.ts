import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FulfilmentAnswer, PurchaseRequest } from '../../../src/modules/fulfilling/provider.js';
import {
  ActivityFeedDocument,
  InvoicesDocument,
  OrderDocument,
  PurchaseDocument,
  SoftwareDocument,
} from '../../generated/graphql.js';
import { cancel, quoteOf } from '../../support/cancelling.js';
import { engine } from '../../support/database.js';
import { type Caller, startTestGateway, type TestGateway, testJobs } from '../../support/gateway.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';
import { keyOf, reveal } from '../../support/software.js';
import { until } from '../../support/until.js';

/** Purchases that wait for a provider, which answers when it is told to. */
describe(`purchases that a provider answers, on ${engine}`, () => {
  let gateway: TestGateway;
  const asked = new Map<string, { request: PurchaseRequest; answer: (answer: FulfilmentAnswer) => void }>();
  const cancelled = new Map<string, (answer: FulfilmentAnswer) => void>();
  beforeAll(async () => {
    gateway = await startTestGateway({
      provider: {
        purchase: (request) => new Promise((answer) => void asked.set(request.orderNumber, { request, answer })),
        cancel: (request) => new Promise((answer) => void cancelled.set(request.orderNumber, answer)),
      },
      // Nobody is asked a second time while a test has not answered yet, however busy the machine is.
      config: { jobs: { ...testJobs, timeLimitMs: 600_000 } },
    });
    await stockShop(gateway);
  });
  afterAll(() => gateway.stop());

  const lines = [
    { ...skus.perpetual, quantity: 2 },
    { ...skus.subscription, quantity: 1 },
  ];
  const look = async (order: { id: string }) =>
    (await gateway.run(OrderDocument, { id: order.id }, 'ADMIN_AGENT')).data.order;
  const books = async (customer: TestCustomer) => {
    const { data } = await gateway.run(InvoicesDocument, { filter: { customerId: customer.id } }, 'BILLING_ADMIN');
    const [sold] = await gateway.sql<{ gross: string | null }>(
      `select sum(gross)::text as gross from (select gross from sales_deltas where customer_id = ?
        union all select gross from sales_by_customer where customer_id = ? and span = 'YEAR') as sold`,
      [customer.rowId, customer.rowId],
    );
    return {
      charges: data.invoices?.nodes.flatMap((invoice) => invoice.lines.map((line) => line.amount.amount)),
      sold: sold?.gross ?? null,
    };
  };
  const owned = async (customer: TestCustomer) =>
    (await gateway.run(SoftwareDocument, { filter: { customerId: customer.id } }, 'ADMIN_AGENT')).data.software
      ?.nodes ?? [];
  /** Has the provider answer, and waits for the entry of it. */
  const answered = async (customer: TestCustomer, order: { number: string }, answer: FulfilmentAnswer) => {
    const stream = await gateway.subscribe(ActivityFeedDocument, {
      filter: { customerId: customer.id, actions: ['ORDER_CONFIRMED', 'ORDER_REFUSED'] },
    });
    await stream.nextOf('FeedCaughtUp');
    await until('the provider is asked', async () => asked.has(order.number));
    asked.get(order.number)?.answer(answer);
    const { entry } = await stream.nextOf('ActivityRecorded');
    await stream.end();
    return entry;
  };
  const placed = async () => {
    const customer = await aCustomer(gateway);
    const order = await buy(gateway, customer, lines);
    const [first] = await owned(customer);
    const version = first?.sku.softwareVersions[0];
    const software = {
      customer,
      order,
      entitlementId: first?.id ?? '',
      versions: [],
      choice: { version: version?.version ?? '', language: '', architecture: '' },
    };
    return { customer, order, software };
  };

  test('rule 4: until the provider has answered all of it waits: nothing is charged, sold, usable or cancellable', async () => {
    const { customer, order, software } = await placed();
    expect(await look(order)).toMatchObject({
      status: 'PENDING',
      refusalReason: null,
      lines: [{ status: 'PENDING', entitlement: { status: 'PENDING' }, isCancellable: false }, { status: 'PENDING' }],
    });
    expect(await books(customer)).toEqual({ charges: [], sold: null });
    expect(
      (await reveal(gateway, software.entitlementId, software.choice.version)).data.revealProductKey,
    ).toMatchObject({ code: 'ENTITLEMENT_PENDING' });
    expect(await cancel(gateway, order)).toMatchObject({ __typename: 'OrderPending', code: 'ORDER_PENDING' });
    expect(await quoteOf(gateway, order)).toMatchObject({ allowed: false, problem: { code: 'ORDER_PENDING' } });
    expect(await answered(customer, order, 'confirmed')).toMatchObject({
      action: 'ORDER_CONFIRMED',
      outcome: 'SUCCEEDED',
      actor: { userPrincipalName: 'agent.anna@partner.example', application: 'fulfilment' },
      detail: { orderNumber: order.number, lineCount: 2 },
    });
    expect(asked.get(order.number)?.request).toEqual({
      orderId: expect.any(String),
      orderNumber: order.number,
      tenantId: customer.tenantId,
      lines: [
        { lineNumber: 0, ...lines[0], termDuration: null, billingCycle: 'one_time' },
        { lineNumber: 1, ...lines[1], termDuration: 'P3Y', billingCycle: 'triennial' },
      ],
    });
    expect(await look(order)).toMatchObject({
      status: 'COMPLETED',
      lines: [{ status: 'ACTIVE', entitlement: { status: 'ACTIVE' }, isCancellable: true }, { status: 'ACTIVE' }],
    });
    expect(await books(customer)).toEqual({ charges: ['27496.00', '16302.00'], sold: '43798.00' });
    expect(await keyOf(gateway, software)).toEqual(expect.any(String));
  });

  test('rule 4: what the provider refuses was never charged or sold; those who asked read why, and it is final', async () => {
    const { customer, order, software } = await placed();
    expect(await answered(customer, order, { refused: 'The tenant has no agreement' })).toMatchObject({
      action: 'ORDER_REFUSED',
      outcome: 'FAILED',
      detail: { orderNumber: order.number, problem: 'The tenant has no agreement' },
    });
    expect(await look(order)).toMatchObject({
      status: 'REFUSED',
      refusalReason: 'The tenant has no agreement',
      lines: [{ status: 'REFUSED', entitlement: { status: 'REVOKED' }, isCancellable: false }, { status: 'REFUSED' }],
    });
    expect(await books(customer)).toEqual({ charges: [], sold: null });
    expect(
      (await reveal(gateway, software.entitlementId, software.choice.version)).data.revealProductKey,
    ).toMatchObject({ code: 'ENTITLEMENT_REVOKED' });
    expect(await cancel(gateway, order)).toMatchObject({ __typename: 'OrderRefused', code: 'ORDER_REFUSED' });
  });

  test('rule 5: the same key answers the order as it is by then, and asks the provider for nothing', async () => {
    const customer = await aCustomer(gateway);
    const input = { idempotencyKey: randomUUID(), customerId: customer.id, lines };
    const ask = async () => {
      const { data } = await gateway.run(PurchaseDocument, { input }, 'ADMIN_AGENT');
      if (data.purchase?.__typename !== 'PurchaseSuccess') throw new Error(JSON.stringify(data));
      return data.purchase.order;
    };
    const order = await ask();
    expect(order.status).toBe('PENDING');
    expect(await answered(customer, order, 'confirmed')).toMatchObject({ action: 'ORDER_CONFIRMED' });
    const before = asked.size;
    expect(await ask()).toMatchObject({ id: order.id, status: 'COMPLETED' });
    expect(asked.size).toBe(before);
  });

  test('rule 4: who asked for many purchases or cancellations has one done in turn with what others ask', async () => {
    const [many, other] = await Promise.all(
      ['many', 'other'].map(async (user) => ({
        token: await gateway.token('ADMIN_AGENT', { user: `${user}@partner.example` }),
      })),
    );
    const customer = await aCustomer(gateway);
    const purchase = async (as: Caller | undefined) => {
      const input = {
        idempotencyKey: randomUUID(),
        customerId: customer.id,
        lines: [{ ...skus.perpetual, quantity: 1 }],
      };
      const { data } = await gateway.run(PurchaseDocument, { input }, as);
      if (data.purchase?.__typename !== 'PurchaseSuccess') throw new Error(JSON.stringify(data));
      return data.purchase.order;
    };
    const { atOnce } = testJobs;
    /** How many of those who wait are answered before the other's is asked for; the provider has as many as may be. */
    const answeredBefore = async (asks: () => [string, () => void][], last: { number: string }): Promise<number> => {
      let done = 0;
      for (; !asks().some(([number]) => number === last.number); done += 1) {
        const before = asks().length;
        asks()[done]?.[1]();
        await until('the provider is asked for the next', () => asks().length > before);
      }
      for (const [, answer] of asks().slice(done)) answer();
      return done;
    };

    const earlier = asked.size;
    const orders: { id: string }[] = [];
    for (let index = 0; index < 3 * atOnce; index += 1) orders.push(await purchase(many));
    await until('the provider has as many purchases as may be', () => asked.size === earlier + atOnce);
    const orderOfOther = await purchase(other);
    const purchases = () =>
      [...asked]
        .slice(earlier)
        .map(([number, { answer }]): [string, () => void] => [number, () => answer('confirmed')]);
    expect(await answeredBefore(purchases, orderOfOther)).toBeLessThan(atOnce);
    await until('all purchases are confirmed', async () => {
      for (const [, answer] of purchases()) answer();
      return (await look(orders.at(-1) as (typeof orders)[number]))?.status === 'COMPLETED';
    });

    for (const order of orders) await cancel(gateway, order, {}, many);
    await until('the provider has as many cancellations as may be', () => cancelled.size === atOnce);
    await cancel(gateway, orderOfOther, {}, other);
    const cancellations = () =>
      [...cancelled].map(([number, answer]): [string, () => void] => [number, () => answer('confirmed')]);
    expect(await answeredBefore(cancellations, orderOfOther)).toBeLessThan(atOnce);
  });
});
