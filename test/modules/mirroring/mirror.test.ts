import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { cancel } from '../../support/cancelling.js';
import { engine } from '../../support/database.js';
import type { TestGateway } from '../../support/gateway.js';
import { fetchInPortal } from '../../support/partner-center/entitlements.js';
import { type Mirrored, startMirrored } from '../../support/partner-center/mirrored.js';
import { cancelInPortal, orderInPortal } from '../../support/partner-center/portal.js';
import type { Order } from '../../support/partner-center/state.js';
import { aPrice, buy, skus, type TestCustomer } from '../../support/shop.js';
import { until } from '../../support/until.js';

const USER = 'agent@partner.example';
const perpetual = { productId: 'DG7GMGF0FKZV', skuId: '0001' };
const subscription = { productId: 'DG7GMGF0D3SJ', skuId: '0001' };
const linux = { productId: 'DZH318Z0BQ5P', skuId: '0001' };

const ORDERS = `query ($tenant: UUID!) { customer(by: { tenantId: $tenant }) { id companyName domain market { code }
  upstream { relationship readAt goneAt problem }
  orders(first: 50) { nodes { id number status currency placedBy total { amount }
    lines { lineNumber quantity status unitPrice { amount } sku { kind skuId product { productId } } termStart termEnd
      upstream { upstreamOrderId lineNumber state isMirrored isPriced seenAt goneAt subscriptionId }
      entitlement { status quantity } } } } } }`;
const ACTIVITY = `query ($order: ID) { activity(first: 100, filter: { orderId: $order }) { nodes { id action outcome actor { userPrincipalName role application }
  customer { tenantId } order { number } resource { type label } productIds
  detail { __typename ... on UpstreamOrderPlacedDetail { source operation happenedAt upstreamOrderId recordId }
    ... on UpstreamKeyFetchedDetail { operation happenedAt upstreamOrderId } ... on UpstreamChangedDetail { operation resourceKind } } } } }`;

