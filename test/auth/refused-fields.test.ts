import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toGlobalId } from '../../src/domain/global-id.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, stockShop } from '../support/shop.js';
import { buySoftware, entriesOf } from '../support/software.js';
import { aTenant, rawAnswer, type TestTenant } from '../support/tenants.js';

describe(`fields that the roles refuse, on ${engine}`, () => {
  let gateway: TestGateway;
  let mine: TestTenant;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    mine = await aTenant(gateway);
    await aTenant(gateway);
  });
  afterAll(() => gateway.stop());

  const refusals = (errors: { extensions: { code: string; coordinate: string } }[] = []) =>
    errors.map(({ extensions }) => `${extensions.code} ${extensions.coordinate}`).sort();

  test('are null with one error each, which names the coordinate and nobody who may, however often and deep they are asked for', async () => {
    const { data, errors } = await gateway.run(
      `query ($id: ID!) {
          customers(first: 5) { nodes { contact { email } again: contact { phone } ...Contact orders { nodes { customer { contact { email } } } } } }
          one: customer(by: { id: $id }) { contact { email } }
          node(id: $id) { ... on Customer { contact { email } } ...Contact }
          nodes(ids: [$id, $id]) { ...Contact }
        }
        fragment Contact on Customer { contact { firstName } }`,
      { id: mine.customer.id },
      'REPORT_VIEWER',
    );
    expect(errors).toHaveLength(1);
    expect(errors?.[0]).toMatchObject({ message: 'Customer.contact is not for your roles: REPORT_VIEWER.' });
    expect(errors?.[0].extensions).toEqual({ code: 'FORBIDDEN', coordinate: 'Customer.contact' });
    expect(data.customers.nodes.length).toBeGreaterThan(1);
    for (const node of data.customers.nodes) expect([node.contact, node.again]).toEqual([null, null]);
    expect([data.one.contact, data.node.contact, data.nodes]).toEqual([
      null,
      null,
      [{ contact: null }, { contact: null }],
    ]);
  });

  test('report nothing where they are not asked for: @skip, @include, fragments of other types', async () => {
    const query = `query ($id: ID!, $no: Boolean!) {
        customer(by: { id: $id }) {
          id contact @skip(if: true) { email } a: contact @include(if: $no) { email }
          ... @include(if: false) { contact { email } } ...Contact @include(if: $no) invoices @include(if: $no) { totalCount }
        }
        node(id: $id) { id ... on Invoice { number } ... on Order { lines { entitlement { id } } } ... on SupportRequest { contact { email } } }
      }
      fragment Contact on Customer { contact { email } }`;
    const quiet = await gateway.run(query, { id: mine.customer.id, no: false }, 'REPORT_VIEWER');
    expect(quiet.errors).toBeUndefined();
    expect(quiet.data).toEqual({ customer: { id: mine.customer.id }, node: { id: mine.customer.id } });
    const asked = await gateway.run(query, { id: mine.customer.id, no: true }, 'REPORT_VIEWER');
    expect(refusals(asked.errors)).toEqual(['FORBIDDEN Customer.contact', 'FORBIDDEN Customer.invoices']);
    const again = await gateway.run(query, { id: mine.customer.id, no: false }, 'REPORT_VIEWER');
    expect([again.data, again.errors]).toEqual([quiet.data, undefined]);
  });

  test('are refused by the type behind an interface, a union or a relation as well', async () => {
    const { data, errors } = await gateway.run(
      `query ($ids: [ID!]!, $id: ID!) {
          nodes(ids: $ids) { id }
          order(by: { id: $id }) { lines { entitlement { id status } } cancellations { credit { amount } lines { credit { amount } unitCredit { amount } } } }
        }`,
      { ids: Object.values(mine.ids), id: mine.order.id },
      'HELPDESK_AGENT',
    );
    expect(data.nodes.map((node: object | null) => node !== null)).toEqual(
      Object.keys(mine.ids).map((type) =>
        [
          'Customer',
          'Order',
          'OrderLine',
          'Cancellation',
          'CancellationLine',
          'SupportRequest',
          'SupportFile',
        ].includes(type),
      ),
    );
    expect(data.order.lines).toEqual([{ entitlement: null }]);
    expect(refusals(errors)).toEqual([
      'FORBIDDEN ActivityEntry',
      'FORBIDDEN Cancellation.credit',
      'FORBIDDEN CancellationLine.credit',
      'FORBIDDEN CancellationLine.unitCredit',
      'FORBIDDEN Entitlement',
      'FORBIDDEN Invoice',
      'FORBIDDEN InvoiceLine',
      'FORBIDDEN ReconciliationLine',
    ]);
  });

  test('of a type are refused by its id to who sees it only in its place: the customer of an entry, the SKU of a line', async () => {
    const query = 'query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }';
    const own = await gateway.run(
      'query ($id: ID!) { order(by: { id: $id }) { lines { sku { id product { id } softwareVersions { id } } } } }',
      { id: mine.order.id },
      mine.admin,
    );
    expect(own.errors).toBeUndefined();
    const [{ sku }] = own.data.order.lines;
    const log = await gateway.run(
      '{ activity(last: 1) { nodes { customer { id companyName domain tenantId market { code } segment } } } }',
      {},
      'ACCOUNT_ADMIN',
    );
    expect(log.errors).toBeUndefined();
    const [{ customer }] = log.data.activity.nodes;
    expect(customer).toMatchObject({ companyName: expect.any(String), market: { code: 'US' } });
    for (const [type, id, as] of [
      ['Customer', customer.id, 'ACCOUNT_ADMIN'],
      ['Sku', sku.id, mine.admin],
      ['Product', sku.product.id, mine.admin],
      ['SoftwareVersion', sku.softwareVersions[0].id, mine.admin],
    ] as const) {
      const { data, errors } = await gateway.run(query, { id }, as);
      expect([data, refusals(errors)]).toEqual([{ node: null, nodes: [null] }, [`FORBIDDEN ${type}`]]);
    }
  });

  test('say nothing about rows: a refused type answers the same for an id that exists and one that does not', async () => {
    const query = 'query ($id: ID!) { node(id: $id) { id } }';
    for (const type of ['Entitlement', 'Invoice', 'SupportRequest', 'ActivityEntry'] as const) {
      const there = await rawAnswer(gateway, query, { id: mine.ids[type] }, 'REPORT_VIEWER');
      expect(there).toBe(await rawAnswer(gateway, query, { id: toGlobalId(type, randomUUID()) }, 'REPORT_VIEWER'));
      expect(there).toContain('FORBIDDEN');
    }
  });

  test('stay refused in the feed, in a mutation’s answer, and behind an entry', async () => {
    const stream = await gateway.subscribe(
      `subscription { activity { __typename ... on FeedCaughtUp { cursor } ... on ActivityRecorded { entry { action customer { domain contact { email } orders { totalCount } } order { number } resource { label node { id } } detail { ... on OrderPlacedDetail { orderNumber total { amount } } } } } } }`,
      {},
      'MARKETING_CONTENT_ADMIN',
    );
    await stream.nextOf('FeedCaughtUp');
    const software = await buySoftware(gateway, await aCustomer(gateway));
    const message = await stream.next();
    await stream.end();
    expect(message.data.activity.entry).toEqual({
      action: 'ORDER_PLACED',
      customer: { domain: software.customer.domain, contact: null, orders: null },
      order: null,
      resource: { label: software.order.number, node: null },
      detail: { orderNumber: software.order.number, total: null },
    });
    expect(refusals(message.errors)).toEqual([
      'FORBIDDEN ActivityResource.node',
      'FORBIDDEN Customer.contact',
      'FORBIDDEN Customer.orders',
      'FORBIDDEN Order',
      'FORBIDDEN OrderPlacedDetail.total',
    ]);
  });

  test('rule 9: a refused mutation is refused under any alias and by any fragment, and the same attempt again is joined to its entry', async () => {
    const { entitlementId, choice, customer } = await buySoftware(gateway, await aCustomer(gateway));
    const { data, errors } = await gateway.run(
      `mutation ($id: ID!, $version: String!) {
          a: revealProductKey(input: { entitlementId: $id, version: $version }) { ... on RevealProductKeySuccess { productKey } }
          ...Again
          c: revealProductKey(input: { entitlementId: $id, version: $version }) @skip(if: true) { __typename }
        }
        fragment Again on Mutation { b: revealProductKey(input: { entitlementId: $id, version: $version }) { __typename } }`,
      { id: entitlementId, version: choice.version },
      'REPORT_VIEWER',
    );
    expect(data).toEqual({ a: null, b: null });
    expect(refusals(errors)).toEqual(['FORBIDDEN Mutation.revealProductKey']);
    expect(await entriesOf(gateway, { customerId: customer.id, actions: ['ACCESS_DENIED'] })).toHaveLength(1);
    expect(await gateway.sql(`select attempts from refused_attempts`)).toContainEqual({ attempts: 2 });
  });
});
