import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toGlobalId } from '../../../src/domain/global-id.js';
import { checkLedger } from '../../../src/modules/billing/check-ledger.js';
import { cancel } from '../../support/cancelling.js';
import { engine, serverUrl, type TestDatabase, testDatabase } from '../../support/database.js';
import { shared } from '../../support/feed.js';
import { startTestGateway, type TestGateway, testJobs } from '../../support/gateway.js';
import { fetchInPortal } from '../../support/partner-center/entitlements.js';
import type { Fault, Strike } from '../../support/partner-center/faults.js';
import { signIn } from '../../support/partner-center/mirrored.js';
import { cancelInPortal, orderInPortal } from '../../support/partner-center/portal.js';
import { availabilityOf } from '../../support/partner-center/seed.js';
import { settingsFor } from '../../support/partner-center/settings.js';
import { type Simulator, startSimulator } from '../../support/partner-center/simulator.js';
import type { Product } from '../../support/partner-center/state.js';
import { buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';
import { until } from '../../support/until.js';

const ACTIONS = Number(process.env['MIRROR_ACTIONS'] ?? 60);
const CUSTOMERS = 4;
/** Where the dice begin; how things meet in time decides the rest. */
const SEED = Number(process.env['MIRROR_SEED'] ?? 20261128);
const USER = 'agent@partner.example';

const often: [Fault, Strike][] = [
  ['cutAfterWrite', { rate: 0.15, at: '/v1/' }],
  ['tooManyRequests', { rate: 0.05, at: '/v1/' }],
  ['unavailable', { rate: 0.02, at: '/v1/' }],
  ['htmlBody', { rate: 0.02, at: '/v1/' }],
  ['emptyBody', { rate: 0.02, at: '/v1/' }],
  ['requestIdsForgotten', { rate: 0.5 }],
  ['availabilityMoved', { rate: 0.1 }],
  ['splitCart', { rate: 0.3 }],
  ['groupFails', { rate: 0.1 }],
  ['pageMissing', { rate: 0.1 }],
  ['malformedNextLinks', { rate: 0.5 }],
  ['auditRecordsLate', { rate: 0.2 }],
  ['auditValuesCut', { rate: 0.3 }],
  ['byteOrderMark', { rate: 0.5 }],
  ['doubledHeaders', { rate: 0.5 }],
  ['numbersAsText', { rate: 0.3 }],
  ['upperCaseIds', { rate: 0.3 }],
  ['timesWithoutZone', { rate: 0.3 }],
];

/**
 * People act in the portal and through two gateways, at random, while Partner Center misbehaves. In the end it and the
 * mirror are the same: what happened in which order does not matter.
 */
describe(`a random run, on ${engine}`, () => {
  const gateways: TestGateway[] = [];
  let database: TestDatabase;
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator({
      ...{ seed: SEED, customers: CUSTOMERS, retryAfterSeconds: 0, callsPerMinute: 0, listLagMs: 300 },
    });
    const { state } = simulator.world;
    for (const customer of state.customers) customer.country = 'US';
    const sold = { billingCycle: 'one_time', maximumQuantity: 10_000, unitPrice: '100' };
    const products: Omit<Product, 'availabilityId'>[] = [
      { ...skus.perpetual, title: 'Perpetual', soldAs: 'perpetual', termDuration: '', ...sold },
      { ...skus.subscription, title: 'Term', soldAs: 'software-subscription', termDuration: 'P3Y', ...sold },
    ];
    state.products = products.map((product) => ({ ...product, availabilityId: availabilityOf(product, 0) }));
    database = await testDatabase();
    const partnerCenter = settingsFor(simulator, { callsPerMinute: 100_000, timeoutMs: 2_000, syncSeconds: 1 });
    const config = { partnerCenter, jobs: { ...testJobs, retryDelayMs: 0 } };
    gateways.push(await startTestGateway({ database, config }));
    if (serverUrl) gateways.push(await startTestGateway({ database: shared(database), config }));
    await stockShop(first());
    await signIn(first(), simulator);
  });
  afterAll(async () => {
    for (const gateway of gateways.reverse()) await gateway.stop();
    await simulator.close();
  });

  const first = () => gateways[0] as TestGateway;
  const pick = <One>(all: readonly One[]): One => all[Math.floor(simulator.world.random() * all.length)] as One;
  const buyers = async (): Promise<TestCustomer[]> =>
    (
      await first().sql<{ id: string; tenantId: string; domain: string }>(
        `select id, tenant_id as "tenantId", domain from customers order by domain`,
      )
    ).map(({ id, tenantId, domain }) => ({ id: toGlobalId('Customer', id), rowId: id, tenantId, domain }));

  test('people, gateways and faults: Partner Center and the mirror are the same in the end', async () => {
    const { world } = simulator;
    await until('customers are here', async () => (await buyers()).length === CUSTOMERS);
    const customers = await buyers();
    for (const [name, strike] of often) world.faults.switchOn(name, strike);
    const lines = () =>
      [skus.perpetual, skus.subscription]
        .filter(() => world.random() < 0.7)
        .concat(skus.perpetual)
        .slice(0, 2)
        .map((sku) => ({ ...sku, quantity: 1 + Math.floor(world.random() * 9) }))
        .filter(({ skuId }, place, all) => all.findIndex((one) => one.skuId === skuId) === place);
    const bought: { id: string }[] = [];
    const acts = [
      () => orderInPortal(world, pick(customers).tenantId, lines(), USER),
      () => {
        const standing = world.state.orders.filter((order) =>
          order.lines.some(({ cancelledMs }) => cancelledMs === null),
        );
        if (standing.length === 0) return;
        const order = pick(standing);
        const left = order.lines.filter(({ cancelledMs }) => cancelledMs === null);
        cancelInPortal(world, order, USER, [pick(left).lineNumber]);
      },
      () =>
        world.state.orders.length > 0 && fetchInPortal(world, pick(world.state.orders).id, pick(['key', 'link']), USER),
      async () => void bought.push(await buy(pick(gateways), pick(customers), lines())),
      async () => void bought.push(await buy(pick(gateways), pick(customers), lines())),
      // What waits, or is cancelled already, is refused in words.
      async () => bought.length > 0 && (await cancel(pick(gateways), pick(bought)).catch(() => undefined)),
    ];
    for (let turn = 0; turn < ACTIONS; turn += 1) await pick(acts)();

    const open = async () =>
      (
        await first().sql(
          `select from upstream_intents where state not in ('DONE', 'REFUSED') union all select from cancellations where status = 'PENDING'
           union all select from orders where status = 'PENDING'`,
        )
      ).length;
    await until('no intent is open', async () => (await open()) === 0);
    world.faults.switchOff();
    // Records that come late are all there now.
    world.advance(121 * 60_000);
    await until('all records are known', async () => {
      const [{ count } = { count: 0 }] = await first().sql<{ count: number }>(
        'select count(*)::int from upstream_records',
      );
      return count === world.state.audit.length;
    });
    await first().sql('update upstream_customers set refresh_after = now()');
    const here = () =>
      first().sql<{ place: string; status: string; quantity: number; tenantId: string }>(
        `select upstream_order_id || '/' || known.line_number as place, l.status, l.quantity, c.tenant_id as "tenantId"
         from upstream_lines known join order_lines l on l.id = order_line_id join orders o on o.id = l.order_id
         join customers c on c.id = o.customer_id where gone_at is null order by 1`,
      );
    const there = world.state.orders
      .flatMap(({ id, customerId: tenantId, lines: all }) =>
        all.map(({ lineNumber, quantity, cancelledMs }) => ({
          place: `${id}/${lineNumber}`,
          status: cancelledMs === null ? 'ACTIVE' : 'CANCELLED',
          quantity,
          tenantId,
        })),
      )
      .sort((one, other) => (one.place < other.place ? -1 : 1));
    const sorted = async () => [...(await here())].sort((one, other) => (one.place < other.place ? -1 : 1));
    let looks = 0;
    await until('both are the same', async () => {
      looks += 1;
      return looks > 3_000 || JSON.stringify(await sorted()) === JSON.stringify(there);
    });
    expect(await sorted()).toEqual(there);

    // Whatever the gateways bought is one of those lines, once; the rest came by the mirror.
    const [counts] = await first().sql<Record<string, number>>(
      `select (select count(*)::int from upstream_lines where not is_mirrored) as linked,
         (select count(*)::int from order_lines l join upstream_intents i on i.id = l.order_id where i.kind = 'PURCHASE' and i.state = 'DONE'
           and l.status <> 'REFUSED') as bought,
         (select count(*)::int from upstream_lines where is_mirrored) as mirrored`,
    );
    const byPortal = world.state.orders.filter(({ cartId }) => !(cartId in world.state.carts));
    expect(counts).toEqual({
      linked: counts?.['bought'],
      bought: world.state.orders.filter(({ cartId }) => cartId in world.state.carts).flatMap((order) => order.lines)
        .length,
      mirrored: byPortal.flatMap((order) => order.lines).length,
    });

    expect((await checkLedger(first().gateway.services.kysely)).fault).toBeNull();

    // Each record that is nobody's own is one entry, and each entry is of one record.
    const told = await first().sql<{ id: string }>(
      `select detail ->> 'recordId' as id from activity_entries where detail ->> 'recordId' is not null`,
    );
    const byPeople = world.state.audit.filter(({ userPrincipalName }) => userPrincipalName === USER);
    expect(told.map(({ id }) => id).sort()).toEqual(byPeople.map(({ id }) => id).sort());
    process.stdout.write(
      `a random run: seed ${SEED}, ${ACTIONS} actions, ${there.length} lines, ${told.length} records told, ${world.state.audit.length - told.length} own, ${Object.values(world.faults.struck).reduce((sum, count) => sum + count, 0)} faults\n`,
    );
  });
});
