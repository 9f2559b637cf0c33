import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { Role } from '../../../src/auth/role.js';
import {
  ActivityDocument,
  type ActivityQuery,
  CancelOrderDocument,
  EndSessionDocument,
  RestoreAccessDocument,
  RevokeAccessDocument,
  StoreProductKeysDocument,
} from '../../generated/graphql.js';
import { engine, serverUrl } from '../../support/database.js';
import { type Answer, startTestGateway, type TestGateway } from '../../support/gateway.js';
import { openAcknowledged } from '../../support/raw-socket.js';
import { aCustomer, buy, keysToStore, skus, stockShop } from '../../support/shop.js';
import { adminOf, buySoftware, cancelAndConfirm, entriesOf, linkOf, reveal, settled } from '../../support/software.js';
import { aTenant, type TestTenant } from '../../support/tenants.js';
import { come, sessionsOf } from '../../support/users.js';

describe(`the activity log, on ${engine}`, () => {
  let gateway: TestGateway;
  const refused = new Set<string>();
  let mine: TestTenant;
  let theirs: TestTenant;
  beforeAll(async () => {
    gateway = await startTestGateway({
      provider: {
        purchase: null,
        cancel: async ({ orderNumber }) => (refused.has(orderNumber) ? { refused: 'not today' } : 'confirmed'),
      },
    });
    await stockShop(gateway);
    mine = await aTenant(gateway);
    theirs = await aTenant(gateway);
  });
  afterAll(() => gateway.stop());

  test('rule 22: an entry says who, in which role, by which application, did what, to what, for whom, when, with which outcome', async () => {
    const customer = await aCustomer(gateway);
    const correlationId = randomUUID();
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-correlation-id': correlationId,
        authorization: `Bearer ${await gateway.token('ADMIN_AGENT', { user: 'berta@partner.example' })}`,
      },
      body: JSON.stringify({
        query:
          'mutation ($input: PurchaseInput!) { purchase(input: $input) { ... on PurchaseSuccess { order { id number } } } }',
        variables: {
          input: {
            idempotencyKey: randomUUID(),
            customerId: customer.id,
            lines: [{ ...skus.perpetual, quantity: 1 }],
          },
        },
      }),
    });
    const { data } = (await response.json()) as { data: { purchase: { order: { id: string; number: string } } } };
    expect(response.headers.get('x-correlation-id')).toBe(correlationId);
    const { order } = data.purchase;
    await settled(gateway);
    const { data: log } = await gateway.run(
      `query ($filter: ActivityFilter) { activity(filter: $filter) { nodes {
        id at action outcome correlationId productIds actor { userPrincipalName role application } customer { id } order { id } resource { type nodeId node { __typename ... on Order { id number } } label }
        detail { __typename ... on OrderPlacedDetail { orderNumber lineCount total { amount currency } } } } } }`,
      { filter: { orderId: order.id, actions: ['ORDER_PLACED'] } },
    );
    expect(log.activity.nodes).toEqual([
      {
        id: expect.stringMatching(/^act_/),
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        action: 'ORDER_PLACED',
        outcome: 'SUCCEEDED',
        correlationId,
        productIds: [skus.perpetual.productId],
        actor: { userPrincipalName: 'berta@partner.example', role: 'ADMIN_AGENT', application: 'csp-graph-demo' },
        customer: { id: customer.id },
        order: { id: order.id },
        resource: {
          type: 'ORDER',
          nodeId: order.id,
          node: { __typename: 'Order', id: order.id, number: order.number },
          label: order.number,
        },
        detail: {
          __typename: 'OrderPlacedDetail',
          orderNumber: order.number,
          lineCount: 1,
          total: { amount: '13748.00', currency: 'USD' },
        },
      },
    ]);
  });

  test('rule 22: one fixed shape of the detail per action, stored and shown', async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway));
    await reveal(gateway, software.entitlementId, software.choice.version);
    await fetch((await linkOf(gateway, software)).url);
    await reveal(gateway, software.entitlementId, software.choice.version, 'SALES_AGENT');
    const stubborn = await buySoftware(gateway, software.customer);
    refused.add(stubborn.order.number);
    const stream = await gateway.subscribe(
      'subscription { activity(filter: { actions: [CANCELLATION_REFUSED] }) { __typename } }',
    );
    await stream.nextOf('FeedCaughtUp');
    await gateway.run(
      CancelOrderDocument,
      { input: { idempotencyKey: randomUUID(), orderId: stubborn.order.id, acknowledged: true, reason: 'a mistake' } },
      'ADMIN_AGENT',
    );
    await stream.nextOf('ActivityRecorded');
    await stream.end();
    await cancelAndConfirm(gateway, software);
    await come(gateway, 'old@partner.example');
    await gateway.run(RevokeAccessDocument, { input: { userPrincipalName: 'old@partner.example', reason: 'left' } });
    await gateway.run(RestoreAccessDocument, { input: { userPrincipalName: 'old@partner.example' } });
    await openAcknowledged(gateway, await gateway.token('ADMIN_AGENT', { user: 'old@partner.example' }));
    const [session] = await sessionsOf(gateway, 'old@partner.example', 1);
    await gateway.run(EndSessionDocument, { input: { sessionId: session?.id as string } });
    const real = await buySoftware(gateway, await aCustomer(gateway, { isDemonstration: false }));
    await reveal(gateway, real.entitlementId, real.choice.version);
    await gateway.run(StoreProductKeysDocument, { input: keysToStore() });
    // `mine` brings the support request.
    await settled(gateway);

    const stored = await gateway.sql<{ action: string; outcomes: string[]; shapes: string[][] }>(
      `select action, array_to_json(array_agg(distinct outcome)) as outcomes, json_agg(distinct (select to_jsonb(array_agg(key order by key)) from jsonb_object_keys(detail) as key)) as shapes
       from activity_entries group by action order by action collate "C"`,
    );
    const parsed = (value: unknown) => (typeof value === 'string' ? JSON.parse(value) : value);
    const cancellation = ['cancellationId', 'credit', 'currency', 'lineNumbers', 'orderNumber'];
    expect(stored.map(({ action, outcomes, shapes }) => [action, parsed(outcomes), parsed(shapes)])).toEqual([
      ['ACCESS_DENIED', ['DENIED'], [['attempts', 'operation', 'reason']]],
      ['ACCESS_RESTORED', ['SUCCEEDED'], [['objectId', 'reason', 'userPrincipalName']]],
      ['ACCESS_REVOKED', ['SUCCEEDED'], [['objectId', 'reason', 'userPrincipalName']]],
      ['CANCELLATION_CONFIRMED', ['SUCCEEDED'], [cancellation]],
      ['CANCELLATION_REFUSED', ['FAILED'], [['cancellationId', 'lineNumbers', 'orderNumber', 'problem']]],
      ['CANCELLATION_REQUESTED', ['SUCCEEDED'], [[...cancellation, 'reason']]],
      ['DOWNLOAD_LINK_CREATED', ['SUCCEEDED'], [['architecture', 'expiresAt', 'language', 'version']]],
      ['ORDER_CONFIRMED', ['SUCCEEDED'], [['currency', 'lineCount', 'orderNumber', 'total']]],
      ['ORDER_PLACED', ['SUCCEEDED'], [['currency', 'lineCount', 'orderNumber', 'total']]],
      ['PRODUCT_KEYS_RAN_OUT', ['FAILED'], [['version']]],
      ['PRODUCT_KEYS_STORED', ['SUCCEEDED'], [['count', 'version']]],
      ['PRODUCT_KEY_REVEALED', ['SUCCEEDED'], [['isInvented', 'version']]],
      ['SESSION_ENDED', ['SUCCEEDED'], [['objectId', 'transport', 'userPrincipalName']]],
      [
        'SOFTWARE_DOWNLOADED',
        ['SUCCEEDED'],
        [['address', 'architecture', 'language', 'remainingDownloads', 'version']],
      ],
      ['SUPPORT_REQUEST_SUBMITTED', ['SUCCEEDED'], [['impact', 'supportRequestNumber', 'topic']]],
    ]);
    const shown = await entriesOf(gateway, {});
    for (const { action, detail } of shown) {
      const words = action.toLowerCase().split('_');
      expect(detail.__typename).toBe(`${words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('')}Detail`);
      expect(Object.values(detail)).not.toContain(undefined);
    }
    expect(
      shown.find((entry) => entry.action === 'CANCELLATION_REQUESTED' && entry.resource.nodeId === stubborn.order.id)
        ?.detail,
    ).toEqual({
      __typename: 'CancellationRequestedDetail',
      orderNumber: stubborn.order.number,
      lineNumbers: [0],
      reason: 'a mistake',
    });
  });

  test('rule 22: append-only: no UPDATE, DELETE or TRUNCATE, not even by hand in SQL', async () => {
    const before = await gateway.sql('select count(*)::int as count from activity_entries');
    for (const statement of [
      "update activity_entries set actor = 'nobody'",
      "update activity_entries set actor = 'nobody' where false",
      'delete from activity_entries',
      'delete from activity_entries where seq = 1',
      'truncate activity_entries',
      'truncate activity_entries cascade',
      "insert into activity_entries select * from activity_entries on conflict (seq) do update set actor = 'nobody'",
    ]) {
      await expect(gateway.sql(statement)).rejects.toThrow(/append-only|permission denied/);
    }
    expect(await gateway.sql('select count(*)::int as count from activity_entries')).toEqual(before);
  });

  test('rule 23: the log is read by GLOBAL_ADMIN, ACCOUNT_ADMIN, REFERRAL_ADMIN, MARKETING_CONTENT_ADMIN and, of their tenant, CUSTOMER_ADMIN', async () => {
    const readers = ['GLOBAL_ADMIN', 'ACCOUNT_ADMIN', 'REFERRAL_ADMIN', 'MARKETING_CONTENT_ADMIN', 'CUSTOMER_ADMIN'];
    const query = `query ($id: ID!, $customer: ID!) { activity { totalCount } node(id: $id) { id } customer(by: { id: $customer }) { activity { totalCount } } }`;
    for (const role of Object.values(Role)) {
      const as = role === 'CUSTOMER_ADMIN' ? mine.admin : role;
      const { data } = await gateway.run(query, { id: mine.ids.ActivityEntry, customer: mine.customer.id }, as);
      const may = readers.includes(role);
      expect([role, data.activity !== null, data.node !== null]).toEqual([role, may, may]);
      if (!may) expect(data.customer.activity).toBeNull();
    }
  });

  test('rule 23: a CUSTOMER_ADMIN reads the own tenant’s entries only: in the list, of the customer, and by id', async () => {
    const all = (await entriesOf(gateway, { customerId: mine.customer.id })).map((entry) => entry.id);
    const { data } = await gateway.run(
      `query ($mine: ID!, $theirs: ID!, $ids: [ID!]!) {
        activity(first: 100) { totalCount nodes { id } } customers { nodes { activity(first: 100) { totalCount nodes { id } } } }
        own: activity(filter: { customerId: $mine }) { totalCount } none: activity(filter: { customerId: $theirs }) { totalCount } nodes(ids: $ids) { id } }`,
      {
        mine: mine.customer.id,
        theirs: theirs.customer.id,
        ids: [mine.ids.ActivityEntry, theirs.ids.ActivityEntry],
      },
      mine.admin,
    );
    const page = { totalCount: all.length, nodes: all.map((id) => ({ id })) };
    expect(data).toEqual({
      activity: page,
      customers: { nodes: [{ activity: page }] },
      own: { totalCount: all.length },
      none: { totalCount: 0 },
      nodes: [{ id: mine.ids.ActivityEntry }, null],
    });
    expect(all.length).toBeGreaterThan(4);
  });

  test('rule 23: filters by time, actions, actor, customer, order and product, alone and together', async () => {
    const customer = await aCustomer(gateway);
    const software = await buySoftware(gateway, customer);
    const other = await buySoftware(gateway, customer, skus.subscription);
    const reservation = await buy(gateway, customer, [{ ...skus.reservation, quantity: 1 }]);
    await reveal(gateway, software.entitlementId, software.choice.version, await adminOf(gateway, customer));
    const mineOnly = { customerId: customer.id };
    const entries = await entriesOf(gateway, mineOnly);
    const shown = async (filter: object) =>
      (await entriesOf(gateway, filter)).map((entry) => [entry.action, entry.resource.label]);
    const bought = ({ number }: { number: string }) => [
      ['ORDER_PLACED', number],
      ['ORDER_CONFIRMED', number],
    ];
    const placed = ['ORDER_PLACED', software.order.number];
    const revealed = ['PRODUCT_KEY_REVEALED', expect.any(String)];
    const at = (index: number) => entries[index]?.at as string;
    const justAfter = (instant: string) => new Date(Date.parse(instant) + 1).toISOString();

    expect(await shown(mineOnly)).toEqual([...[software.order, other.order, reservation].flatMap(bought), revealed]);
    expect(await shown({ ...mineOnly, actions: ['PRODUCT_KEY_REVEALED', 'ACCESS_DENIED'] })).toEqual([revealed]);
    expect(await shown({ ...mineOnly, actions: [] })).toEqual([]);
    expect(await shown({ ...mineOnly, actor: `ADMIN@${customer.domain}` })).toEqual([revealed]);
    expect(await shown({ ...mineOnly, actor: 'admin' })).toEqual([]);
    expect(await shown({ orderId: other.order.id })).toEqual(bought(other.order));
    expect(await shown({ ...mineOnly, productId: skus.reservation.productId.toLowerCase() })).toEqual(
      bought(reservation),
    );
    expect(await shown({ ...mineOnly, from: at(6) })).toContainEqual(revealed);
    expect(await shown({ ...mineOnly, from: justAfter(at(6)) })).toEqual([]);
    expect(await shown({ ...mineOnly, to: at(0) })).toEqual([]);
    expect(await shown({ ...mineOnly, to: justAfter(at(0)) })).toContainEqual(placed);
    expect(await shown({ ...mineOnly, from: at(0), to: justAfter(at(6)) })).toHaveLength(7);
    expect(
      await shown({ ...mineOnly, from: null, to: null, actions: null, actor: null, orderId: null, productId: null }),
    ).toHaveLength(7);
    expect(
      await shown({
        ...mineOnly,
        orderId: software.order.id,
        actions: ['ORDER_PLACED'],
        productId: skus.perpetual.productId,
        actor: 'agent.anna@partner.example',
      }),
    ).toEqual([placed]);
  });

  test('rule 23: what is no id is refused by name', async () => {
    for (const [filter, field] of [
      [{ customerId: 'nonsense' }, 'filter.customerId'],
      [{ customerId: '' }, 'filter.customerId'],
      [{ orderId: mine.customer.id }, 'filter.orderId'],
    ] as const) {
      const { errors } = await gateway.run(ActivityDocument, { filter });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
    }
  });

  test('the log is paged both ways in its one order, by cursors that stay good', async () => {
    const filter = { customerId: mine.customer.id };
    const all = (await entriesOf(gateway, filter)).map((entry) => entry.id);
    const walk = async (step: (cursor: string | null) => object, isForward: boolean) => {
      const seen: string[] = [];
      for (let cursor: string | null = null; ; ) {
        const answer: Answer<ActivityQuery> = await gateway.run(ActivityDocument, { filter, ...step(cursor) });
        const page = answer.data.activity;
        const ids = (page?.edges ?? []).map((edge) => edge.node.id);
        seen[isForward ? 'push' : 'unshift'](...ids);
        const isMore = isForward ? page?.pageInfo.hasNextPage : page?.pageInfo.hasPreviousPage;
        cursor = (isForward ? page?.pageInfo.endCursor : page?.pageInfo.startCursor) ?? null;
        if (!isMore) return seen;
      }
    };
    expect(await walk((after) => ({ first: 2, after }), true)).toEqual(all);
    expect(await walk((before) => ({ last: 2, before }), false)).toEqual(all);
    const newestFirst = { orderBy: { direction: 'DESC' } };
    expect(await walk((after) => ({ first: 2, after, ...newestFirst }), true)).toEqual([...all].reverse());
  });

  (serverUrl ? test : test.skip)(
    'entries of overlapping transactions are read in the order (xid, seq), once nothing before them can still commit (server only)',
    async () => {
      const { database } = gateway.gateway.services.config;
      const url = database.kind === 'server' ? database.url : '';
      const [early, late] = [new pg.Client(url), new pg.Client(url)];
      await Promise.all([early.connect(), late.connect()]);
      const insert = (client: pg.Client, label: string) =>
        client.query(
          `insert into activity_entries (id, action, outcome, actor, actor_role, customer_id, resource_type, resource_id, resource_label, correlation_id, detail)
           values ($1, 'ACCESS_REVOKED', 'SUCCEEDED', 'somebody@partner.example', 'GLOBAL_ADMIN', $2, 'USER', 'nobody@partner.example', $3, $4, '{"userPrincipalName": "nobody@partner.example", "reason": null}')`,
          [randomUUID(), customer.rowId, label, randomUUID()],
        );
      const customer = await aCustomer(gateway);
      const shown = async () => {
        const { data } = await gateway.run(ActivityDocument, { filter: { customerId: customer.id } });
        return data.activity?.edges.map((edge) => edge.node.resource.label);
      };
      const stream = await gateway.subscribe(
        'subscription ($id: ID) { activity(filter: { customerId: $id }) { __typename ... on ActivityRecorded { entry { resource { label } } } } }',
        { id: customer.id },
      );
      await stream.nextOf('FeedCaughtUp');
      try {
        // `early` has the lower transaction id, writes the higher sequence number, and commits last.
        await early.query('begin');
        await early.query('select pg_current_xact_id()');
        await late.query('begin');
        await insert(late, 'late, written first, committed first');
        await insert(early, 'early, written second, committed last');
        await late.query('commit');
        for (let looks = 0; looks < 5; looks += 1) {
          gateway.gateway.services.feed.notify();
          expect(await shown()).toEqual([]);
        }
        await early.query('commit');
      } finally {
        await Promise.all([early.end(), late.end()]);
      }
      const inOrder = ['early, written second, committed last', 'late, written first, committed first'];
      const delivered = [await stream.nextOf('ActivityRecorded'), await stream.nextOf('ActivityRecorded')];
      await stream.end();
      expect(delivered.map(({ entry }) => entry.resource.label)).toEqual(inOrder);
      await settled(gateway);
      expect(await shown()).toEqual(inOrder);
    },
  );
});