/** What Partner Center has, beside what was sold here. */
describe(`the mirror of Partner Center, on ${engine}`, () => {
  let mirrored: Mirrored;
  let gateway: TestGateway;
  beforeAll(async () => {
    mirrored = await startMirrored({ customers: 12 });
    gateway = mirrored.gateway;
  });
  afterAll(() => mirrored.stop());
  afterEach(() => mirrored.simulator.world.faults.switchOff());

  const world = () => mirrored.simulator.world;
  const tenantOf = (place: number) => world().state.customers[place]?.id as string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as clients do
  const look = async (tenant: string): Promise<any> =>
    (await gateway.run(ORDERS, { tenant }, 'ADMIN_AGENT')).data['customer'];
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const orderOf = async (placed: Order): Promise<any> =>
    (await look(placed.customerId))?.orders.nodes.find(
      ({ number }: { number: string }) => number === placed.alternateId,
    );
  const here = async (placed: Order) => {
    await until(`${placed.alternateId} is mirrored`, async () => (await orderOf(placed)) !== undefined);
    return orderOf(placed);
  };
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const entriesOf = async (order: { id: string } | null): Promise<any[]> =>
    (await gateway.run(ACTIVITY, { order: order?.id ?? null })).data['activity'].nodes;
  const place = (lines: { productId: string; skuId: string; quantity: number }[], customer = 0) =>
    orderInPortal(world(), tenantOf(customer), lines, USER);
  /** When the simulator wrote down that an order was placed. */
  const recordedMs = ({ id }: Order) =>
    world().state.audit.find(({ customizedData }) => customizedData.some(({ value }) => value === id))?.operationMs ??
    0;
  /** A turn that began after now has ended. */
  const aTurn = async () => {
    const at = async () =>
      (await gateway.sql<{ at: Date }>(`select succeeded_at as at from upstream_syncs where kind = 'RECORDS'`))[0]?.at;
    for (const round of [1, 2]) {
      const before = String(await at());
      await until(`turn ${round} has ended`, async () => String(await at()) !== before);
    }
  };

  test('customers come, with market and contact, and are marked once they are listed no more', async () => {
    await until('all customers are here', async () => {
      const all = await Promise.all(world().state.customers.map(({ id }) => look(id)));
      return all.every((customer) => customer?.upstream.readAt != null);
    });
    expect(await look(tenantOf(0))).toMatchObject({
      companyName: 'Example Customer 1',
      domain: 'customer-1.example',
      market: { code: 'NO' },
      upstream: { relationship: 'reseller', goneAt: null, problem: null },
    });
    const [{ count } = { count: 0 }] = await gateway.sql<{ count: number }>('select count(*)::int from customers');
    expect(count).toBe(12);
    const gone = tenantOf(11);
    world().state.customers.pop();
    await gateway.sql(`update upstream_syncs set finished_at = now() - interval '2 days' where kind = 'CUSTOMERS'`);
    await until('the customer is marked', async () => (await look(gone)).upstream.goneAt !== null);
    expect((await look(gone)).companyName).toBe('Example Customer 12');
  });

  test('an order of the portal comes with its prices, its licences and who placed it; it is told once', async () => {
    const placed = place([
      { ...perpetual, quantity: 3 },
      { ...subscription, quantity: 2 },
      { ...linux, quantity: 1 },
    ]);
    const order = await here(placed);
    expect(order).toMatchObject({ status: 'COMPLETED', currency: 'NOK', total: { amount: '11459.00' } });
    const of = { status: 'ACTIVE' };
    const upstream = { upstreamOrderId: placed.id, isMirrored: true, isPriced: true, goneAt: null };
    expect(order.lines).toMatchObject([
      { ...of, quantity: 3, unitPrice: { amount: '3586.50' }, sku: { kind: 'PERPETUAL_SOFTWARE' }, upstream },
      { ...of, quantity: 2, unitPrice: { amount: '300.00' }, sku: { kind: 'SOFTWARE_SUBSCRIPTION' }, upstream },
      { ...of, quantity: 1, unitPrice: { amount: '99.50' }, sku: { kind: 'LINUX_PLAN' }, upstream },
    ]);
    await aTurn();
    expect((await orderOf(placed)).placedBy).toBe(USER);
    const entries = await entriesOf(order);
    expect(entries).toMatchObject([
      {
        action: 'UPSTREAM_ORDER_PLACED',
        outcome: 'SUCCEEDED',
        actor: { userPrincipalName: USER, role: 'PARTNER_CENTER', application: 'Partner Center' },
        customer: { tenantId: tenantOf(0) },
        resource: { type: 'ORDER', label: placed.alternateId },
        detail: {
          __typename: 'UpstreamOrderPlacedDetail',
          source: 'PARTNER_CENTER',
          operation: 'create_order',
          happenedAt: new Date(recordedMs(placed)).toISOString(),
        },
      },
    ]);
    expect([...entries[0].productIds].sort()).toEqual(
      [subscription, perpetual, linux].map((one) => one.productId).sort(),
    );
  });

  test('subscriptions and perpetual software are in the one list, pending until they are provisioned', async () => {
    const placed = place(
      [
        { ...perpetual, quantity: 3 },
        { ...subscription, quantity: 2 },
      ],
      1,
    );
    await here(placed);
    world().advance(120_000);
    await gateway.sql(`update upstream_customers set refresh_after = now() where tenant_id = ?`, [tenantOf(1)]);
    const software = async () => {
      const { customer } = (
        await gateway.run(
          `query ($tenant: UUID!) { customer(by: { tenantId: $tenant }) { software(first: 9) { nodes { status quantity expiresAt sku { kind } } } } }`,
          { tenant: tenantOf(1) },
          'ADMIN_AGENT',
        )
      ).data as { customer: { software: { nodes: { status: string; quantity: number; expiresAt: string | null }[] } } };
      return customer.software.nodes;
    };
    await until('both can be used', async () => (await software()).every(({ status }) => status === 'ACTIVE'));
    const [one, other] = (await software()).sort((first, second) => second.quantity - first.quantity);
    expect([one, other]).toMatchObject([
      { quantity: 3, expiresAt: null, sku: { kind: 'PERPETUAL_SOFTWARE' } },
      { quantity: 2, expiresAt: expect.any(String), sku: { kind: 'SOFTWARE_SUBSCRIPTION' } },
    ]);
  });

  test('a line that is cancelled in the portal is cancelled here, with its licence, and the order once no line is left', async () => {
    const placed = place(
      [
        { ...perpetual, quantity: 3 },
        { ...subscription, quantity: 2 },
      ],
      2,
    );
    await here(placed);
    cancelInPortal(world(), placed, USER, [0]);
    await until('the line is cancelled', async () => (await orderOf(placed)).lines[0].status === 'CANCELLED');
    expect(await orderOf(placed)).toMatchObject({
      status: 'COMPLETED',
      lines: [
        { status: 'CANCELLED', entitlement: { status: 'REVOKED' } },
        { status: 'ACTIVE', entitlement: { status: expect.stringMatching(/ACTIVE|PENDING/) } },
      ],
    });
    cancelInPortal(world(), placed, USER, [1]);
    await until('the order is cancelled', async () => (await orderOf(placed)).status === 'CANCELLED');
    await aTurn();
    expect((await entriesOf(await orderOf(placed))).map(({ action }) => action)).toEqual([
      'UPSTREAM_ORDER_PLACED',
      'UPSTREAM_ORDER_CANCELLED',
      'UPSTREAM_ORDER_CANCELLED',
    ]);
  });

  test('what was cancelled before it was seen here is cancelled, with the quantity that was bought', async () => {
    const placed = place([{ ...perpetual, quantity: 7 }], 7);
    cancelInPortal(world(), placed, USER);
    const order = await here(placed);
    expect(order).toMatchObject({ status: 'CANCELLED', total: { amount: '0.00' } });
    await until('its quantity is known', async () => (await orderOf(placed)).lines[0].quantity === 7);
    expect((await orderOf(placed)).lines).toMatchObject([
      { status: 'CANCELLED', entitlement: { status: 'REVOKED', quantity: 7 }, upstream: { isPriced: false } },
    ]);
  });

  test('what people fetch in the portal is news, once; what nobody knows keeps its own word', async () => {
    const placed = place([{ ...perpetual, quantity: 1 }], 3);
    const stream = await gateway.subscribe(
      `subscription { activity(filter: { actions: [UPSTREAM_KEY_FETCHED] }) { __typename ... on ActivityRecorded { entry { action order { number } } } } }`,
    );
    await here(placed);
    fetchInPortal(world(), placed.id, 'key', 'Key.Fetcher@Partner.example');
    fetchInPortal(world(), placed.id, 'link', USER);
    const unknown = { resourceType: 'brand_new_thing', operationType: 'do_brand_new_thing', value: {} };
    world().record({ customerId: tenantOf(3), ...unknown });
    world().record({ customerId: '', ...unknown, operationStatus: 'failed' });
    const order = await orderOf(placed);
    await until('all are told', async () => (await entriesOf(order)).length === 3);
    await aTurn();
    expect(await entriesOf(order)).toMatchObject([
      { action: 'UPSTREAM_ORDER_PLACED' },
      {
        action: 'UPSTREAM_KEY_FETCHED',
        actor: { userPrincipalName: 'key.fetcher@partner.example' },
        detail: { operation: 'get_software_key', upstreamOrderId: placed.id },
      },
      { action: 'UPSTREAM_LINK_FETCHED' },
    ]);
    const others = (await entriesOf(null)).filter(({ action }) => action === 'UPSTREAM_CHANGED');
    expect(others).toMatchObject([
      {
        outcome: 'SUCCEEDED',
        customer: { tenantId: tenantOf(3) },
        resource: { type: 'UPSTREAM', label: 'brand_new_thing' },
        detail: { operation: 'do_brand_new_thing', resourceKind: 'brand_new_thing' },
      },
      { outcome: 'FAILED', customer: null },
    ]);
    expect((await stream.nextOf('ActivityRecorded')).entry).toEqual({
      action: 'UPSTREAM_KEY_FETCHED',
      order: { number: placed.alternateId },
    });
    await stream.end();
  });

  test("a mirrored customer's administrator sees their own tenant and nobody else's", async () => {
    await here(place([{ ...perpetual, quantity: 1 }], 4));
    await here(place([{ ...perpetual, quantity: 2 }], 5));
    const { domain } = world().state.customers[4] as { domain: string };
    const token = await gateway.token('CUSTOMER_ADMIN', { domain, tenantId: tenantOf(4) });
    const asked = `{ customers(first: 50) { nodes { tenantId } } orders(first: 50) { nodes { lines { quantity } } }
      software(first: 50) { nodes { quantity } } activity(first: 50) { nodes { action customer { tenantId } } } }`;
    await until(
      'their entry is there',
      async () => (await gateway.run(asked, {}, { token })).data['activity'].nodes.length === 1,
    );
    expect((await gateway.run(asked, {}, { token })).data).toEqual({
      customers: { nodes: [{ tenantId: tenantOf(4) }] },
      orders: { nodes: [{ lines: [{ quantity: 1 }] }] },
      software: { nodes: [{ quantity: 1 }] },
      activity: { nodes: [{ action: 'UPSTREAM_ORDER_PLACED', customer: { tenantId: tenantOf(4) } }] },
    });
  });

  test('what was bought through the gateway comes back as itself, and its records are not told', async () => {
    const tenantId = tenantOf(6);
    const customer = await look(tenantId);
    const buyer: TestCustomer = { id: customer.id, rowId: '', tenantId, domain: customer.domain };
    const currency = 'USD';
    await aPrice(gateway, skus.perpetual, '13748.00', { market: 'US', currency });
    const placed = await buy(gateway, buyer, [{ ...skus.perpetual, quantity: 2 }]);
    await until('it is bought', async () => world().state.orders.some(({ customerId }) => customerId === tenantId));
    const found = async () => (await look(tenantId)).orders.nodes;
    await until('it is known to be it', async () => (await found())[0]?.lines[0].upstream !== null);
    expect(await found()).toMatchObject([
      { id: placed.id, status: 'COMPLETED', lines: [{ status: 'ACTIVE', upstream: { isMirrored: false } }] },
    ]);
    await cancel(gateway, placed);
    await until('it is cancelled', async () => (await found())[0].status === 'CANCELLED');
    await aTurn();
    expect((await entriesOf(placed)).map(({ action }) => action)).toEqual([
      'ORDER_PLACED',
      'ORDER_CONFIRMED',
      'CANCELLATION_REQUESTED',
      'CANCELLATION_CONFIRMED',
    ]);
    expect(await gateway.sql(`select from upstream_records where entry_id is null`)).toHaveLength(2);
  });

  test('what was bought through the gateway and is cancelled in the portal is credited here', async () => {
    const tenantId = tenantOf(1);
    const customer = await look(tenantId);
    const buyer: TestCustomer = { id: customer.id, rowId: '', tenantId, domain: customer.domain };
    const placed = await buy(gateway, buyer, [{ ...skus.perpetual, quantity: 2 }]);
    const there = () =>
      world().state.orders.find((order) => order.customerId === tenantId && order.lines[0]?.quantity === 2) as Order;
    const found = async () => (await look(tenantId)).orders.nodes.find(({ id }: { id: string }) => id === placed.id);
    await until('it is known to be it', async () => (await found()).lines[0].upstream !== null);
    cancelInPortal(world(), there(), USER);
    await until('it is cancelled here', async () => (await found()).status === 'CANCELLED');
    await aTurn();
    expect((await entriesOf(placed)).map(({ action }) => action).sort()).toEqual([
      'CANCELLATION_CONFIRMED',
      'ORDER_CONFIRMED',
      'ORDER_PLACED',
      'UPSTREAM_ORDER_CANCELLED',
    ]);
    const credits = await gateway.sql(`select credit::text, requested_by from cancellations where order_id = ?`, [
      placed.id.slice(4),
    ]);
    expect(credits).toMatchObject([{ requested_by: 'partner-center' }]);
  });
});
