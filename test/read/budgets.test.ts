import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toGlobalId } from '../../src/domain/global-id.js';
import { RevokeAccessDocument, SubmitSupportRequestDocument } from '../generated/graphql.js';
import { engine, serverUrl } from '../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../support/gateway.js';
import { namedOperations } from '../support/operations.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { aCustomer, aJob, buy, keysToStore, skus, stockShop, type TestCustomer } from '../support/shop.js';
import { recordStatements, type StatementRecorder } from '../support/statements.js';
import { come, sessionsOf } from '../support/users.js';

/**
 * Statements of each named operation, transaction brackets counted. A read is one statement for each root field,
 * whatever it selects; a number that grows with rows or lines is an N+1. Change one only with the reason in the commit.
 */
const BUDGETS: Record<string, number> = {
  Activity: 1,
  ActivityPage: 1,
  CancelOrder: 7,
  CancellationQuote: 4,
  ClosedMarkets: 1,
  CreateDownloadLink: 9,
  CustomerByAny: 1,
  CustomerContacts: 1,
  Customers: 1,
  CustomersWithOrders: 1,
  EndSession: 6,
  FindCustomer: 1,
  GiveUpJob: 10,
  Invoices: 1,
  Jobs: 1,
  Markets: 1,
  MirroredOrder: 1,
  Order: 1,
  Offers: 1,
  Orders: 1,
  PeriodicWork: 1,
  Prices: 1,
  Products: 1,
  Purchase: 6,
  Purchased: 1,
  RevealProductKey: 14,
  PurchasePreview: 4,
  RestoreAccess: 7,
  Reconciliations: 1,
  ReconciliationLines: 1,
  RetryJob: 9,
  RevokeAccess: 11,
  Sales: 1,
  Sessions: 1,
  Software: 1,
  StoreProductKeys: 14,
  SubmitSupportRequest: 9,
  SupportRequests: 1,
  SupportTopics: 0,
  UpdateSupportRequest: 10,
  // There is none.
  Upstream: 0,
  Viewer: 0,
};

