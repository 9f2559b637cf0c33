import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Role } from '../../../src/auth/role.js';
import { CancelOrderDocument, InvoicesDocument, OrderDocument, PurchaseDocument } from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import { post, processToken, startProcess, WITH_PROVIDER } from '../../support/history/gateway-process.js';
import { openProcessShop, type ProcessShop } from '../../support/history/process-shop.js';
import { startProvider, type TestProvider } from '../../support/provider.js';
import { skus, type TestCustomer } from '../../support/shop.js';
import { until } from '../../support/until.js';

describe(`a process that is killed while the provider thinks, on ${engine}`, () => {
  let shop: ProcessShop;
  let provider: TestProvider;
  let customer: TestCustomer;
  let token: string;
  beforeAll(async () => {
    provider = await startProvider();
    token = await processToken(Role.ADMIN_AGENT);
    shop = await openProcessShop('killed');
    customer = shop.customer;
  });
  afterAll(async () => {
    await shop.close();
    await provider.close();
  });

  const start = () => {
    // A claim lapses after twice the time limit.
    const settings = { PROVIDER_URL: provider.url, JOB_TIME_LIMIT_MS: '500', JOB_POLL_MS: '100' };
    return startProcess(shop.url, shop.folder, settings, WITH_PROVIDER);
  };
  /** Asks a process, has it killed once the provider has done what it was asked for, and starts another one. */
  const killedWhileAsking = async (document: string, input: object) => {
    const gateway = await start();
    provider.answers = false;
    const known = provider.done.length;
    const { data } = await post(gateway.url, token, document, { input });
    await until('the provider has done it', () => provider.done.length > known);
    gateway.kill('SIGKILL');
    expect(await gateway.exited).toEqual({ code: null, signal: 'SIGKILL' });
    provider.answers = true;
    return { data, other: await start() };
  };

  test('rule 17: its job is taken over, the provider is asked by the same id, and does and charges it once', async () => {
    const lines = [{ ...skus.perpetual, quantity: 1 }];
    const purchase = { idempotencyKey: randomUUID(), customerId: customer.id, lines };
    const bought = await killedWhileAsking(String(PurchaseDocument), purchase);
    const { id } = bought.data.purchase.order;
    const look = async (gateway: { url: string }) =>
      (await post(gateway.url, token, String(OrderDocument), { id })).data.order;
    await until('the purchase is confirmed', async () => (await look(bought.other)).status === 'COMPLETED');
    bought.other.kill('SIGTERM');
    await bought.other.exited;

    const cancellation = { idempotencyKey: randomUUID(), orderId: id, acknowledged: true };
    const cancelled = await killedWhileAsking(String(CancelOrderDocument), cancellation);
    await until('the cancellation is confirmed', async () => (await look(cancelled.other)).status === 'CANCELLED');

    const [orderId, cancellationId] = [id, cancelled.data.cancelOrder.cancellation.id].map((one) => one.slice(4));
    expect(provider.done).toEqual([orderId, cancellationId]);
    // Whoever took over had to ask: only the provider knows that it is done.
    expect(new Set(provider.asked)).toEqual(new Set(provider.done));
    expect(provider.asked.length).toBeGreaterThanOrEqual(4);
    const actions = await post(
      cancelled.other.url,
      await processToken(),
      'query ($id: ID!) { activity(first: 100, filter: { orderId: $id }) { nodes { action } } }',
      { id },
    );
    expect(actions.data.activity.nodes.map(({ action }: { action: string }) => action)).toEqual([
      'ORDER_PLACED',
      'ORDER_CONFIRMED',
      'CANCELLATION_REQUESTED',
      'CANCELLATION_CONFIRMED',
    ]);
    const { data } = await post(cancelled.other.url, await processToken(Role.BILLING_ADMIN), String(InvoicesDocument), {
      filter: { customerId: customer.id },
    });
    const amounts = data.invoices.nodes.flatMap(({ lines }: { lines: { amount: { amount: string } }[] }) =>
      lines.map(({ amount }) => amount.amount),
    );
    expect(amounts.sort()).toEqual(['-13748.00', '13748.00']);
  });
});
