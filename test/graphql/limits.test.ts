import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';
import { limits } from '../../src/graphql/limits.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { settled } from '../support/software.js';
import { over, type Run, transports } from '../support/transports.js';

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, at) => text(at)).join(' ');

/** Fields of Viewer in turn: graphql-js has a limit of its own for the same ones. */
const field = (at: number) => ['roles', 'tenantId', 'expiresAt', 'userPrincipalName'][at % 4] as string;

/** `order { customer { orders { nodes { customer …`, as deep as asked. */
function deep(depth: number): string {
  const around = ['nodes', 'customer', 'orders(first: 1)'];
  const open = times(depth - 1, (level) => `${level === 0 ? 'order(by: { number: "0" })' : around[level % 3]} {`);
  return `{ ${open} __typename ${['number', 'domain', 'totalCount'][(depth - 2) % 3]} ${'}'.repeat(depth - 1)} }`;
}

/** Documents of a measured size, by what is measured. */
const sized: Record<
  Exclude<keyof typeof limits, 'bodyBytes' | 'items' | 'itemsOfEntry' | 'operations'>,
  (size: number) => string
> = {
  tokens: (size) => `{ activity(filter: { actions: [${times(size - 16, () => 'ORDER_PLACED')}] }) { totalCount } }`,
  depth: deep,
  aliases: (size) => `{ viewer { ${times(size, (at) => `a${at}: roles`)} } }`,
  directives: (size) => `{ viewer { ${times(size, () => 'roles @include(if: true)')} } }`,
  rootFields: (size) => `{ ${times(size, () => 'viewer { roles }')} }`,
  fields: (size) => `{ viewer { ${times(size - 1, field)} } }`,
  fragments: (size) =>
    `{ viewer { ${times(size, (at) => `...F${at}`)} } } ${times(size, (at) => `fragment F${at} on Viewer { roles }`)}`,
  variables: (size) =>
    `query (${times(size, (at) => `$v${at}: ID! = "cus_${randomUUID()}"`)}) { nodes(ids: [${times(size, (at) => `$v${at}`)}]) { id } }`,
  nesting: (size) => `{ viewer { ${times(size - 2, () => '... {')} roles ${'}'.repeat(size - 2)} } }`,
  nameLength: (size) => `{ viewer { ${'x'.repeat(size)}: roles } }`,
};

/** The same, hidden in fragments. */
const hidden: Partial<typeof sized> = {
  depth: (size) => `{ ...A } fragment A on Query { order(by: { number: "0" }) { ... on Order { ...B } } }
    fragment B on Order ${deep(size)
      .replace(/^\{ order\(by: \{ number: "0" \}\) /, '')
      .replace(/ \}$/, '')}`,
  aliases: (size) =>
    `{ viewer { ...A ...A } } fragment A on Viewer { ${times(size / 2, (at) => `a${at}: roles`)} ${size % 2 ? 'odd: roles' : ''} }`,
  directives: (size) =>
    `{ viewer { ...A @include(if: true) } } fragment A on Viewer { ${times(size - 1, () => 'roles @skip(if: false)')} }`,
  rootFields: (size) => `{ ...A } fragment A on Query { ... { ${times(size, () => 'viewer { roles }')} } }`,
  fields: (size) => `{ viewer { ...A } } fragment A on Viewer { ${times(size - 1, field)} }`,
};

/** Documents whose validation would take a second and more, by the limit that refuses them. */
const costly: Record<string, string> = {
  'rootFields of markets': `{ ${times(900, () => 'markets { code name }')} }`,
  'rootFields of viewers': `{ ${times(240, () => `viewer { ${times(15, () => 'roles')} }`)} }`,
  'aliases of one field': `{ viewer { ${times(1_600, (at) => `a${at}: roles`)} } }`,
  'fragments in circles': `{ viewer { ...F0 } } ${times(400, (at) => `fragment F${at} on Viewer { ...F${(at + 1) % 400} roles }`)}`,
  'fragments that nothing uses': `{ viewer { roles } } ${times(700, (at) => `fragment F${at} on Viewer { roles }`)}`,
  'aliases of a fragment that nothing uses': `{ viewer { roles } } fragment F on Viewer { ${times(1_600, (at) => `a${at}: roles`)} }`,
  'variables that nothing uses': `query (${times(1_200, (at) => `$v${at}: Int`)}) { viewer { roles } }`,
  'nesting of fragments': `{ viewer { ${times(1_000, () => '... {')} roles ${'}'.repeat(1_000)} } }`,
};

