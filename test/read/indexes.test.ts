import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type GraphQLEnumType,
  type GraphQLInputObjectType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isListType,
} from 'graphql';
import { fillByNumbers } from '../../bench/scale-rows.mjs';
import { type EntryFilter } from '../../src/activity-log/entry-filter.js';
import { readEntries } from '../../src/activity-log/read-entries.js';
import type { Execute } from '../../src/database/execute.js';
import { parseGlobalId, toGlobalId } from '../../src/domain/global-id.js';
import type { Plan } from '../../src/read/plan.js';
import { buildGraph } from '../../src/schema/build-schema.js';
import { engine, serverUrl, testDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';

const schema: GraphQLSchema = await buildGraph();
/** Tables that grow with business. The catalog, markets and revocations do not: they are read as they please. */
const LARGE = [
  'activity_entries',
  'orders',
  'order_lines',
  'entitlements',
  'customers',
  'invoices',
  'invoice_lines',
  'cancellations',
  'cancellation_lines',
  'support_requests',
  'reconciliation_lines',
];
const SIZE = { customers: 12_000, orders: 12_000, activity: 40_000 };
/** Most rows that a page of 20 may read, sort or throw away. Far below any large table. */
const MOST_ROWS = 2_500;

/** Lists that read more, each with the reason. */
const known: Record<string, string> = {
  'Query.invoices(productId': 'by all lines of the product, here of every invoice, for the same reason',
  'Query.orders(productId':
    'by all lines of the product, here of every order: on the way through all orders a product that nobody buys is never met',
};

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Node[];
}
const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

