import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Role } from '../../src/auth/role.js';
import { idPrefixes, type NodeType, toGlobalId } from '../../src/domain/global-id.js';
import { engine } from '../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../support/gateway.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { aJob, aReconciledLine, stockShop } from '../support/shop.js';
import { aTenant, type CatalogType, overSocket, type TestTenant } from '../support/tenants.js';
import { sessionsOf } from '../support/users.js';

const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }';

describe(`global ids, on ${engine}`, () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let ids: Record<NodeType, string>;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    tenant = await aTenant(gateway);
    const { data, errors } = await gateway.run(
      `query ($order: ID!) {
        order(by: { id: $order }) {
          market { id }
          lines { sku { id product { id } softwareVersions { id } price(market: "US") { id } } }
        }
      }`,
      { order: tenant.order.id },
    );
    expect(errors).toBeUndefined();
    const { market, lines } = data.order;
    const [{ sku }] = lines;
    const user = 'watched@partner.example';
    await openAcknowledged(gateway, await gateway.token('ADMIN_AGENT', { user }));
    const [session] = await sessionsOf(gateway, user, 1);
    ids = {
      ...tenant.ids,
      Session: session?.id as string,
      Job: await aJob(gateway, tenant.order),
      Reconciliation: (await aReconciledLine(gateway, tenant.ids.InvoiceLine)).Reconciliation,
      Market: market.id,
      Product: sku.product.id,
      Sku: sku.id,
      SoftwareVersion: sku.softwareVersions[0].id,
      Price: sku.price.id,
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
          ... on ActivityEntry { detail { __typename ... on SupportRequestSubmittedDetail { topic } } }
        }
      }`,
      { ids: [ids.Order, ids.Customer, ids.ActivityEntry] },
    );
    expect(errors).toBeUndefined();
    expect(data.nodes).toEqual([
      { kind: 'Order', label: expect.any(String), buyer: { companyName: expect.any(String) } },
      { kind: 'Customer', name: expect.any(String), market: { code: 'US' } },
      {
        kind: 'ActivityEntry',
        detail: { __typename: 'SupportRequestSubmittedDetail', topic: expect.any(String) },
      },
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

  test('an id that is none of ours leaves a null in its place among many; more than 100 are refused', async () => {
    const malformed = [
      'broken',
      '',
      'ord_\x01',
      `ver_${randomUUID()}_\x01`,
      'mkt_usa',
      `mkt_${randomUUID()}`,
      'ord_'.repeat(99),
    ];
    const { data, errors } = await gateway.run(NODES, { ids: [ids.Order, ...malformed, ids.Market] });
    expect(errors).toBeUndefined();
    expect(data.nodes).toEqual([
      { __typename: 'Order', id: ids.Order },
      ...malformed.map(() => null),
      { __typename: 'Market', id: ids.Market },
    ]);
    expect((await gateway.run(NODES, { ids: malformed })).data.nodes).toEqual(malformed.map(() => null));
    const many = (count: number) => gateway.run(NODES, { ids: Array(count).fill(ids.Order) });
    expect((await many(100)).data.nodes).toHaveLength(100);
    expect((await many(101)).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'ids' } }]);
  });

  test('a market goes by its code, a software version by its SKU and name', async () => {
    expect(ids.Market).toBe('mkt_US');
    const version = 'R2_x "2" — ü';
    const sku = ids.Sku.slice(4);
    await gateway.sql(
      `insert into software_versions (sku_id, version, position, languages, architectures) values (?, ?, 99, '{en-US}', '{x64}')`,
      [sku, version],
    );
    const id = toGlobalId('SoftwareVersion', `${sku}_${version}`);
    const query = 'query ($id: ID!) { node(id: $id) { ... on SoftwareVersion { id version } } }';
    expect((await gateway.run(query, { id })).data.node).toEqual({ id, version });
    expect((await gateway.run(NODES, { ids: [id, ids.SoftwareVersion] })).data.nodes).toEqual([
      { __typename: 'SoftwareVersion', id },
      { __typename: 'SoftwareVersion', id: ids.SoftwareVersion },
    ]);
    await gateway.sql('delete from software_versions where position = 99');
  });

  test('lines and files are their parents’: found by who reads those, in whose tenant they lie, and refused to others', async () => {
    const query = 'query ($id: ID!) { node(id: $id) { __typename } }';
    const stranger = (await aTenant(gateway)).admin;
    const readers: [Exclude<NodeType, CatalogType>, NodeType, Role, Role][] = [
      ['OrderLine', 'Order', 'REPORT_VIEWER', 'ACCOUNT_ADMIN'],
      ['CancellationLine', 'Cancellation', 'REPORT_VIEWER', 'ACCOUNT_ADMIN'],
      ['InvoiceLine', 'Invoice', 'BILLING_ADMIN', 'SALES_AGENT'],
      ['SupportFile', 'SupportRequest', 'HELPDESK_AGENT', 'BILLING_ADMIN'],
    ];
    for (const [type, parent, reader, other] of readers) {
      const asked = async (as: Caller) => {
        const [own, of] = [
          await gateway.run(query, { id: ids[type] }, as),
          await gateway.run(query, { id: ids[parent] }, as),
        ];
        expect([type, own.errors?.[0].extensions.code]).toEqual([type, of.errors?.[0].extensions.code]);
        return own;
      };
      expect((await asked(reader)).data.node).toEqual({ __typename: type });
      expect(await asked(other)).toMatchObject({
        data: { node: null },
        errors: [{ extensions: { code: 'FORBIDDEN' } }],
      });
      expect((await asked(stranger)).data.node).toBeNull();
    }
    const price = await gateway.run(query, { id: ids.Price }, stranger);
    expect(price).toMatchObject({ data: { node: null }, errors: [{ extensions: { coordinate: 'Price' } }] });
  });

  const RESOURCES = `query ($id: ID!) { customer(by: { id: $id }) { activity { nodes { action resource { type nodeId
    node { __typename id ... on Order { number lines { id } } ... on Entitlement { status } } } } } } }`;

  test('an entry’s resource points at its node, of whichever type, and has no id of its own', async () => {
    const { data, errors } = await gateway.run(RESOURCES, { id: ids.Customer });
    expect(errors).toBeUndefined();
    const nodes: { action: string; resource: { type: string; nodeId: string; node: { id: string } } }[] =
      data.customer.activity.nodes;
    for (const { resource } of nodes) expect(resource.node.id).toBe(resource.nodeId);
    expect(nodes.find(({ action }) => action === 'PRODUCT_KEY_REVEALED')?.resource).toEqual({
      type: 'ENTITLEMENT',
      nodeId: ids.Entitlement,
      node: { __typename: 'Entitlement', id: ids.Entitlement, status: 'ACTIVE' },
    });
    expect(nodes.find(({ resource }) => resource.nodeId === ids.Order)?.resource).toEqual({
      type: 'ORDER',
      nodeId: ids.Order,
      node: { __typename: 'Order', id: ids.Order, number: tenant.order.number, lines: [{ id: ids.OrderLine }] },
    });
    expect(nodes.at(-1)?.resource.node).toEqual({ __typename: 'SupportRequest', id: ids.SupportRequest });
    const executed = await overSocket(gateway, RESOURCES, { id: ids.Customer }, 'GLOBAL_ADMIN');
    expect(JSON.stringify(executed.data)).toBe(JSON.stringify(data));
  });

  test('the feed tells what an entry points at, too', async () => {
    const { data } = await gateway.run('{ activity(first: 1) { pageInfo { endCursor } } }');
    const stream = await gateway.subscribe(
      `subscription ($after: String, $id: ID) { activity(after: $after, filter: { customerId: $id }) { __typename
        ... on ActivityRecorded { entry { resource { nodeId node { __typename id ... on Order { number } } } } } } }`,
      { after: data.activity.pageInfo.endCursor, id: ids.Customer },
    );
    const message = await stream.nextOf('ActivityRecorded');
    await stream.end();
    const { nodeId } = message.entry.resource;
    expect(message.entry.resource.node).toEqual({ __typename: 'Order', id: nodeId, number: expect.any(String) });
  });

  test('the node is null where roles do not reach it: of one type silently, of all with the refusal', async () => {
    const own = await gateway.run(RESOURCES, { id: ids.Customer }, tenant.admin);
    expect(own.errors).toBeUndefined();
    const reached = own.data.customer.activity.nodes.map(
      ({ resource: { type, node } }: { resource: { type: string; node: object | null } }) => [type, node !== null],
    );
    expect(new Map(reached)).toEqual(
      new Map([
        ['ORDER', true],
        ['ENTITLEMENT', true],
        ['SUPPORT_REQUEST', false],
      ]),
    );
    const log = await gateway.run(
      '{ activity(last: 5) { nodes { resource { nodeId node { id } } } } }',
      {},
      'ACCOUNT_ADMIN',
    );
    expect(log.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', coordinate: 'ActivityResource.node' } }]);
    for (const { resource } of log.data.activity.nodes)
      expect(resource).toEqual({ nodeId: expect.any(String), node: null });
  });
});
