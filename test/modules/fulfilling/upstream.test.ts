import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Intents } from '../../../src/modules/fulfilling/intents.js';
import { OrderDocument, PurchaseDocument } from '../../generated/graphql.js';
import { cancel } from '../../support/cancelling.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway, testJobs } from '../../support/gateway.js';
import type { Fault, Strike } from '../../support/partner-center/faults.js';
import { availabilityOf } from '../../support/partner-center/seed.js';
import { settingsFor } from '../../support/partner-center/settings.js';
import { type Simulator, startSimulator } from '../../support/partner-center/simulator.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';
import { until } from '../../support/until.js';

const MINUTE_MS = 60_000;

/** Purchases and cancellations that are carried out in Partner Center, simulated. */
describe(`orders in Partner Center, on ${engine}`, () => {
  let gateway: TestGateway;
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator({ retryAfterSeconds: 0, callsPerMinute: 0 });
    const sold = { billingCycle: 'one_time', maximumQuantity: 10_000 };
    simulator.world.state.products = [
      { ...skus.perpetual, title: 'Perpetual', soldAs: 'perpetual', termDuration: '', unitPrice: '13748', ...sold },
      {
        ...skus.subscription,
        title: 'Term',
        soldAs: 'software-subscription',
        termDuration: 'P3Y',
        unitPrice: '16302',
        ...sold,
      },
    ].map((product) => ({
      ...product,
      availabilityId: availabilityOf(product, 0),
    })) as typeof simulator.world.state.products;
    const partnerCenter = settingsFor(simulator, { callsPerMinute: 100_000, timeoutMs: 400 });
    gateway = await startTestGateway({ config: { partnerCenter, jobs: { ...testJobs, retryDelayMs: 0 } } });
    await stockShop(gateway);
  });
  afterAll(async () => {
    await gateway.stop();
    await simulator.close();
  });
  afterEach(() => simulator.world.faults.switchOff());

  const fault = (name: Fault, strike: Strike = {}) => simulator.world.faults.switchOn(name, strike);
  const { perpetual, subscription } = skus;
  /** A customer who is one of Partner Center's too. */
  const customerOfBoth = async (): Promise<TestCustomer> => {
    const customer = await aCustomer(gateway);
    const { tenantId: id, domain } = customer;
    const rest = { commerceId: id, companyName: domain, country: 'US', email: `a@${domain}`, billingEtag: 'e' };
    simulator.world.state.customers.push({ id, domain, relationshipToPartner: 'reseller', ...rest });
    return customer;
  };
  const look = async ({ id }: { id: string }) => (await gateway.run(OrderDocument, { id }, 'ADMIN_AGENT')).data.order;
  const ended = async (order: { id: string; number: string }, status = 'COMPLETED') => {
    const waits = status === 'CANCELLED' ? ['PENDING', 'COMPLETED'] : ['PENDING'];
    await until(`${order.number} is ${status}`, async () => !waits.includes(String((await look(order))?.status)));
    const found = await look(order);
    expect([found?.status, found?.refusalReason]).toEqual([status, status === 'REFUSED' ? expect.any(String) : null]);
    return found;
  };
  /** Orders that Partner Center has for a customer, with the quantities of their lines. */
  const there = ({ tenantId }: TestCustomer) =>
    simulator.world.state.orders.filter(({ customerId }) => customerId === tenantId);
  const cartsOf = ({ tenantId }: TestCustomer) =>
    Object.values(simulator.world.state.carts).filter(({ customerId }) => customerId === tenantId);
  const intentOf = async ({ id }: { id: string }) =>
    (await gateway.sql('select * from upstream_intents where id = ?', [id.slice(4)]))[0] as Record<string, unknown>;
  const actionsOf = async ({ id }: { id: string }) =>
    (
      await gateway.sql<{ action: string }>(
        `select action from activity_entries where order_id = ? order by xid, seq`,
        [id.slice(4)],
      )
    ).map(({ action }) => action);
  const two = [
    { ...perpetual, quantity: 2 },
    { ...subscription, quantity: 1 },
  ];

  test('a purchase goes out as one cart and comes back; cancelled lines are cancelled there too', async () => {
    const customer = await customerOfBoth();
    const placed = await buy(gateway, customer, two);
    expect(placed.status).toBe('PENDING');
    await ended(placed);
    expect(cartsOf(customer)).toHaveLength(1);
    expect(
      there(customer)
        .flatMap(({ lines }) => lines.map(({ quantity }) => quantity))
        .sort(),
    ).toEqual([1, 2]);
    expect(await intentOf(placed)).toMatchObject({ state: 'DONE', problem: null, cart_id: cartsOf(customer)[0]?.id });
    await cancel(gateway, placed, { lineNumbers: [0] });
    await until('the line is cancelled', async () => (await look(placed))?.lines[0]?.status === 'CANCELLED');
    const cancelled = there(customer).flatMap(({ lines }) => lines.filter(({ cancelledMs }) => cancelledMs));
    expect(cancelled.map(({ skuId }) => skuId)).toEqual([perpetual.skuId]);
    await cancel(gateway, placed);
    await ended(placed, 'CANCELLED');
    expect(await actionsOf(placed)).toEqual(
      [
        'ORDER_PLACED',
        'ORDER_CONFIRMED',
        ...Array(2).fill(['CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED']),
      ].flat(),
    );
  });

  test('an intent is written in the transaction of the purchase: with an order that is not there, there is none', async () => {
    const customer = await customerOfBoth();
    const [{ count: before } = { count: -1 }] = await gateway.sql<{ count: number }>(
      'select count(*)::int from upstream_intents',
    );
    const lines = [{ ...perpetual, skuId: '9999', quantity: 1 }];
    const input = { idempotencyKey: randomUUID(), customerId: customer.id, lines };
    const { data } = await gateway.run(PurchaseDocument, { input }, 'ADMIN_AGENT');
    expect(data.purchase?.__typename).toBe('SkuNotFound');
    expect(await gateway.sql('select count(*)::int from upstream_intents')).toEqual([{ count: before }]);
  });

  test.each<[string, [Fault, Strike][]]>([
    ['the line is cut after the checkout', [['cutAfterWrite', { times: 3, at: 'checkout' }]]],
    ['the checkout hangs after it was done', [['hangAfterWrite', { times: 3, at: 'checkout' }]]],
    ['the checkout hangs before it was done', [['hangBeforeWrite', { times: 3, at: 'checkout' }]]],
    ['the line is cut after the cart', [['cutAfterWrite', { times: 3, at: '/carts' }]]],
    [
      'everything is busy for a while',
      [
        ['tooManyRequests', { times: 9, at: '/v1/' }],
        ['unavailable', { times: 3, at: '/v1/' }],
      ],
    ],
    [
      'something in between answers',
      [
        ['htmlBody', { times: 1, at: '/v1/' }],
        ['emptyBody', { times: 1, at: '/v1/' }],
      ],
    ],
    ['something in between refuses the checkout, in HTML', [['frontRefuses', { times: 3, at: 'checkout' }]]],
    ['the checkout fails by its own fault, and says so', [['ownFault', { times: 2 }]]],
    ['the service is unavailable for the checkout', [['unavailable', { times: 3, at: 'checkout' }]]],
    ['the availability is replaced once it was read', [['availabilityMoved', { times: 1 }]]],
    ['a token is refused', [['accessTokenRefused', { times: 1 }]]],
    ['the cart becomes two orders', [['splitCart', { times: 1 }]]],
    [
      'the cut checkout is repeated under an id that was forgotten',
      [
        ['cutAfterWrite', { times: 1, at: 'checkout' }],
        ['requestIdsForgotten', {}],
      ],
    ],
  ])('%s: it is bought once', async (_what, faults) => {
    const customer = await customerOfBoth();
    for (const [name, strike] of faults) fault(name, strike);
    const placed = await buy(gateway, customer, two);
    await ended(placed);
    expect(
      there(customer)
        .flatMap(({ lines }) => lines)
        .map(({ quantity }) => quantity)
        .sort(),
    ).toEqual([1, 2]);
    expect(new Set(there(customer).map(({ cartId }) => cartId)).size).toBe(1);
  });

  test('800065: the order is looked for until it is in the list, and no other cart is made', async () => {
    const customer = await customerOfBoth();
    fault('cutAfterWrite', { times: 2, at: 'checkout' });
    fault('requestIdsForgotten');
    fault('cartAlreadySubmitted');
    const placed = await buy(gateway, customer, two);
    await until('its fate is unknown', async () =>
      String((await intentOf(placed))['problem']).includes('in no list yet'),
    );
    expect(await intentOf(placed)).toMatchObject({ state: 'UNKNOWN' });
    expect(await look(placed)).toMatchObject({ status: 'PENDING' });
    simulator.world.advance(16 * MINUTE_MS);
    await ended(placed);
    expect([there(customer).length, cartsOf(customer).length]).toEqual([2, 1]);
  });

  test('a checkout that got no answer, and is refused when it comes again, is looked for: what it bought is bought', async () => {
    const customer = await customerOfBoth();
    fault('cutAfterWrite', { times: 1, at: 'checkout' });
    fault('requestIdsForgotten');
    fault('refusedAfterwards');
    const placed = await buy(gateway, customer, two);
    await until('it is looked for', async () => String((await intentOf(placed))['problem']).includes('900119'));
    expect(await intentOf(placed)).toMatchObject({ state: 'UNKNOWN' });
    expect(await look(placed)).toMatchObject({ status: 'PENDING' });
    simulator.world.advance(16 * MINUTE_MS);
    await ended(placed);
    expect([there(customer).length, cartsOf(customer).length]).toEqual([2, 1]);
  });

  test('800065: what somebody bought before is not taken for it, however alike it is', async () => {
    const customer = await customerOfBoth();
    const one = [{ ...perpetual, quantity: 2 }];
    await ended(await buy(gateway, customer, one));
    const [mine] = there(customer) as unknown as [{ id: string; createdMs: number }];
    const { world } = simulator;
    const elsewhere = { ...mine, id: 'boughtInThePortalAnHourBefore0001', createdMs: mine.createdMs - 60 * MINUTE_MS };
    world.state.orders.push(elsewhere as (typeof world.state.orders)[number]);
    fault('cutAfterWrite', { times: 1, at: 'checkout' });
    fault('requestIdsForgotten');
    fault('cartAlreadySubmitted');
    const placed = await buy(gateway, customer, one);
    await until('its fate is unknown', async () =>
      String((await intentOf(placed))['problem']).includes('in no list yet'),
    );
    world.advance(16 * MINUTE_MS);
    await ended(placed);
    const [line] = (await intentOf(placed))['lines'] as { order: { id: string } }[];
    expect([elsewhere.id, mine.id]).not.toContain(line?.order.id);
  });

  describe('a job that an operator gives up', () => {
    /** Gives it up once it is not being attempted. */
    const giveUp = async ({ id }: { id: string }, more = {}) => {
      const input = { jobId: `job_${id.slice(4)}`, reason: 'Not wanted any more', ...more };
      let answer: { code?: string; isDone?: boolean; __typename: string } = { __typename: '' };
      await until('it is not being attempted', async () => {
        const document = `mutation ($input: GiveUpJobInput!) { giveUpJob(input: $input) { __typename
          ... on Problem { code } ... on JobMayBeDone { isDone } } }`;
        answer = (await gateway.run(document, { input })).data.giveUpJob;
        return answer.code !== 'JOB_RUNNING';
      });
      return answer;
    };
    const unknown = { code: 'JOB_MAY_BE_DONE', isDone: false };

    test('stays while nobody knows whether it was done, and is looked for on', async () => {
      const customer = await customerOfBoth();
      fault('hangBeforeWrite', { at: 'checkout' });
      const placed = await buy(gateway, customer, two);
      await until('its fate is unknown', async () => (await intentOf(placed))['state'] === 'UNKNOWN');
      expect(await giveUp(placed)).toMatchObject(unknown);
      expect(await look(placed)).toMatchObject({ status: 'PENDING' });
      simulator.world.faults.switchOff();
      await ended(placed);
      expect(await actionsOf(placed)).toEqual(['ORDER_PLACED', 'ORDER_CONFIRMED']);
    });

    test('is refused once somebody has looked, and nothing is sent any more', async () => {
      const customer = await customerOfBoth();
      fault('hangBeforeWrite', { at: 'checkout' });
      const placed = await buy(gateway, customer, two);
      await until('its fate is unknown', async () => (await intentOf(placed))['state'] === 'UNKNOWN');
      expect(await giveUp(placed, { notDone: true })).toEqual({ __typename: 'GiveUpJobSuccess' });
      simulator.world.faults.switchOff();
      expect((await ended(placed, 'REFUSED'))?.refusalReason).toBe('Not wanted any more');
      expect(await intentOf(placed)).toMatchObject({ state: 'REFUSED', problem: 'Not wanted any more' });
      expect(await actionsOf(placed)).toEqual(['ORDER_PLACED', 'ORDER_REFUSED', 'JOB_GIVEN_UP']);
      const entry = `{ activity(first: 1, filter: { orderId: "${placed.id}", actions: [JOB_GIVEN_UP] }) { nodes { detail { ... on JobGivenUpDetail { reason isNotDone } } } } }`;
      expect((await gateway.run(entry)).data.activity.nodes).toEqual([
        { detail: { reason: 'Not wanted any more', isNotDone: true } },
      ]);
      // An attempt that is still under way somewhere, as in a process that was taken for dead.
      const intents = new Intents(gateway.gateway.services.kysely as never);
      await expect(intents.beginSending(placed.id.slice(4))).rejects.toThrow('come to an end');
      expect(there(customer)).toEqual([]);
    });

    test('is refused at once where nothing was sent yet', async () => {
      const customer = await customerOfBoth();
      fault('tooManyRequests', { at: '/v1/' });
      const placed = await buy(gateway, customer, two);
      await until('it was tried', async () => (await intentOf(placed))['problem'] !== null);
      expect(await giveUp(placed)).toEqual({ __typename: 'GiveUpJobSuccess' });
      simulator.world.faults.switchOff();
      await ended(placed, 'REFUSED');
      expect([there(customer), cartsOf(customer)]).toEqual([[], []]);
    });

    test('stays where it was done and is only not written down here, whatever anybody says', async () => {
      const customer = await customerOfBoth();
      await gateway.sql(
        `create function fail_for_test() returns trigger as $$ begin raise exception 'not now'; end; $$ language plpgsql`,
      );
      await gateway.sql(
        'create trigger fail_for_test before update on orders for each row execute function fail_for_test()',
      );
      try {
        const placed = await buy(gateway, customer, two);
        await until('it is bought', async () => (await intentOf(placed))['state'] === 'DONE');
        for (const more of [{}, { notDone: true }])
          expect(await giveUp(placed, more)).toMatchObject({ code: 'JOB_MAY_BE_DONE', isDone: true });
        await gateway.sql('drop trigger fail_for_test on orders');
        await ended(placed);
      } finally {
        await gateway.sql('drop function fail_for_test cascade');
      }
    });

    test('a cancellation likewise', async () => {
      const customer = await customerOfBoth();
      const placed = await buy(gateway, customer, two);
      await ended(placed);
      fault('hangBeforeWrite', { at: 'PATCH' });
      await cancel(gateway, placed);
      const [{ id } = { id: '' }] = await gateway.sql<{ id: string }>(
        'select id from cancellations where order_id = ?',
        [placed.id.slice(4)],
      );
      const cancellation = { id: `can_${id}` };
      await until('its fate is unknown', async () => (await intentOf(cancellation))['state'] === 'UNKNOWN');
      expect(await giveUp(cancellation)).toMatchObject(unknown);
      simulator.world.faults.switchOff();
      await ended(placed, 'CANCELLED');
    });
  });

  test('a cart that is gone, and whose checkout nobody answered, is replaced only once it is surely not bought', async () => {
    const customer = await customerOfBoth();
    fault('hangBeforeWrite', { times: 2, at: 'checkout' });
    const placed = await buy(gateway, customer, [{ ...perpetual, quantity: 1 }]);
    await until('nothing was answered', async () => (await intentOf(placed))['state'] === 'UNKNOWN');
    for (const { id } of cartsOf(customer)) delete simulator.world.state.carts[id];
    await until('it is looked for', async () => String((await intentOf(placed))['problem']).includes('in no list yet'));
    expect(cartsOf(customer)).toEqual([]);
    // Again where an attempt was under way, which writes back what it had read.
    await until('it is bought after all', async () => {
      const longAgo = `update upstream_intents set last_sent_at = now() - interval '21 minutes' where id = ? and state = 'UNKNOWN'`;
      await gateway.sql(longAgo, [placed.id.slice(4)]);
      return (await look(placed))?.status !== 'PENDING';
    });
    await ended(placed);
    expect([there(customer).length, cartsOf(customer).length]).toEqual([1, 1]);
  });

  test('one group of a cart fails: its lines are refused with the reason, the others are bought and charged', async () => {
    const customer = await customerOfBoth();
    fault('groupFails');
    const placed = await buy(gateway, customer, two);
    const found = await ended(placed);
    const states = found?.lines.map(({ status }) => status).sort();
    expect(states).toEqual(['ACTIVE', 'REFUSED']);
    expect(there(customer)).toHaveLength(1);
    expect(await actionsOf(placed)).toEqual(['ORDER_PLACED', 'ORDER_CONFIRMED', 'ORDER_REFUSED']);
    const [entry] = await gateway.sql<{ detail: { problem: string } }>(
      `select detail from activity_entries where order_id = ? and action = 'ORDER_REFUSED'`,
      [placed.id.slice(4)],
    );
    expect(entry?.detail.problem).toMatch(/^The customer may not buy in Partner Center yet.*credit limit.*\(900120\)$/);
    // What stands of it is cancelled whole.
    await cancel(gateway, placed);
    await ended(placed, 'CANCELLED');
  });

  test.each<[string, Fault | 'no relationship', RegExp]>([
    ['the checkout is refused as a whole', 'checkoutRefused', /^The customer may not buy .* limit .*\(900119\)$/],
    ['all of it fails', 'groupFails', /credit limit of the customer is reached. \(900120\)$/],
    ['a line of the cart is in error', 'lineError', /^Partner Center refused a line: .*\(10003\)$/],
    [
      'availabilities move each time',
      'availabilityMoved',
      /^The product is not for sale in Partner Center.*\(400019\)$/,
    ],
    ['there is no reseller relationship', 'no relationship', /^The partner may not do this .*\(20002\)$/],
  ])('%s: the purchase is refused in words, and nothing is bought', async (_what, name, words) => {
    const customer = await customerOfBoth();
    if (name !== 'no relationship') fault(name);
    else Object.assign(simulator.world.state.customers.at(-1) as object, { relationshipToPartner: 'none' });
    const placed = await buy(gateway, customer, [{ ...perpetual, quantity: 1 }]);
    expect((await ended(placed, 'REFUSED'))?.refusalReason).toMatch(words);
    expect(there(customer)).toEqual([]);
    expect(await intentOf(placed)).toMatchObject({ state: 'REFUSED' });
  });

  test.each<[string, [Fault, Strike][]]>([
    ['the line is cut after it', [['cutAfterWrite', { times: 3, at: 'PATCH' }]]],
    ['it hangs before it was done', [['hangBeforeWrite', { times: 3, at: 'PATCH' }]]],
    [
      'it is cut, and its id forgotten',
      [
        ['cutAfterWrite', { times: 3, at: 'PATCH' }],
        ['requestIdsForgotten', {}],
      ],
    ],
  ])('a cancellation is confirmed once though %s', async (_what, faults) => {
    const customer = await customerOfBoth();
    const placed = await buy(gateway, customer, two);
    await ended(placed);
    for (const [name, strike] of faults) fault(name, strike);
    await cancel(gateway, placed);
    await ended(placed, 'CANCELLED');
    const credits = simulator.world.state.lines.filter(
      ({ customerId, chargeType }) => customerId === customer.tenantId && chargeType === 'cancelImmediate',
    );
    expect(credits).toHaveLength(2);
  });

  test('too late for Partner Center: the cancellation is refused in words, and the lines stand again', async () => {
    const customer = await customerOfBoth();
    const placed = await buy(gateway, customer, [{ ...perpetual, quantity: 1 }]);
    await ended(placed);
    const [order] = there(customer);
    Object.assign(order as object, { createdMs: (order?.createdMs ?? 0) - 31 * 86_400_000 });
    await cancel(gateway, placed);
    await until('it is refused', async () => (await actionsOf(placed)).includes('CANCELLATION_REFUSED'));
    expect((await look(placed))?.lines[0]?.status).toBe('ACTIVE');
    const [cancellation] = await gateway.sql<{ refusal_reason: string }>(
      'select refusal_reason from cancellations where order_id = ?',
      [placed.id.slice(4)],
    );
    expect(cancellation?.refusal_reason).toMatch(/^It is too late to cancel in Partner Center.*\(900117\)$/);
  });

  test('many at once, with every fault: what each says is what is there, no order twice, no intent open', async () => {
    const customer = await customerOfBoth();
    const often: [Fault, Strike][] = [
      ['cutAfterWrite', { rate: 0.2, at: '/v1/' }],
      ['tooManyRequests', { rate: 0.1, at: '/v1/' }],
      ['unavailable', { rate: 0.05, at: '/v1/' }],
      ['htmlBody', { rate: 0.05, at: '/v1/' }],
      ['emptyBody', { rate: 0.05, at: '/v1/' }],
      ['requestIdsForgotten', { rate: 0.5 }],
      ['availabilityMoved', { rate: 0.1 }],
      ['splitCart', { rate: 0.3 }],
      ['groupFails', { rate: 0.1 }],
      ['byteOrderMark', { rate: 0.5 }],
      ['doubledHeaders', { rate: 0.5 }],
      ['numbersAsText', { rate: 0.3 }],
      ['upperCaseIds', { rate: 0.3 }],
      ['timesWithoutZone', { rate: 0.3 }],
    ];
    for (const [name, strike] of often) fault(name, strike);
    const placed = await Promise.all(Array.from({ length: 12 }, () => buy(gateway, customer, two)));
    await until('all have ended', async () =>
      (await Promise.all(placed.map(look))).every((order) => order?.status !== 'PENDING'),
    );
    const bought = (await Promise.all(placed.map(look))).filter((order) => order?.status === 'COMPLETED');
    await Promise.all(bought.slice(0, 5).map((order) => cancel(gateway, order as { id: string })));
    const isSettled = async () =>
      (
        await gateway.sql(
          `select from upstream_intents join orders on orders.id = order_id
           where customer_id = ? and state not in ('DONE', 'REFUSED')`,
          [customer.rowId],
        )
      ).length === 0;
    await until('no intent is open', isSettled);
    await until(
      'all are confirmed',
      async () => (await gateway.sql(`select from cancellations where status = 'PENDING'`)).length === 0,
    );
    simulator.world.faults.switchOff();
    const here = (await Promise.all(placed.map(look))).flatMap((order) => order?.lines ?? []);
    const live = there(customer).flatMap(({ lines }) => lines);
    const countOf = (status: string) => here.filter((line) => line.status === status).length;
    expect(live.filter(({ cancelledMs }) => cancelledMs === null)).toHaveLength(countOf('ACTIVE'));
    expect(live.filter(({ cancelledMs }) => cancelledMs !== null)).toHaveLength(countOf('CANCELLED'));
    const claimed = await gateway.sql<{ place: string }>(
      `select line -> 'order' ->> 'id' || '/' || (line -> 'order' ->> 'lineNumber') as place
       from upstream_intents join orders on orders.id = order_id, jsonb_array_elements(lines) as line
       where kind = 'PURCHASE' and customer_id = ? and line -> 'order' is not null`,
      [customer.rowId],
    );
    expect(new Set(claimed.map(({ place }) => place)).size).toBe(live.length);
    expect(claimed).toHaveLength(live.length);
  });
});
