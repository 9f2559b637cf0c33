import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { idPrefixes, type NodeType, toGlobalId } from '../src/domain/global-id.js';
import { CancelOrderDocument, SubmitSupportRequestDocument } from './generated/graphql.js';
import { engine } from './support/database.js';
import { startTestGateway, type TestGateway } from './support/gateway.js';
import { aCustomer, buy, skus, stockShop } from './support/shop.js';

const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }';

describe(`global ids, on ${engine}`, () => {
  let gateway: TestGateway;
  let ids: Record<NodeType, string>;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    const customer = await aCustomer(gateway);
    const feed = await gateway.subscribe('subscription { activity { __typename } }');
    await feed.nextOf('FeedCaughtUp');
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    await gateway.run(
      CancelOrderDocument,
      { input: { idempotencyKey: randomUUID(), orderId: order.id, acknowledged: true } },
      'ADMIN_AGENT',
    );
    await gateway.run(SubmitSupportRequestDocument, {
      input: {
        idempotencyKey: randomUUID(),
        customerId: customer.id,
        topic: 'CSP Purchase/Refund on behalf of customers',
        impact: 'MINIMAL',
        title: 'Refund',
        description: 'Please.',
        contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
      },
    });
    // Readers see the entries once the feed has told them.
    await feed.nextOf('ActivityRecorded');
    await feed.end();
    const { data, errors } = await gateway.run(
      `query ($customer: ID!) {
        customer(by: { id: $customer }) {
          id
          orders { nodes { id lines { sku { id product { id } } } cancellations { id } } }
          software { nodes { id } }
          invoices { nodes { id } }
          supportRequests { nodes { id } }
          activity { nodes { id } }
        }
      }`,
      { customer: customer.id },
    );
    expect(errors).toBeUndefined();
    const { orders, software, invoices, supportRequests, activity, id } = data.customer;
    const [first] = orders.nodes;
    ids = {
      Customer: id,
      Order: first.id,
      Sku: first.lines[0].sku.id,
      Product: first.lines[0].sku.product.id,
      Cancellation: first.cancellations[0].id,
      Entitlement: software.nodes[0].id,
      Invoice: invoices.nodes[0].id,
      SupportRequest: supportRequests.nodes[0].id,
      ActivityEntry: activity.nodes[0].id,
    };
  });
  afterAll(() => gateway.stop());

  test.each(Object.keys(idPrefixes) as NodeType[])('node finds a %s again by its id', async (type) => {
    const { data, errors } = await gateway.run('query ($id: ID!) { node(id: $id) { __typename id } }', {
      id: ids[type],
    });
    expect({ data, errors }).toEqual({ data: { node: { __typename: type, id: ids[type] } }, errors: undefined });
  });

  test('nodes answers in the order of the ids, with null for what is missing, one twice as often as it is asked for', async () => {
    const missing = toGlobalId('Order', randomUUID());
    const asked = [ids.Order, missing, ids.Customer, ids.Order];
    const { data } = await gateway.run(NODES, { ids: asked });
    expect(data.nodes).toEqual([
      { __typename: 'Order', id: ids.Order },
      null,
      { __typename: 'Customer', id: ids.Customer },
      { __typename: 'Order', id: ids.Order },
    ]);
  });

  test('the fields of each type are read through node by fragments, under aliases', async () => {
    const { data, errors } = await gateway.run(
      `query ($ids: [ID!]!) {
        nodes(ids: $ids) {
          kind: __typename
          ... on Order { label: number, buyer: customer { companyName } }
          ... on Customer { name: companyName market { code } }
          ... on ActivityEntry { detail { __typename ... on OrderPlacedDetail { orderNumber } } }
        }
      }`,
      { ids: [ids.Order, ids.Customer, ids.ActivityEntry] },
    );
    expect(errors).toBeUndefined();
    expect(data.nodes).toEqual([
      { kind: 'Order', label: expect.any(String), buyer: { companyName: expect.any(String) } },
      { kind: 'Customer', name: expect.any(String), market: { code: 'US' } },
      { kind: 'ActivityEntry', detail: { __typename: 'OrderPlacedDetail', orderNumber: expect.any(String) } },
    ]);
  });

  test('an id of one type does not open a row of another', async () => {
    const [, uuid] = ids.Order.split('_');
    const { data } = await gateway.run(NODES, { ids: [`cus_${uuid}`, `inv_${uuid}`] });
    expect(data.nodes).toEqual([null, null]);
  });

  test.each([
    ['empty', ''],
    ['without prefix', randomUUID()],
    ['of an unknown prefix', `xxx_${randomUUID()}`],
    ['in upper case', toGlobalId('Order', randomUUID().toUpperCase())],
    ['with more behind', `${toGlobalId('Order', randomUUID())}\n`],
    ['with SQL behind', `${toGlobalId('Order', randomUUID())}' or true --`],
    ['of a prototype', '__proto__'],
    ['very long', 'ord_'.repeat(10_000)],
  ])('an id that is %s is bad input, and names the argument', async (_what, id) => {
    const { errors, data } = await gateway.run('query ($id: ID!) { node(id: $id) { id } }', { id });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'id' }, path: ['node'] }]);
    expect(data.node).toBeNull();
  });

  test('a broken id among many names its place; more than 100 are refused', async () => {
    const broken = await gateway.run(NODES, { ids: [ids.Order, 'broken'] });
    expect(broken.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'ids.1' } }]);
    const many = (count: number) => gateway.run(NODES, { ids: Array(count).fill(ids.Order) });
    expect((await many(100)).data.nodes).toHaveLength(100);
    expect((await many(101)).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'ids' } }]);
  });
});
