import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Kysely } from 'kysely';
import { migrate, type Orm, openOrm } from '../../src/database/orm.js';
import { type ToldRecord, type Upstream, UpstreamDenied } from '../../src/domain/upstream.js';
import { openPartnerCenter } from '../../src/partner-center/rest/open.js';
import { tellingOf } from '../../src/partner-center/rest/telling.js';
import { entities } from '../../src/schema/entities.js';
import { engine, type TestDatabase, testDatabase } from '../support/database.js';
import { fetchInPortal } from '../support/partner-center/entitlements.js';
import { cancelInPortal, orderInPortal } from '../support/partner-center/portal.js';
import { settingsFor } from '../support/partner-center/settings.js';
import { type Simulator, startSimulator } from '../support/partner-center/simulator.js';
import { newRefreshToken } from '../support/partner-center/tokens.js';

const USER = 'Agent@Partner.example';
const perpetual = { productId: 'DG7GMGF0FKZV', skuId: '0001' };
const subscription = { productId: 'DG7GMGF0D3SJ', skuId: '0001' };

/** What Partner Center tells, in the words of the business. */
describe(`Partner Center as an upstream, on ${engine}`, () => {
  let database: TestDatabase;
  let orm: Orm;
  let simulator: Simulator;
  let upstream: Upstream;
  beforeAll(async () => {
    database = await testDatabase();
    orm = await openOrm(database.config, { entities, pglite: database.pglite });
    await migrate(orm);
  });
  afterAll(async () => {
    await orm.close(true);
    await database.drop();
  });
  beforeEach(async () => {
    simulator = await startSimulator({ listLagMs: 0, customers: 1_203 });
    const kysely = orm.em.fork().getKysely() as unknown as Kysely<unknown>;
    const config = settingsFor(simulator, { callsPerMinute: 1_000, timeoutMs: 60_000 });
    const keys = [{ keyId: 'k1', secret: new Uint8Array(32).fill(1) }];
    const opened = openPartnerCenter({ config, kysely, keys, counter: null, pause: async () => undefined });
    await opened.signIn.store(newRefreshToken(simulator.world));
    upstream = tellingOf(opened.partnerCenter);
  });
  afterEach(() => simulator.close());

  const tenantOf = (place: number) => simulator.world.state.customers[place]?.id as string;
  const records = async () => {
    const all: ToldRecord[] = [];
    const today = new Date(simulator.world.now()).toISOString().slice(0, 10);
    for await (const page of upstream.records(today, today)) all.push(...page);
    return all;
  };

  test('customers go on where an earlier reading was', async () => {
    const pages: { length: number; next: string | null }[] = [];
    for await (const { items, next } of upstream.customers(null)) pages.push({ length: items.length, next });
    expect(pages.map(({ length }) => length)).toEqual([500, 500, 203]);
    expect(pages.at(-1)?.next).toBeNull();
    const rest: string[] = [];
    for await (const { items } of upstream.customers(pages[1]?.next ?? null))
      rest.push(...items.map(({ tenantId }) => tenantId));
    expect(rest).toEqual(simulator.world.state.customers.slice(1_000).map(({ id }) => id));
    expect(await upstream.customer(tenantOf(0))).toEqual({
      tenantId: tenantOf(0),
      domain: 'customer-1.example',
      companyName: 'Example Customer 1',
      relationship: 'reseller',
      country: 'NO',
      contact: { firstName: 'Ida', lastName: 'Holm', email: 'admin@customer-1.example', phone: null },
    });
  });

  test('orders, subscriptions and entitlements, whatever the spelling', async () => {
    const { world } = simulator;
    const lines = [
      { ...perpetual, quantity: 3 },
      { ...subscription, quantity: 2 },
    ];
    const placed = orderInPortal(world, tenantOf(0), lines, USER);
    world.advance(120_000);
    for (const name of ['upperCaseIds', 'numbersAsText', 'timesWithoutZone'] as const) world.faults.switchOn(name);
    const { id, alternateId, createdMs } = placed;
    const subscriptionId = placed.lines[1]?.subscriptionId ?? '';
    const of = { title: expect.any(String), termDuration: null, subscriptionId: null };
    const told = {
      id,
      alternateId,
      placedAt: new Date(createdMs),
      state: 'completed',
      billingCycle: 'onetime',
      currency: 'NOK',
      lines: [
        { ...of, lineNumber: 0, product: perpetual, quantity: 3, unitPrice: '3586.5' },
        {
          ...{ ...of, termDuration: 'P1Y', subscriptionId },
          ...{ lineNumber: 1, product: subscription, quantity: 2, unitPrice: '300' },
        },
      ],
    };
    expect(await upstream.orders(tenantOf(0))).toEqual([told]);
    expect(await upstream.order(tenantOf(0), alternateId)).toEqual(told);
    expect(await upstream.subscriptions(tenantOf(0))).toEqual([
      {
        ...{ id: subscriptionId, orderId: id, quantity: 2, state: 'active', startsAt: new Date(createdMs) },
        endsAt: new Date(createdMs + 365 * 86_400_000),
      },
    ]);
    expect(await upstream.entitlements(tenantOf(0))).toEqual([
      { orderId: id, lineNumber: 0, quantity: 3, isProvisioned: true },
    ]);
    cancelInPortal(world, placed, USER, [0]);
    expect((await upstream.orders(tenantOf(0)))[0]?.lines.map(({ quantity }) => quantity)).toEqual([0, 2]);
  });

  test('records say what was done, by whom, to which order; words that are not known stay as they are', async () => {
    const { world } = simulator;
    const placed = orderInPortal(world, tenantOf(0), [{ ...perpetual, quantity: 3 }], USER);
    cancelInPortal(world, placed, USER);
    fetchInPortal(world, placed.id, 'key', USER);
    world.record({ customerId: '', resourceType: 'brand_new_thing', operationType: 'do_brand_new_thing', value: {} });
    const by = { tenantId: tenantOf(0), actor: 'agent@partner.example', status: 'succeeded', orderId: placed.id };
    expect(await records()).toMatchObject([
      { ...by, operation: 'create_order', resource: 'order', quantities: [3] },
      { ...by, operation: 'update_order', resource: 'order', quantities: [0] },
      { ...by, operation: 'get_software_key', resource: 'software_key', quantities: [] },
      { tenantId: null, operation: 'do_brand_new_thing', resource: 'brand_new_thing', orderId: null },
    ]);
  });

  test('whom the partner may not see, and what is not there, is denied in words', async () => {
    const customer = simulator.world.state.customers[0];
    if (customer) customer.relationshipToPartner = 'none';
    const denied = (asked: Promise<unknown>) => asked.catch((error: unknown) => error);
    expect(await denied(upstream.orders(tenantOf(0)))).toMatchObject({ name: 'UpstreamDenied', reason: 'FORBIDDEN' });
    expect(await denied(upstream.order(tenantOf(1), 'none'))).toMatchObject({ reason: 'MISSING' });
    expect(await denied(upstream.customer('00000000-0000-4000-8000-000000000000'))).toBeInstanceOf(UpstreamDenied);
  });
});