/** Pages inside pages: `first` customers, for each as many orders, for each of their customers as many orders. */
const pages = (first: string, second: string, third: string) =>
  `{ customers(${first}) { nodes { orders(${second}) { nodes { customer { orders(${third}) { totalCount } } } } } } }`;

describe.each(transports)(`limits over %s, on ${engine}`, (transport) => {
  let gateway: TestGateway;
  let run: Run;
  beforeAll(async () => {
    gateway = await startTestGateway();
    run = over(transport, gateway);
  });
  afterAll(() => gateway.stop());

  const refusal = (limit: string) => ({
    errors: [
      {
        message: expect.stringContaining(`${limits[limit as 'depth']} exceeded`),
        extensions: { code: 'LIMIT_EXCEEDED', limit },
      },
    ],
  });

  test.each(Object.keys(sized) as (keyof typeof sized)[])(
    '%s: the limit is taken, one more is refused',
    async (name) => {
      const taken = await run(sized[name](limits[name]));
      expect(taken.errors).toBeUndefined();
      const refused = await run(sized[name](limits[name] + 1));
      expect(refused).toMatchObject(refusal(name));
      expect(refused.data).toBeUndefined();
    },
  );

  test.each(Object.keys(hidden) as (keyof typeof sized)[])('%s: fragments hide nothing', async (name) => {
    const document = hidden[name] as (size: number) => string;
    expect((await run(document(limits[name]))).errors).toBeUndefined();
    expect(await run(document(limits[name] + 2))).toMatchObject(refusal(name));
  });

  test('items of pages inside pages are multiplied; a size in a variable counts as a full page', async () => {
    expect((await run(pages('first: 80', 'first: 49', 'first: 50'))).errors).toBeUndefined();
    expect(await run(pages('first: 80', 'first: 49', 'last: 51'))).toMatchObject(refusal('items'));
    expect((await run(pages('first: 10', 'first: 10', 'first: null'))).errors).toBeUndefined();
    const variable = `query ($n: Int) ${pages('first: $n', 'first: $n', 'first: $n')}`;
    expect(await run(variable, { n: 1 })).toMatchObject(refusal('items'));
  });

  test('a negative page behind @skip does not make up for others', async () => {
    const large = `customers(first: 100) { nodes { orders(first: 100) { nodes { customer { orders(first: 100) { totalCount } } } } } }`;
    const negative = 'no: customers(first: -2147483648) @skip(if: true) { totalCount }';
    expect(await run(`{ ${negative} ${large} }`)).toMatchObject(refusal('items'));
  });

  test('lists that are no pages count as well, and nodes as many as there are ids', async () => {
    const lines = (count: number) =>
      `{ order(by: { number: "0" }) { ${times(count, () => 'lines { entitlement { order {')} number ${'} } }'.repeat(count)} } }`;
    // The order of a line may be the same for all, and have 50 of them.
    expect((await run(lines(3))).errors).toBeUndefined();
    expect(await run(lines(4))).toMatchObject(refusal('items'));
    const sales = (size: number) =>
      `{ sales(groupBy: [CUSTOMER]) { customer { orders(first: ${size}) { nodes { lines { lineNumber } } } } } }`;
    expect((await run(sales(3))).errors).toBeUndefined();
    expect(await run(sales(4))).toMatchObject(refusal('items'));
    const nodes = (count: number) =>
      `{ nodes(ids: [${times(count, () => `"cus_${randomUUID()}"`)}]) { ... on Customer { orders(first: 100) { nodes { customer { orders(first: 40) { totalCount } } } } } } }`;
    expect((await run(nodes(48))).errors).toBeUndefined();
    expect(await run(nodes(49))).toMatchObject(refusal('items'));
    const inVariable = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { orders(first: 50) { nodes { customer { orders(first: 50) { totalCount } } } } } } }`;
    expect(await run(inVariable, { ids: [`cus_${randomUUID()}`] })).toMatchObject(refusal('items'));
  });

  test('an answer larger than 16 MiB is refused, and nothing else suffers', async () => {
    await gateway.sql(
      `insert into activity_entries (id, action, outcome, actor, actor_role, resource_type, resource_id, resource_label, correlation_id, detail)
       values (gen_random_uuid(), 'PRODUCT_KEY_REVEALED', 'SUCCEEDED', 'anna@partner.example', 'ADMIN_AGENT', 'ENTITLEMENT', 'ent',
         repeat('x', 7 * 1024 * 1024), gen_random_uuid(), '{"version": "2022"}')`,
    );
    await settled(gateway);
    const labels = (count: number) =>
      `{ activity(last: 1) { nodes { resource { ${times(count, (at) => `l${at}: label`)} } } } }`;
    const { errors } = await run(labels(3));
    expect(errors).toMatchObject([{ message: expect.stringContaining('16 MiB'), path: ['activity'] }]);
    expect(errors?.[0]?.extensions).toEqual({ code: 'LIMIT_EXCEEDED', limit: 'answerBytes' });
    expect(await metricOf(gateway, 'csp_graph_refusals_total{bound="answerBytes"}')).toBeGreaterThan(0);
    const both = await run(`{ viewer { roles } ${labels(1).slice(2)}`);
    expect(both.errors).toBeUndefined();
  });

  test('a subscription may select fewer items: they are read for each entry', async () => {
    const document = (size: number) =>
      `subscription { activity { __typename ... on ActivityRecorded { entry { customer { orders(first: ${size}) { nodes { activity: lines { lineNumber } customer { activity(first: 10) { totalCount } } } } } } } } }`;
    // Over HTTP a subscription is refused in any case; whether it is for its size is told before.
    const codes = async (size: number) => (await run(document(size))).errors?.map(({ extensions }) => extensions);
    expect(await codes(17)).toContainEqual({ code: 'LIMIT_EXCEEDED', limit: 'itemsOfEntry' });
    if (transport === 'HTTP') expect(await codes(16)).toMatchObject([{ code: 'BAD_REQUEST' }]);
  });

  test('fragments that spread one another twice each are refused, and measured in no time', async () => {
    const levels = 40;
    const fragments = times(
      levels,
      (at) =>
        `fragment F${at} on Order { customer { orders { nodes { ...F${at + 1} } } } lines { entitlement { order { ...F${at + 1} } } } }`,
    );
    const document = `{ order(by: { number: "0" }) { ...F0 } } ${fragments} fragment F${levels} on Order { id }`;
    const { errors } = await run(document);
    expect(errors?.map((error) => error.extensions)).toContainEqual({ code: 'LIMIT_EXCEEDED', limit: 'depth' });
  });

  test('operations: 50 are taken, one more is refused', async () => {
    const operations = (size: number) => times(size, (at) => `query Q${at} { viewer { roles } }`);
    const code = 'OPERATION_RESOLUTION_FAILURE';
    expect(await run(operations(limits.operations))).toMatchObject({ errors: [{ extensions: { code } }] });
    expect(await run(operations(limits.operations + 1))).toMatchObject(refusal('operations'));
  });

  test.each(Object.entries(costly))(
    '%s: only limits are told, also to those without a token, and counted',
    async (limit, document) => {
      const counted = () =>
        metricOf(gateway, `csp_graph_refusals_total{bound="${limit.split(' ')[0]}"}`).catch(() => 0);
      const before = await counted();
      const { errors } = await run(document, {}, null);
      expect(errors?.map(({ extensions }) => extensions)).toContainEqual({
        code: 'LIMIT_EXCEEDED',
        limit: limit.split(' ')[0],
      });
      expect(errors?.filter(({ extensions }) => extensions.limit === undefined)).toEqual([]);
      expect(await counted()).toBe(before + 1);
    },
  );

  test('of many mistakes ten are told, and that there are more', async () => {
    const { errors } = await run(`{ viewer { ${times(25, (at) => `nothing${at}`)} } }`);
    expect(errors).toHaveLength(11);
    expect(errors?.[10].message).toContain('Too many validation errors');
  });

  test('repeated fields are taken, and hide no conflict', async () => {
    expect(
      (await run(`{ viewer { ${times(200, () => 'roles')} ... { ${times(200, () => 'roles')} } } }`)).errors,
    ).toBeUndefined();
    const { errors } = await run(`{ viewer { ${times(200, () => 'roles')} } v: viewer { id: tenantId id: roles } }`);
    expect(errors).toMatchObject([{ message: expect.stringContaining('conflict') }]);
  });

  test('the same field too often is refused', async () => {
    const { errors } = await run(`{ viewer { ${times(4_000, () => 'roles')} } }`);
    expect(errors?.map((error) => error.extensions)).toContainEqual({ code: 'LIMIT_EXCEEDED', limit: 'fields' });
  });

  test('fragments in a circle are refused, and end', async () => {
    const { errors } = await run(
      '{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { roles ...A }',
    );
    expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
  });

  test('only the operation that is over the limit is to blame: each counts for itself', async () => {
    const viewer = sized.aliases(limits.aliases).slice(1);
    expect((await run(`query A {${viewer}`)).errors).toBeUndefined();
    const { errors } = await run(`query A {${viewer} query B {${viewer}`);
    expect(errors).toMatchObject([{ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }]);
  });

  test("the playground's introspection passes; types inside types inside types do not", async () => {
    const introspection = getIntrospectionQuery({
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    });
    const { data, errors } = await run(introspection);
    expect(errors).toBeUndefined();
    expect(data.__schema.types.length).toBeGreaterThan(100);
    const bomb = `{ __schema { types { ${'fields { type { '.repeat(5)} name ${'} }'.repeat(5)} } } }`;
    expect((await run(bomb)).errors?.[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('a page has 1 to 100 items, counted from one end', async () => {
    const items = (args: string) => run(`{ activity(${args}) { nodes { id } } }`);
    for (const args of ['first: 1', 'first: 100', 'last: 1', 'last: 100', 'first: null', 'first: 5, last: null'])
      expect([args, (await items(args)).errors]).toEqual([args, undefined]);
    for (const [args, field] of [
      ['first: 0', 'first'],
      ['first: -1', 'first'],
      ['first: 101', 'first'],
      ['last: 0', 'last'],
      ['last: -7', 'last'],
      ['last: 101', 'last'],
      ['first: 5, last: 5', 'first'],
    ]) {
      const { data, errors } = await items(args as string);
      expect([args, data, errors]).toMatchObject([
        args,
        { activity: null },
        [
          {
            message: expect.stringContaining(field as string),
            extensions: { code: 'BAD_USER_INPUT', field },
            path: ['activity'],
          },
        ],
      ]);
    }
  });

  test('page sizes are judged in every list, nested ones and variables too', async () => {
    const nested = await run('{ customers { nodes { orders(first: 101) { nodes { id } } } } }');
    expect(nested.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'first' } }]);
    const lists = ['customers', 'products', 'orders', 'software', 'activity', 'invoices', 'supportRequests'];
    for (const list of lists) {
      const { errors } = await run(`query ($n: Int) { ${list}(first: $n) { totalCount nodes { id } } }`, { n: 101 });
      expect([list, errors]).toMatchObject([list, [{ extensions: { code: 'BAD_USER_INPUT', field: 'first' } }]]);
    }
  });
});
