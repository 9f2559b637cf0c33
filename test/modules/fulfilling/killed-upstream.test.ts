import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Role } from '../../../src/auth/role.js';
import { CancelOrderDocument, OrderDocument, PurchaseDocument } from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import { post, processToken, startProcess } from '../../support/history/gateway-process.js';
import { openProcessShop, type ProcessShop } from '../../support/history/process-shop.js';
import { type Simulator, startSimulator } from '../../support/partner-center/simulator.js';
import { CLIENT_ID, CLIENT_SECRET } from '../../support/partner-center/tokens.js';
import { skus, type TestCustomer } from '../../support/shop.js';
import { until } from '../../support/until.js';

describe(`a process that is killed while Partner Center does what it asked for, on ${engine}`, () => {
  let shop: ProcessShop;
  let simulator: Simulator;
  let customer: TestCustomer;
  let token: string;
  beforeAll(async () => {
    simulator = await startSimulator();
    token = await processToken(Role.ADMIN_AGENT);
    shop = await openProcessShop('killed-upstream');
    customer = shop.customer;
    const { tenantId: id, domain } = customer;
    const rest = { commerceId: id, companyName: domain, country: 'US', email: `a@${domain}`, billingEtag: 'e' };
    simulator.world.state.customers.push({ id, domain, relationshipToPartner: 'reseller', ...rest });
  });
  afterAll(async () => {
    await shop.close();
    await simulator.close();
  });

  const settings = () => ({
    PARTNER_CENTER_URL: simulator.url,
    PARTNER_CENTER_TENANT_ID: simulator.world.partnerId,
    PARTNER_CENTER_CLIENT_ID: CLIENT_ID,
    PARTNER_CENTER_CLIENT_SECRET: CLIENT_SECRET,
    // A claim lapses after twice the time limit.
    JOB_TIME_LIMIT_MS: '2000',
    PARTNER_CENTER_TIMEOUT_MS: '1500',
    JOB_POLL_MS: '100',
    // Nothing but what is asked of it counts here.
    PARTNER_CENTER_SYNC_SECONDS: '86400',
  });
  const start = (more: Record<string, string> = {}) => startProcess(shop.url, shop.folder, { ...settings(), ...more });
  /** Asks a process, has it killed once Partner Center has done it without an answer, and starts another one. */
  const killedWhileAsking = async (document: string, input: object, isDone: () => boolean, at: string) => {
    const gateway = await start();
    simulator.world.faults.switchOn('hangAfterWrite', { at });
    const { data } = await post(gateway.url, token, document, { input });
    await until('Partner Center has done it', isDone);
    gateway.kill('SIGKILL');
    expect(await gateway.exited).toEqual({ code: null, signal: 'SIGKILL' });
    simulator.world.faults.switchOff();
    // Whoever goes on may not count on the service to remember.
    simulator.world.faults.switchOn('requestIdsForgotten');
    return { data, other: await start() };
  };

  test('what it bought is bought once, and what it cancelled is credited once, by whoever goes on', async () => {
    const { state } = simulator.world;
    const lines = [{ ...skus.perpetual, quantity: 1 }];
    const purchase = { idempotencyKey: randomUUID(), customerId: customer.id, lines };
    const bought = await killedWhileAsking(
      String(PurchaseDocument),
      purchase,
      () => state.orders.length > 0,
      'checkout',
    );
    const { id } = bought.data.purchase.order;
    const look = async ({ url }: { url: string }) => (await post(url, token, String(OrderDocument), { id })).data.order;
    await until('the purchase is confirmed', async () => (await look(bought.other)).status === 'COMPLETED');
    expect([state.orders.length, Object.keys(state.carts).length]).toEqual([1, 1]);
    bought.other.kill('SIGTERM');
    await bought.other.exited;

    const cancellation = { idempotencyKey: randomUUID(), orderId: id, acknowledged: true };
    const isCancelled = () => state.orders[0]?.lines[0]?.cancelledMs !== null;
    const cancelled = await killedWhileAsking(String(CancelOrderDocument), cancellation, isCancelled, 'PATCH');
    await until('the cancellation is confirmed', async () => (await look(cancelled.other)).status === 'CANCELLED');
    expect(state.lines.map(({ chargeType }) => chargeType)).toEqual(['new', 'cancelImmediate']);
    cancelled.other.kill('SIGTERM');
    await cancelled.other.exited;

    // Without its settings a gateway would cancel here alone what was bought there.
    const without = Object.fromEntries(
      Object.keys(settings())
        .filter((name) => name.startsWith('PARTNER'))
        .map((name) => [name, '']),
    );
    await expect(start(without)).rejects.toThrow('PARTNER_CENTER_TENANT_ID: not set, and orders of this database');
  });
});