describe(`indexes, on ${engine}`, () => {
  let gateway: TestGateway;
  let execute: Execute;
  let statements: { text: string; parameters: unknown[] }[] = [];
  let values: Record<string, unknown>;

  beforeAll(async () => {
    const database = await testDatabase();
    // As docs/operating.md asks where disks are SSDs: else small tables are scanned that large ones are not.
    if (database.config.kind === 'server') database.config.url += '?options=-c%20random_page_cost%3D1.1';
    gateway = await startTestGateway({ database });
    if (database.pglite) await gateway.sql('set random_page_cost = 1.1');
    await fillByNumbers((statement: string) => gateway.sql(statement), SIZE);
    await gateway.sql('vacuum analyze');
    const { readSource } = gateway.gateway.services;
    ({ execute } = readSource);
    readSource.execute = (plan, parameters, turn) => {
      statements.push({ text: plan.text, parameters });
      return execute(plan, parameters, turn);
    };
    const [customer] = await gateway.sql<{ id: string; domain: string }>(
      'select customer_id as id, domain from orders join customers c on c.id = customer_id group by 1, 2 order by count(*) desc, 1 limit 1',
    );
    const [order] = await gateway.sql<{ id: string }>('select id from orders order by placed_at limit 1');
    const [file] = await gateway.sql<{ id: string }>('select id from reconciliations order by month limit 1');
    values = {
      customerId: toGlobalId('Customer', customer?.id as string),
      orderId: toGlobalId('Order', order?.id as string),
      reconciliationId: toGlobalId('Reconciliation', file?.id as string),
      month: '2025-01-01',
      verdicts: ['MISSING_THERE'],
      domain: customer?.domain,
      actor: 'seldom@partner.example',
      actorObjectId: 'seldom',
      placedBy: 'seldom@partner.example',
      productId: 'DG7GMGF0FKZV',
      market: 'IT',
      currency: 'EUR',
      search: 'Company 0000',
      publisher: 'Microsoft',
      topic: 'Topic 1',
      // An old week: what lies between it and the end of the list must not be read.
      from: '2025-01-01T00:00:00Z',
      to: '2025-01-08T00:00:00Z',
      expiresBefore: '2025-12-01T00:00:00Z',
      // The rarest of each.
      actions: ['ACCESS_DENIED'],
      statuses: { OrderStatus: ['PENDING'], EntitlementStatus: ['REVOKED'] },
      status: { InvoiceStatus: 'ISSUED', SupportRequestStatus: 'OPEN' },
      segment: 'CHARITY',
      kind: 'LINUX_PLAN',
      kinds: ['LINUX_PLAN'],
    };
  });
  afterAll(() => gateway.stop());

  /** What filters a list offers: each alone, and each with a range of time or a customer where it offers those. */
  function filtersOf(filterType: GraphQLInputObjectType | undefined): string[][] {
    const names = Object.keys(filterType?.getFields() ?? {});
    const alone = names.filter((name) => name !== 'to').map((name) => (name === 'from' ? ['from', 'to'] : [name]));
    const pairs = names
      .filter((name) => !['from', 'to', 'customerId'].includes(name))
      .flatMap((name) => [
        ...(names.includes('from') ? [[name, 'from', 'to']] : []),
        ...(names.includes('customerId') ? [[name, 'customerId']] : []),
      ]);
    return [[], ...alone, ...pairs];
  }

  const filterValue = (filterType: GraphQLInputObjectType, name: string) => {
    const type = getNamedType(filterType.getFields()[name]?.type);
    const value = values[name];
    if (value === undefined) throw new Error(`say by what ${filterType.name}.${name} is to be filtered`);
    const byType = isEnumType(type) && (name === 'status' || name === 'statuses');
    if (byType) return (value as Record<string, unknown>)[type.name];
    return type?.name === 'Date' ? String(value).slice(0, 10) : value;
  };

  /** The filters with their values; lists also with two of them, times of years also without an end. */
  function variantsOf({ filterType, isNested }: List): { names: string; filter: object | undefined }[] {
    if (!filterType) return [{ names: '', filter: undefined }];
    return filtersOf(filterType)
      .filter((names) => !isNested || !names.includes('customerId'))
      .flatMap((names) => {
        const filter = Object.fromEntries(names.map((name) => [name, filterValue(filterType, name)]));
        const variants = [{ names: names.join(), filter }];
        if (names.includes('search'))
          variants.push({ names: `${names}, what one fits`, filter: { ...filter, search: 'PANY11999.exa' } });
        const several = names.find((name) => isListType(getNullableType(filterType.getFields()[name]?.type)));
        if (several) {
          const two = [...(filter[several] as unknown[]), anotherOf(filterType, several)];
          variants.push({ names: `${names}, two ${several}`, filter: { ...filter, [several]: two } });
        }
        if (names.includes('from') && getNamedType(filterType.getFields()['from']?.type)?.name === 'DateTime') {
          const { to: _to, ...open } = filter;
          variants.push({ names: `${names}, without an end`, filter: open });
          variants.push({ names: `${names}, of years`, filter: { ...filter, from: '2020-01-01T00:00:00Z' } });
        }
        return variants;
      });
  }
  /** A value of a list's enum beside the one that is filtered by. */
  function anotherOf(filterType: GraphQLInputObjectType, name: string): string | undefined {
    const type = getNamedType(filterType.getFields()[name]?.type) as GraphQLEnumType;
    const taken = filterValue(filterType, name) as string[];
    return type.getValues().find((value) => !taken.includes(value.name))?.name;
  }

  interface List {
    name: string;
    field: string;
    filterType: GraphQLInputObjectType | undefined;
    orderType: GraphQLInputObjectType | undefined;
    isNested: boolean;
  }
  /** Every field of the contract that is a connection, of a large table. */
  const lists: List[] = (['Query', 'Customer'] as const).flatMap((parent) =>
    Object.values((schema.getType(parent) as GraphQLObjectType).getFields())
      .filter(
        ({ type }) =>
          getNamedType(type).name.endsWith('Connection') &&
          // As many as there are product families, as there are connections open now, and a few a month.
          !['ProductConnection', 'SessionConnection', 'JobConnection', 'ReconciliationConnection'].includes(
            getNamedType(type).name,
          ),
      )
      .map((field) => {
        const argument = (name: string) =>
          getNamedType(field.args.find((one) => one.name === name)?.type) as GraphQLInputObjectType | undefined;
        return {
          name: `${parent}.${field.name}`,
          field: field.name,
          filterType: argument('filter'),
          orderType: argument('orderBy'),
          isNested: parent === 'Customer',
        };
      }),
  );

  /** Which ways a list can be ordered. */
  function ordersOf({ orderType }: List): { field?: string; direction: string }[] {
    const field = orderType?.getFields()['field'];
    const type = field && getNamedType(field.type);
    const fields = isEnumType(type) ? type.getValues().map(({ name }) => name) : [undefined];
    return fields.flatMap((name) => ['ASC', 'DESC'].map((direction) => ({ ...(name && { field: name }), direction })));
  }

  async function ask(list: List, page: Record<string, unknown>) {
    statements = [];
    const call = `list: ${list.field}(first: $first, after: $after, last: $last, before: $before${list.filterType ? ', filter: $filter' : ''}${list.orderType ? ', orderBy: $orderBy' : ''}) { nodes { __typename } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`;
    const parameters = `$first: Int, $after: String, $last: Int, $before: String${list.filterType ? `, $filter: ${list.filterType.name}` : ''}${list.orderType ? `, $orderBy: ${list.orderType.name}` : ''}${list.isNested ? ', $customer: ID!' : ''}`;
    const query = `query(${parameters}) { ${list.isNested ? `customer(by: { id: $customer }) { ${call} }` : call} }`;
    const { data, errors } = await gateway.run(query, { ...page, customer: values['customerId'] });
    if (errors) throw new Error(JSON.stringify(errors));
    const [statement] = statements;
    if (!statement || statements.length > 1) throw new Error(`${list.name} took ${statements.length} statements`);
    return { page: list.isNested ? data.customer.list : data.list, statement };
  }

  /** Cursors of the second row of a whole list and of the one before its last. */
  async function endsOf(list: List, orderBy: object): Promise<[string, string]> {
    const [first, last] = [await ask(list, { orderBy, first: 2 }), await ask(list, { orderBy, last: 2 })];
    return [first.page.pageInfo.endCursor, last.page.pageInfo.startCursor];
  }

  /** What a statement reads of large tables: rows that leave a scan or are thrown away by it, and rows that are sorted. */
  async function explain({ text, parameters }: { text: string; parameters: unknown[] }) {
    const plan = { text: `explain (analyze, format json) ${text}`, runs: Number.NEGATIVE_INFINITY } as Plan;
    const answer: unknown = await execute(plan, parameters, { users: ['explain'], cost: 0 });
    const [explained] = (typeof answer === 'string' ? JSON.parse(answer) : answer) as { Plan: Node }[];
    const nodes = nodesOf((explained as { Plan: Node }).Plan);
    const large = nodes.filter((node) => LARGE.includes(node['Relation Name'] ?? ''));
    const passed = (node: Node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    return {
      scans: large.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']),
      read: Math.max(
        0,
        ...large.map(passed),
        ...nodes.filter((node) => node['Node Type'].includes('Sort')).map(passed),
      ),
      shape: nodes.map((node) => `${node['Node Type']} ${node['Relation Name'] ?? ''}`).join(', '),
    };
  }

  test('every list of the contract is looked at', () => {
    expect(lists.map(({ name }) => name).toSorted()).toEqual([
      'Customer.activity',
      'Customer.invoices',
      'Customer.orders',
      'Customer.software',
      'Customer.supportRequests',
      'Query.activity',
      'Query.customers',
      'Query.invoices',
      'Query.orders',
      'Query.reconciliationLines',
      'Query.software',
      'Query.supportRequests',
    ]);
  });

  // Hundreds of plans: the embedded engine takes a minute and more for them, and plans as the server does.
  const onServer = serverUrl ? test : test.skip;
  if (!serverUrl) console.warn('Every list, filter and order is explained on a server only: set TEST_DATABASE_URL.');
  onServer.each(lists.map((list) => [list.name, list] as const))(
    '%s: every filter and order, forwards and backwards, from the start and from a cursor, reads an index and a page',
    async (_name, list) => {
      const faults: string[] = [];
      for (const { names, filter } of variantsOf(list)) {
        for (const orderBy of ordersOf(list)) {
          const [from, to] = await endsOf(list, orderBy);
          const first = await ask(list, { filter, orderBy, first: 20 });
          const last = await ask(list, { filter, orderBy, last: 20 });
          const pages = [
            ['first', first],
            ['last', last],
          ] as [string, typeof first][];
          const add = async (what: string, page: object) =>
            pages.push([what, await ask(list, { filter, orderBy, ...page })]);
          const { endCursor } = first.page.pageInfo;
          const { startCursor } = last.page.pageInfo;
          if (endCursor) await add('after', { first: 20, after: endCursor });
          if (startCursor) await add('before', { last: 20, before: startCursor });
          // Wherever a cursor lies: from either end of the whole list to the other.
          await add('last after the first', { last: 20, after: from });
          await add('last before the first', { last: 20, before: from });
          if (list.field === 'activity') {
            await add('first after the first', { first: 20, after: from });
            await add('first after the last', { first: 20, after: to });
            await add('first before the last', { first: 20, before: to });
            await add('last before the last', { last: 20, before: to });
          }
          for (const [way, { statement }] of pages) {
            const { scans, read } = await explain(statement);
            const what = `${list.name}(${names}) ${orderBy.field ?? ''} ${orderBy.direction} ${way}`;
            if (scans.length > 0) faults.push(`${what}: scans ${scans}`);
            else if (read > MOST_ROWS) faults.push(`${what}: reads ${read}`);
          }
        }
      }
      expect(faults.filter((fault) => !Object.keys(known).some((list) => fault.startsWith(list)))).toEqual([]);
    },
  );

  test.each(lists.filter(({ isNested }) => !isNested).map((list) => [list.name, list] as const))(
    '%s: a page deep in the list costs what the first one does',
    async (_name, list) => {
      for (const orderBy of ordersOf(list)) {
        const second = await ask(list, { orderBy, first: 1 });
        const near = await explain(
          (await ask(list, { orderBy, first: 20, after: second.page.pageInfo.endCursor })).statement,
        );
        const opposite = await ask(list, { orderBy, last: 100 });
        const deep = await explain(
          (await ask(list, { orderBy, first: 20, after: opposite.page.pageInfo.startCursor })).statement,
        );
        expect(deep).toEqual(near);
      }
    },
  );

  test.each<[string, EntryFilter]>([
    ['nothing', {}],
    ['an action', { actions: ['ACCESS_DENIED'] }],
    ['several actions', { actions: ['ACCESS_DENIED', 'ACCESS_REVOKED'] }],
    ['an actor', { actor: 'seldom@partner.example' }],
    ['a week', { from: new Date('2025-01-01T00:00:00Z'), to: new Date('2025-01-08T00:00:00Z') }],
    [
      'an action in a week',
      { actions: ['ORDER_PLACED'], from: new Date('2025-01-01T00:00:00Z'), to: new Date('2025-01-08T00:00:00Z') },
    ],
    ['a customer', { customerId: '' }],
    ['an order', { orderId: '' }],
    ['a product', { productId: 'DG7GMGF0FKZV' }],
  ])('a replay of the feed, filtered by %s, reads an index and what it answers', async (_by, given) => {
    const idOf = (globalId: unknown) => parseGlobalId(globalId as string)?.id as string;
    const filter = {
      ...given,
      ...(given.customerId === '' && { customerId: idOf(values['customerId']) }),
      ...(given.orderId === '' && { orderId: idOf(values['orderId']) }),
    };
    const { kysely } = gateway.gateway.services;
    const asked: { sql: string; parameters: readonly unknown[] }[] = [];
    const executor = kysely.getExecutor();
    const executeQuery = executor.executeQuery.bind(executor);
    executor.executeQuery = (compiled) => {
      asked.push(compiled);
      return executeQuery(compiled);
    };
    // Nearly all entries are of the transaction that this one is of.
    const [first] = await gateway.sql<{ xid: string; seq: string }>(
      'select xid::text as xid, seq::text as seq from activity_entries order by activity_entries.xid, activity_entries.seq limit 1',
    );
    const after = { xid: BigInt(first?.xid ?? 0), seq: BigInt(first?.seq ?? 0) };
    const entries = await readEntries(kysely, { after, filter, limit: 500 });
    executor.executeQuery = executeQuery;
    const statement = asked.find(({ sql }) => sql.includes('activity_entries'));
    const { scans, read } = await explain({
      text: (statement as (typeof asked)[number]).sql,
      parameters: [...(statement as (typeof asked)[number]).parameters],
    });
    expect(scans).toEqual([]);
    expect(entries.length).toBeGreaterThan(0);
    // A week's edges are looked up by its days; products are many to an entry, and their index knows no order.
    if (!given.productId) expect(read).toBeLessThanOrEqual(2 * entries.length + 1_000);
  });
});
