import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toGlobalId } from '../../src/domain/global-id.js';
import { engine } from '../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../support/gateway.js';
import { namedOperations } from '../support/operations.js';
import { skus, stockShop } from '../support/shop.js';
import { reveal, settled } from '../support/software.js';
import { aTenant, overSocket, rawAnswer, type TestTenant } from '../support/tenants.js';

describe(`rows of one tenant, on ${engine}`, () => {
  let gateway: TestGateway;
  let mine: TestTenant;
  let theirs: TestTenant;
  let me: Caller;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    mine = await aTenant(gateway);
    theirs = await aTenant(gateway);
    me = mine.admin;
  });
  afterAll(() => gateway.stop());

  const expectNothingOfTheirs = (answered: unknown) => {
    const text = JSON.stringify(answered);
    for (const secret of theirs.marks) expect(text).not.toContain(secret);
  };

  test('a CUSTOMER_ADMIN’s lists hold the own tenant’s rows only, and count only them', async () => {
    const query = `{
      customers { totalCount nodes { id tenantId domain companyName contact { email } orders { totalCount } activity { totalCount } } }
      orders { totalCount nodes { id number customer { domain } cancellations { id customer { domain } } } edges { cursor } }
      software { totalCount nodes { id customer { domain } order { number } orderLine { lineNumber } } }
      activity(first: 100) { totalCount nodes { id customer { domain } order { number } resource { nodeId node { __typename id } label } correlationId } }
    }`;
    const { data, errors } = await gateway.run(query, {}, me);
    expect(errors).toBeUndefined();
    expect(data).toMatchObject({
      customers: { totalCount: 1, nodes: [{ id: mine.customer.id }] },
      orders: { totalCount: 2 },
      software: { totalCount: 2 },
    });
    expect(data.activity.totalCount).toBe(data.activity.nodes.length);
    expect(data.activity.totalCount).toBe(data.customers.nodes[0].activity.totalCount);
    expectNothingOfTheirs(data);
  });

  test('a filter, an order or a cursor is no oracle: naming another tenant’s ids, users or values answers nothing', async () => {
    const { data: all } = await gateway.run(
      '{ customers(first: 100) { edges { cursor node { id } } } orders(first: 100) { edges { cursor node { id } } } activity(first: 100) { edges { cursor node { id } } } }',
    );
    const cursorOf = (list: string, id: string) =>
      all[list].edges.find((edge: { node: { id: string } }) => edge.node.id === id).cursor;
    for (const selection of [
      `customers(filter: { search: "${theirs.customer.domain.slice(0, 8)}" })`,
      `customers(filter: { domain: "${theirs.customer.domain}" })`,
      `customers(filter: { domain: "%" })`,
      `orders(filter: { customerId: "${theirs.customer.id}" })`,
      `software(filter: { customerId: "${theirs.customer.id}" })`,
      `activity(filter: { customerId: "${theirs.customer.id}" })`,
      `activity(filter: { orderId: "${theirs.order.id}" })`,
      `activity(filter: { actor: "admin@${theirs.customer.domain}" })`,
    ]) {
      const { data, errors } = await gateway.run(
        `{ list: ${selection} { totalCount nodes { id } pageInfo { startCursor hasNextPage } } }`,
        {},
        me,
      );
      expect([selection, errors, data.list]).toEqual([
        selection,
        undefined,
        { totalCount: 0, nodes: [], pageInfo: { startCursor: null, hasNextPage: false } },
      ]);
    }
    for (const [list, type] of [
      ['customers', 'Customer'],
      ['orders', 'Order'],
      ['activity', 'ActivityEntry'],
    ] as const) {
      for (const direction of ['ASC', 'DESC']) {
        for (const bound of ['after', 'before']) {
          const orderBy = { customers: `field: COMPANY_NAME, `, orders: 'field: PLACED_AT, ', activity: '' }[list];
          const { data, errors } = await gateway.run(
            `query ($cursor: String!) { list: ${list}(first: 100, ${bound}: $cursor, orderBy: { ${orderBy}direction: ${direction} }) { totalCount nodes { ... on Node { id } } } }`,
            { cursor: cursorOf(list, theirs.ids[type] as string) },
            me,
          );
          expect(errors).toBeUndefined();
          expectNothingOfTheirs(data);
        }
      }
    }
  });

  test('by id, by number, by domain, through node and nodes: another tenant’s is answered to the byte like a missing one', async () => {
    const none = Object.fromEntries(
      Object.keys(theirs.ids).map((type) => [type, toGlobalId(type as 'Order', randomUUID())]),
    );
    const [noDomain, noTenant] = [`${randomUUID().slice(0, 8)}.onmicrosoft.com`, randomUUID()];
    const lookups: [string, object, object][] = [
      ...Object.keys(none).map((type): [string, object, object] => [
        'query ($id: ID!) { node(id: $id) { __typename id ... on Customer { domain } ... on Order { number } ... on Entitlement { status } } }',
        { id: theirs.ids[type as 'Order'] },
        { id: none[type] },
      ]),
      [
        'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
        { ids: Object.values(theirs.ids) },
        { ids: Object.values(none) },
      ],
      ['query ($id: ID!) { order(by: { id: $id }) { number } }', { id: theirs.order.id }, { id: none['Order'] }],
      [
        'query ($id: String!) { order(by: { number: $id }) { id } }',
        { id: theirs.order.number },
        { id: '0123456789ab' },
      ],
      [
        'query ($id: ID!) { customer(by: { id: $id }) { domain contact { email } } }',
        { id: theirs.customer.id },
        { id: none['Customer'] },
      ],
      [
        'query ($id: String!) { customer(by: { domain: $id }) { id } }',
        { id: theirs.customer.domain },
        { id: noDomain },
      ],
      [
        'query ($id: UUID!) { customer(by: { tenantId: $id }) { id } }',
        { id: theirs.customer.tenantId },
        { id: noTenant },
      ],
    ];
    for (const [query, their, missing] of lookups) {
      expect(await rawAnswer(gateway, query, their, me)).toBe(await rawAnswer(gateway, query, missing, me));
    }
    const found = await gateway.run(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      { ids: Object.values(theirs.ids) },
      me,
    );
    expect(found.data.nodes).toEqual(Object.keys(none).map(() => null));
  });

  test('what a CUSTOMER_ADMIN may read of the own tenant is found by id; what only the partner reads is not', async () => {
    const { data, errors } = await gateway.run(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }',
      { ids: Object.values(mine.ids) },
      me,
    );
    const refused = ['Invoice', 'InvoiceLine', 'ReconciliationLine', 'SupportFile', 'SupportRequest'];
    expect(data.nodes).toEqual(
      Object.entries(mine.ids).map(([type, id]) => (refused.includes(type) ? null : { __typename: type, id })),
    );
    expect(errors?.map((error) => [error.extensions.code, error.extensions.coordinate]).sort()).toEqual(
      refused.map((type) => ['FORBIDDEN', type]),
    );
  });

  test('rows nested under an own one that point elsewhere are absent: an entry about another tenant’s order', async () => {
    await gateway.sql(
      `insert into activity_entries (id, action, outcome, actor, actor_role, customer_id, order_id, product_ids, resource_type, resource_id, resource_label, correlation_id, detail)
       values (?, 'ORDER_PLACED', 'SUCCEEDED', 'somebody@partner.example', 'ADMIN_AGENT', ?, ?, '{}', 'ORDER', ?, 'label', ?, '{"orderNumber": "n", "lineCount": 1, "total": "1.00", "currency": "USD"}')`,
      [randomUUID(), mine.customer.rowId, theirs.order.id.slice(4), theirs.order.id, randomUUID()],
    );
    await settled(gateway);
    const { data, errors } = await gateway.run(
      `{ activity(last: 1) { nodes { actor { userPrincipalName } order { id number customer { id } lines { entitlement { id } } } resource { node { id } } } } }`,
      {},
      me,
    );
    expect(errors).toBeUndefined();
    expect(data.activity.nodes).toEqual([
      { actor: { userPrincipalName: 'somebody@partner.example' }, order: null, resource: { node: null } },
    ]);
  });

  test('mutations reach the own tenant only, and change nothing of another’s', async () => {
    const before = await gateway.sql('select count(*)::int as count from product_keys');
    const refused = await reveal(gateway, theirs.entitlementId, theirs.choice.version, me);
    expect(refused.data.revealProductKey).toMatchObject({ __typename: 'EntitlementNotFound' });
    const link = await gateway.run(
      'mutation ($input: CreateDownloadLinkInput!) { createDownloadLink(input: $input) { __typename ... on Problem { code } } }',
      { input: { entitlementId: theirs.entitlementId, ...theirs.choice } },
      me,
    );
    expect(link.data.createDownloadLink).toEqual({ __typename: 'EntitlementNotFound', code: 'ENTITLEMENT_NOT_FOUND' });
    expect(await gateway.sql('select count(*)::int as count from product_keys')).toEqual(before);
  });

  test('a CUSTOMER_ADMIN of a tenant that is no customer, or of the partner’s own, reaches nothing', async () => {
    for (const tenantId of [randomUUID(), '5b1d0c7e-0000-4000-8000-00000000c500']) {
      const as = { token: await gateway.token('CUSTOMER_ADMIN', { domain: 'nobody.onmicrosoft.com', tenantId }) };
      const { data } = await gateway.run(
        'query ($id: ID!) { customers { totalCount } orders { totalCount } software { totalCount } activity { totalCount } node(id: $id) { id } }',
        { id: mine.order.id },
        as,
      );
      expect(data).toEqual({
        customers: { totalCount: 0 },
        orders: { totalCount: 0 },
        software: { totalCount: 0 },
        activity: { totalCount: 0 },
        node: null,
      });
    }
  });

  test('one document serves every role, tenant and variable: a compiled read is nobody else’s', async () => {
    const query = `query ($filter: OrderFilter, $first: Int, $deep: Boolean!) {
      customers(first: 100) { totalCount nodes { id contact { email } orders(filter: $filter, first: $first) { nodes { id customer @include(if: $deep) { domain contact { email } } } } } }
    }`;
    const variables = (of: TestTenant) => [
      { deep: true },
      { deep: false, filter: { customerId: of.customer.id }, first: 1 },
      { deep: true, filter: { customerId: of.customer.id, statuses: ['COMPLETED'] } },
    ];
    for (let round = 0; round < 4; round += 1) {
      for (const [software, as] of [
        [mine, me],
        [theirs, theirs.admin],
      ] as const) {
        for (const sent of variables(software)) {
          const { data, errors } = await gateway.run(query, sent, as);
          expect(errors).toBeUndefined();
          expect(data.customers.totalCount).toBe(1);
          expect(data.customers.nodes[0]).toMatchObject({
            id: software.customer.id,
            contact: { email: 'pat@example.com' },
          });
          for (const order of data.customers.nodes[0].orders.nodes) expect('customer' in order).toBe(sent.deep);
          for (const secret of (software === mine ? theirs : mine).marks)
            expect(JSON.stringify(data)).not.toContain(secret);
        }
      }
      for (const sent of variables(mine)) {
        const { data, errors } = await gateway.run(query, sent, 'REPORT_VIEWER');
        expect(data.customers.totalCount).toBeGreaterThan(1);
        expect(JSON.stringify(data)).not.toContain('pat@example.com');
        expect(errors?.map((error) => error.extensions.coordinate)).toEqual(['Customer.contact']);
      }
    }
  });

  test('what PostgreSQL’s text answers over HTTP is what execution answers over a socket, for every role and named query', async () => {
    const known: Record<string, unknown> = {
      id: theirs.order.id,
      domain: mine.customer.domain,
      by: { id: mine.customer.id },
      kind: 'AZURE_RESERVATION',
      groupBy: ['KIND'],
      productId: skus.perpetual.productId,
      market: 'US',
    };
    for (const operation of namedOperations().filter(
      ({ kind, name }) => kind === 'query' && name !== 'CancellationQuote' && name !== 'PurchasePreview',
    )) {
      for (const caller of [null, me, 'GLOBAL_ADMIN', 'ACCOUNT_ADMIN', 'REPORT_VIEWER', 'SALES_AGENT'] as const) {
        // One token for both: `viewer { expiresAt }` of two that were signed a moment apart may differ by a second.
        const as = typeof caller === 'string' ? { token: await gateway.token(caller) } : caller;
        const { data, errors } = await gateway.run(operation.text, known, as);
        const message = await overSocket(gateway, operation.text, known, as);
        const told = (list: { extensions: object }[] = []) => list.map(({ extensions }) => extensions);
        expect([operation.name, caller, told(errors), data]).toEqual([
          operation.name,
          caller,
          told(message.errors),
          message.data,
        ]);
      }
    }
  });

  test('an alias may be named like anything: __typename, a table, a column, a type', async () => {
    const list = `{ activity(filter: { orderId: "${mine.order.id}" }) { t1: nodes { __typename: correlationId t2: id id: at xid: outcome
      detail { ... on OrderPlacedDetail { kind: __typename __typename: orderNumber } ... on ProductKeyRevealedDetail { __typename: version } } } } }`;
    const [text, executed] = [await gateway.run(list, {}, me), await overSocket(gateway, list, {}, me)];
    expect(text.errors).toBeUndefined();
    expect(executed.data).toEqual(text.data);
    expect(text.data.activity.t1.map((entry: { detail: object }) => entry.detail)).toEqual([
      { kind: 'OrderPlacedDetail', __typename: mine.order.number },
      {},
      { __typename: mine.choice.version },
    ]);

    const one = `query ($id: ID!) { node(id: $id) { type: __typename ... on Customer { __typename: companyName Order: domain } } }`;
    expect((await gateway.run(one, { id: mine.customer.id }, me)).data.node).toEqual({
      type: 'Customer',
      __typename: `Company ${mine.customer.rowId.slice(0, 8)}`,
      Order: mine.customer.domain,
    });
  });
});