describe(`statements of each named operation, on ${engine}`, () => {
  let gateway: TestGateway;
  let statements: StatementRecorder;
  let customer: TestCustomer;
  let orders: { id: string; lines: readonly { lineNumber: number }[] }[];
  let entitlementId: string;
  let sessionId: string;
  let supportRequestId: string;
  const jobIds: string[] = [];

  beforeAll(async () => {
    // Fulfilment comes later than the test ends: it is no work of the request.
    gateway = await startTestGateway({ config: { fulfilmentDelayMs: 3_600_000 } });
    await stockShop(gateway);
    customer = await aCustomer(gateway);
    const lines = Object.values(skus).map((sku) => ({ ...sku, quantity: 2 }));
    orders = [];
    for (let turn = 0; turn < 4; turn++) orders.push(await buy(gateway, customer, lines));
    const [entitlement] = await gateway.sql<{ id: string }>(
      `select e.id from entitlements e join skus s on s.id = e.sku_id join order_lines l on l.id = e.order_line_id
       where s.kind = 'PERPETUAL_SOFTWARE' and l.order_id <> ?`,
      [orders[0]?.id.slice(4)],
    );
    entitlementId = toGlobalId('Entitlement', entitlement?.id as string);
    for (const user of ['leaver@partner.example', 'returner@partner.example']) await come(gateway, user);
    await gateway.run(RevokeAccessDocument, { input: { userPrincipalName: 'returner@partner.example' } });
    const support = variablesOf()['SubmitSupportRequest'];
    const submitted = await gateway.run(SubmitSupportRequestDocument, support as never, 'ADMIN_AGENT');
    if (submitted.data.submitSupportRequest?.__typename !== 'SubmitSupportRequestSuccess')
      throw new Error('not submitted');
    supportRequestId = submitted.data.submitSupportRequest.supportRequest.id;
    const user = 'watched@partner.example';
    await openAcknowledged(gateway, await gateway.token('ADMIN_AGENT', { user }));
    sessionId = (await sessionsOf(gateway, user, 1))[0]?.id as string;
    for (const order of orders.slice(2)) jobIds.push(await aJob(gateway, order));
    statements = await recordStatements(gateway);
  });
  afterAll(async () => {
    statements.stop();
    await gateway.stop();
  });

  const statementsOf = async (text: string, variables: Record<string, unknown>, as: Caller | null) => {
    const texts = await statements.of(async () => {
      const { data, errors } = await gateway.run(text, variables, as);
      if (errors) throw new Error(JSON.stringify(errors));
      for (const answer of Object.values(data))
        expect((answer as { __typename?: string } | null)?.__typename ?? 'read').toMatch(/Success$|^read$/);
    });
    return texts.length;
  };

  const variablesOf = (): Record<string, Record<string, unknown>> => {
    const idempotencyKey = randomUUID();
    const order = orders[0]?.id;
    const purchased = Object.values(skus).map((sku) => ({ ...sku, quantity: 1 }));
    return {
      ClosedMarkets: { kind: 'AZURE_RESERVATION' },
      Prices: { productId: skus.perpetual.productId, market: 'US' },
      Offers: { productId: skus.perpetual.productId, market: 'US' },
      FindCustomer: { domain: customer.domain },
      CustomerByAny: { by: { id: customer.id } },
      Order: { id: order },
      MirroredOrder: { id: order },
      Purchased: { id: order },
      CancellationQuote: { orderId: order, lineNumbers: [0, 1] },
      Sales: { groupBy: ['MONTH', 'MARKET', 'PRODUCT'], filter: { from: '2020-01-01T10:00:00Z' } },
      Purchase: { input: { idempotencyKey, customerId: customer.id, lines: purchased } },
      PurchasePreview: { input: { customerId: customer.id, lines: purchased } },
      CancelOrder: { input: { idempotencyKey, orderId: order, acknowledged: true, lineNumbers: [0, 1] } },
      RevealProductKey: { input: { entitlementId, version: '2019' } },
      CreateDownloadLink: { input: { entitlementId, version: '2019', language: 'en-US', architecture: 'x64' } },
      RevokeAccess: { input: { userPrincipalName: 'leaver@partner.example' } },
      RestoreAccess: { input: { userPrincipalName: 'returner@partner.example' } },
      EndSession: { input: { sessionId } },
      StoreProductKeys: { input: keysToStore() },
      UpdateSupportRequest: { input: { idempotencyKey, supportRequestId, status: 'CLOSED', note: 'Done.' } },
      RetryJob: { input: { jobId: jobIds[0] } },
      GiveUpJob: { input: { jobId: jobIds[1], reason: 'Not today' } },
      SubmitSupportRequest: {
        input: {
          idempotencyKey,
          customerId: customer.id,
          orderId: order,
          topic: 'CSP Purchase/Refund on behalf of customers',
          impact: 'MINIMAL',
          title: 'Refund',
          description: 'Please refund.',
          contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
        },
      },
    };
  };
  const callerOf = (name: string): Caller =>
    /^Activity|^Re(voke|store)Access|^Sales|Session|Job|^Periodic/.test(name) ? 'GLOBAL_ADMIN' : 'ADMIN_AGENT';

  // Mutations come last: what they change is read by none of the others.
  const operations = namedOperations()
    .filter(({ kind }) => kind !== 'subscription')
    .toSorted((a, b) => (a.kind === b.kind ? 0 : a.kind === 'query' ? -1 : 1));

  test('every operation takes as many statements as it is allowed', async () => {
    const taken: Record<string, number | undefined> = {};
    const given = variablesOf();
    for (const { name, text } of operations) taken[name] = await statementsOf(text, given[name] ?? {}, callerOf(name));
    // The embedded database runs a transaction's statements past its own `query`: there only reads are counted.
    const counted = operations.filter(
      ({ name, kind }) => serverUrl || (kind === 'query' && name !== 'CancellationQuote' && name !== 'PurchasePreview'),
    );
    const ofCounted = (all: Record<string, number | undefined>) => counted.map(({ name }) => [name, all[name]]);
    expect(ofCounted(taken)).toEqual(ofCounted(BUDGETS));
    expect(Object.keys(taken).toSorted()).toEqual(Object.keys(BUDGETS).toSorted());
  });

  const onServerOnly = serverUrl ? test : test.skip;
  onServerOnly('a purchase takes as many statements for fifty lines as for one', async () => {
    const { text } = operations.find(({ name }) => name === 'Purchase') as { text: string };
    const taken: number[] = [];
    for (const lines of [1, 2, 50]) {
      const input = {
        idempotencyKey: randomUUID(),
        customerId: customer.id,
        lines: Array.from({ length: lines }, () => ({ ...skus.perpetual, quantity: 1 })),
      };
      taken.push(await statementsOf(text, { input }, 'ADMIN_AGENT'));
    }
    expect(taken).toEqual(Array(3).fill(BUDGETS['Purchase']));
  });

  test('a list of many takes no more than a list of few', async () => {
    const { text } = operations.find(({ name }) => name === 'Orders') as { text: string };
    const few = await statementsOf(text, { first: 1 }, 'ADMIN_AGENT');
    const many = await statementsOf(text, { first: 100 }, 'ADMIN_AGENT');
    expect(many).toBe(few);
  });
});
