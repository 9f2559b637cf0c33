import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  ActivityFeedDocument,
  CancellationConfirmationsDocument,
  CancellationQuoteDocument,
  CancelOrderDocument,
  CreateDownloadLinkDocument,
  FindCustomerDocument,
  InvoicesDocument,
  OrderDocument,
  PurchaseDocument,
  RevealProductKeyDocument,
  SalesDocument,
  SoftwareDocument,
} from './generated/graphql.js';
import { engine } from './support/database.js';
import { startTestGateway, type TestGateway } from './support/gateway.js';
import { aCustomer, aPrice, skus, stockShop, type TestCustomer } from './support/shop.js';

describe(`the story of a purchase, from the door to the invoice, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    customer = await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  test('a customer is found, buys, reads a key, downloads, cancels, and is credited; dashboards and analysts see it', async () => {
    const closed = await aCustomer(gateway, { market: 'CN' });
    await aPrice(gateway, skus.reservation, '2400.00', { market: 'CN' });
    const dashboard = await gateway.subscribe(ActivityFeedDocument);
    await dashboard.nextOf('FeedCaughtUp');
    const confirmations = await gateway.subscribe(CancellationConfirmationsDocument, {}, 'BILLING_ADMIN');
    await confirmations.nextOf('FeedCaughtUp');
    const entry = async () => (await dashboard.nextOf('ActivityRecorded')).entry;

    // find a customer by domain
    const found = await gateway.run(FindCustomerDocument, { domain: customer.domain.toUpperCase() }, 'ADMIN_AGENT');
    expect(found.data.customer).toMatchObject({ id: customer.id, tenantId: customer.tenantId, market: { code: 'US' } });

    // a purchase in a closed market is refused
    const input = (target: TestCustomer, lines: { productId: string; skuId: string; quantity: number }[]) => ({
      input: { idempotencyKey: randomUUID(), customerId: target.id, lines },
    });
    const refused = await gateway.run(
      PurchaseDocument,
      input(closed, [{ ...skus.reservation, quantity: 1 }]),
      'ADMIN_AGENT',
    );
    expect(refused.data.purchase).toMatchObject({
      __typename: 'ProductNotAvailableInMarket',
      market: 'CN',
      kind: 'AZURE_RESERVATION',
    });

    // a perpetual and a subscription SKU in one order
    const bought = await gateway.run(
      PurchaseDocument,
      input(customer, [
        { ...skus.perpetual, quantity: 2 },
        { ...skus.subscription, quantity: 1 },
      ]),
      'ADMIN_AGENT',
    );
    if (bought.data.purchase?.__typename !== 'PurchaseSuccess') throw new Error(JSON.stringify(bought));
    const { order } = bought.data.purchase;
    expect(order).toMatchObject({ status: 'COMPLETED', total: { amount: '43798.00', currency: 'USD' } });
    expect(await entry()).toMatchObject({
      action: 'ORDER_PLACED',
      detail: { orderNumber: order.number, lineCount: 2 },
    });
    expect(await entry()).toMatchObject({ action: 'ORDER_CONFIRMED', detail: { orderNumber: order.number } });

    // reveal a key
    const software = await gateway.run(SoftwareDocument, { filter: { customerId: customer.id } }, 'ADMIN_AGENT');
    const perpetual = software.data.software?.nodes.find((node) => node.sku.skuId === '0001');
    const version = perpetual?.sku.softwareVersions[0];
    if (!perpetual || !version) throw new Error(JSON.stringify(software));
    const revealed = await gateway.run(
      RevealProductKeyDocument,
      { input: { entitlementId: perpetual.id, version: version.version } },
      'ADMIN_AGENT',
    );
    if (revealed.data.revealProductKey?.__typename !== 'RevealProductKeySuccess')
      throw new Error(JSON.stringify(revealed));
    const { productKey } = revealed.data.revealProductKey;
    expect(productKey).toMatch(/^[A-Z0-9]{5}(-[A-Z0-9]{5}){4}$/);
    const keyEntry = await entry();
    expect(keyEntry).toMatchObject({
      action: 'PRODUCT_KEY_REVEALED',
      actor: { role: 'ADMIN_AGENT' },
      detail: { version: version.version },
    });
    expect(JSON.stringify(keyEntry)).not.toContain(productKey);

    // make a link and download
    const choice = {
      version: version.version,
      language: version.languages[0] as string,
      architecture: version.architectures[0] as string,
    };
    const linked = await gateway.run(
      CreateDownloadLinkDocument,
      { input: { entitlementId: perpetual.id, ...choice } },
      'ADMIN_AGENT',
    );
    if (linked.data.createDownloadLink?.__typename !== 'CreateDownloadLinkSuccess')
      throw new Error(JSON.stringify(linked));
    expect(await entry()).toMatchObject({ action: 'DOWNLOAD_LINK_CREATED' });
    const { url } = linked.data.createDownloadLink.downloadLink;
    const download = await fetch(url);
    expect(download.status).toBe(200);
    expect(await download.text()).toContain(choice.architecture);
    expect(await entry()).toMatchObject({ action: 'SOFTWARE_DOWNLOADED', detail: { remainingDownloads: 49 } });

    // quote and cancel
    const quote = (await gateway.run(CancellationQuoteDocument, { orderId: order.id }, 'ADMIN_AGENT')).data
      .cancellationQuote;
    expect(quote).toMatchObject({
      allowed: true,
      rule: 'MIXED',
      daysLeft: 30,
      credit: { amount: '43798.00', currency: 'USD' },
    });
    const cancelled = await gateway.run(
      CancelOrderDocument,
      { input: { idempotencyKey: randomUUID(), orderId: order.id, acknowledged: true, quoteToken: quote?.quoteToken } },
      'ADMIN_AGENT',
    );
    expect(cancelled.data.cancelOrder).toMatchObject({
      __typename: 'CancelOrderSuccess',
      // The provider may have answered by the time that the answer is read.
      cancellation: { status: expect.stringMatching(/^(PENDING|CONFIRMED)$/), credit: { amount: '43798.00' } },
    });
    expect(await entry()).toMatchObject({ action: 'CANCELLATION_REQUESTED' });
    expect(await entry()).toMatchObject({ action: 'CANCELLATION_CONFIRMED', resource: { label: order.number } });
    expect(await confirmations.nextOf('CancellationConfirmed')).toMatchObject({
      cancellation: { status: 'CONFIRMED', order: { number: order.number, status: 'CANCELLED' } },
    });

    // key and link are dead, the item stays
    const again = await gateway.run(
      RevealProductKeyDocument,
      { input: { entitlementId: perpetual.id, version: version.version } },
      'ADMIN_AGENT',
    );
    expect(again.data.revealProductKey).toMatchObject({
      __typename: 'EntitlementRevoked',
      code: 'ENTITLEMENT_REVOKED',
    });
    const dead = await fetch(url);
    expect([dead.status, await dead.json()]).toMatchObject([410, { code: 'REVOKED' }]);
    const after = await gateway.run(OrderDocument, { id: order.id }, 'ADMIN_AGENT');
    expect(after.data.order?.lines.map((line) => [line.status, line.entitlement?.status])).toEqual([
      ['CANCELLED', 'REVOKED'],
      ['CANCELLED', 'REVOKED'],
    ]);

    // the credit is on the next invoice
    const { data: billed } = await gateway.run(
      InvoicesDocument,
      { filter: { customerId: customer.id } },
      'BILLING_ADMIN',
    );
    expect(billed.invoices?.nodes).toHaveLength(1);
    expect(billed.invoices?.nodes[0]).toMatchObject({ status: 'OPEN', total: { amount: '0.00' } });
    expect(billed.invoices?.nodes[0]?.lines.map((line) => [line.kind, line.amount.amount])).toEqual(
      expect.arrayContaining([
        ['CHARGE', '27496.00'],
        ['CHARGE', '16302.00'],
        ['CREDIT', '-27496.00'],
        ['CREDIT', '-16302.00'],
      ]),
    );

    // the analyst sees the sale and its reversal
    const sales = await gateway.run(
      SalesDocument,
      { filter: { customerId: customer.id }, groupBy: ['CUSTOMER', 'KIND'] },
      'REPORT_VIEWER',
    );
    expect(sales.errors).toBeUndefined();
    expect(sales.data.sales).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: 'PERPETUAL_SOFTWARE',
          count: 1,
          quantity: 2,
          gross: { amount: '27496.00', currency: 'USD' },
          credited: { amount: '27496.00', currency: 'USD' },
          net: { amount: '0.00', currency: 'USD' },
        }),
        expect.objectContaining({ kind: 'SOFTWARE_SUBSCRIPTION', net: { amount: '0.00', currency: 'USD' } }),
      ]),
    );

    // the confirmation came once on each stream: what follows is the next purchase
    const next = await gateway.run(
      PurchaseDocument,
      input(customer, [{ ...skus.perpetual, quantity: 1 }]),
      'ADMIN_AGENT',
    );
    expect(next.data.purchase?.__typename).toBe('PurchaseSuccess');
    expect(await entry()).toMatchObject({ action: 'ORDER_PLACED' });
    await dashboard.end();
    await confirmations.end();
  });
});
