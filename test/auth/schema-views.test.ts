import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  buildClientSchema,
  buildSchema,
  type GraphQLObjectType,
  type GraphQLSchema,
  getIntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
  visit,
} from 'graphql';
import type { IntrospectionPolicy } from '../../src/config/config.js';
import { type Asker, NOBODY } from '../../src/schema/access-report.js';
import { callers, goldenTable } from '../support/access-table.js';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { type Caller, startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, stockShop, type TestCustomer } from '../support/shop.js';
import { over, type Run, transports } from '../support/transports.js';

const INTROSPECTION = getIntrospectionQuery({ oneOf: true, specifiedByUrl: true, inputValueDeprecation: true });

/** Coordinates of the fields of object types. */
function fieldsOf(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
    .flatMap((type) =>
      isObjectType(type) ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
    )
    .sort();
}

/** Everything in a schema that has a name of its own. */
function namesOf(schema: GraphQLSchema): Set<string> {
  const names = new Set<string>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    names.add(type.name);
    if (isEnumType(type)) for (const { name } of type.getValues()) names.add(name);
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      names.add(field.name);
      if ('args' in field) for (const { name } of field.args) names.add(name);
    }
  }
  return names;
}

describe(`the schema as its caller may use it, on ${engine}`, () => {
  const golden = goldenTable();
  const whole = buildSchema(readFileSync('schema/schema.graphql', 'utf8'));
  let gateway: TestGateway;
  let customer: TestCustomer;
  let all: [Asker, Caller | null][];
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    customer = await aCustomer(gateway);
    all = await callers(gateway, customer);
  });
  afterAll(() => gateway.stop());

  const tableOf = (asker: Asker) =>
    [...golden].filter(([coordinate, rows]) => /^\w+\.\w+$/.test(coordinate) && rows[asker] !== '').map(([it]) => it);
  const sdlFor = async (as: Caller | null) => {
    const token = as === null ? null : typeof as === 'string' ? await gateway.token(as) : as.token;
    const response = await fetch(`${gateway.url}/schema.graphql`, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
    });
    return { response, text: await response.text() };
  };

  test.each(transports)(
    'introspection over %s tells each role what the table of access says, and nothing else',
    async (transport) => {
      const run = over(transport, gateway);
      for (const [asker, as] of all) {
        const { data, errors } = await run(INTROSPECTION, {}, as);
        expect(errors).toBeUndefined();
        const schema = buildClientSchema(data);
        expect([asker, fieldsOf(schema)]).toEqual([asker, tableOf(asker).sort()]);
        // What implements an interface and what a union may be is told by graphql-js apart from the list of types.
        const known = new Set(Object.keys(schema.getTypeMap()));
        const members = data.__schema.types.flatMap((type: { possibleTypes: { name: string }[] | null }) =>
          (type.possibleTypes ?? []).map(({ name }) => name),
        );
        expect(members.filter((name: string) => !known.has(name))).toEqual([]);
      }
    },
  );

  test('/schema.graphql is what introspection tells the same caller, and says that it depends on the token', async () => {
    for (const [asker, as] of all) {
      const { response, text } = await sdlFor(as);
      expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'private, no-cache']);
      expect(response.headers.get('vary')).toContain('authorization');
      expect([asker, fieldsOf(buildSchema(text))]).toEqual([asker, tableOf(asker).sort()]);
      expect(text).not.toMatch(/@auth|requires:/);
    }
    const refused = await fetch(`${gateway.url}/schema.graphql`, { headers: { authorization: 'Bearer a.b.c' } });
    expect(refused.status).toBe(401);
  });

  test('no description speaks of what its reader may not see, none is empty, and other roles’ rights are not told', async () => {
    for (const [asker, as] of all) {
      const { text } = await sdlFor(as);
      const seen = namesOf(buildSchema(text));
      const hidden = new Set([...namesOf(whole)].filter((name) => !seen.has(name)));
      const spoken: string[] = [];
      visit(parse(text), {
        enter: (node) => {
          if (!('description' in node) || !('name' in node)) return;
          const { value = '' } = node.description ?? {};
          if (value.trim() === '') spoken.push(`${node.name?.value} has no description`);
          for (const [, code = ''] of value.matchAll(/`([^`/]+)`/g))
            for (const name of code.match(/[A-Za-z_]\w*(\.\w+)?/g) ?? [])
              if (hidden.has(name)) spoken.push(`${name}: ${value}`);
        },
      });
      expect([asker, spoken]).toEqual([asker, []]);
      expect(text.match(/It reads|It buys/g)?.length ?? 0).toBe(asker === NOBODY ? 0 : 1);
    }
  });

  test('what is public is what anonymous callers see: who they are, and the markets', async () => {
    expect(tableOf(NOBODY).filter((coordinate) => /^(Query|Mutation|Subscription)\./.test(coordinate))).toEqual([
      'Query.markets',
      'Query.viewer',
    ]);
    const { data } = await gateway.run(
      '{ __schema { mutationType { name } subscriptionType { name } directives { name } } __type(name: "Order") { name } }',
      {},
      null,
    );
    expect(data.__schema.mutationType).toBeNull();
    expect(data.__schema.subscriptionType).toBeNull();
    expect(data.__schema.directives.map(({ name }: { name: string }) => name)).not.toContain('auth');
    expect(data.__type).toBeNull();
  });

  test.each(transports)(
    'an operation over %s that asks for schema and rows gets both, under its own keys and in their order',
    async (transport) => {
      const query = `query Mixed($id: ID!, $filter: ActivityFilter, $name: String!, $no: Boolean!) {
      who: viewer { roles } ...Schema customer(by: { id: $id }) { companyName } log: activity(filter: $filter) { totalCount }
      ... on Query { one: __type(name: $name) { kind possibleTypes { name } } two: __type(name: "Customer") { name fields { name } } }
      __typename __schema @include(if: $no) { description }
    }
    fragment Schema on Query { __schema { queryType { ...Names } } }
    fragment Names on __Type { name fields { name } }`;
      const variables = { id: customer.id, filter: { actor: 'nobody' }, name: 'Node', no: false };
      const { data, errors } = await over(transport, gateway)(query, variables, 'SALES_AGENT');
      expect(errors?.map(({ extensions }) => extensions.coordinate)).toEqual(['Query.activity']);
      expect(Object.keys(data)).toEqual(['who', '__schema', 'customer', 'log', 'one', 'two', '__typename']);
      expect(data).toMatchObject({
        who: { roles: ['SALES_AGENT'] },
        customer: { companyName: expect.any(String) },
        log: null,
        __typename: 'Query',
        two: { name: 'Customer' },
      });
      const names = (fields: { name: string }[]) => fields.map(({ name }) => name);
      expect(names(data.__schema.queryType.fields).sort()).toEqual(
        tableOf('SALES_AGENT')
          .flatMap((it) => /^Query\.(\w+)$/.exec(it)?.[1] ?? [])
          .sort(),
      );
      expect(names(data.one.possibleTypes)).not.toContain('Invoice');
      expect(names(data.two.fields)).not.toContain('invoices');
      // The same document, known by now, tells another role what is theirs.
      const other = await over(transport, gateway)(query, variables, 'BILLING_ADMIN');
      expect(names(other.data.one.possibleTypes)).toContain('Invoice');
      expect(names(other.data.two.fields)).toContain('invoices');
      const failing = await over(transport, gateway)(query, { ...variables, filter: { actor: 7 } }, 'SALES_AGENT');
      expect([failing.data, failing.errors?.map(({ extensions }) => extensions.code)]).toEqual([
        undefined,
        ['BAD_USER_INPUT'],
      ]);
    },
  );

  describe('suggestions', () => {
    /** Errors of a document that does not hold, at the third door. */
    const overEvents: Run = async (query, variables = {}, as = 'GLOBAL_ADMIN') => {
      const events = await openEvents(gateway, { query, variables, as });
      const event = await events.next();
      events.end();
      return event?.data ?? {};
    };
    const doors = (): [string, Run][] => [
      ...transports.map((one): [string, Run] => [one, over(one, gateway)]),
      ['SSE', overEvents],
    ];
    const typo = (name: string, index: number) => (index % 2 ? `${name}x` : name.slice(0, -1));

    test('never name what their reader may not see: for a typo of every hidden name, over every transport', async () => {
      let tried = 0;
      const known = namesOf(whole);
      for (const [asker, as] of all) {
        const { text } = await sdlFor(as);
        const view = buildSchema(text);
        const seen = namesOf(view);
        const hidden = new Set([...known].filter((name) => !seen.has(name)));
        const wrong = [...new Set([...hidden].map(typo))].filter((name) => !known.has(name) && name.length > 1);
        const documents: string[] = [];
        const parents = Object.values(view.getTypeMap()).filter(
          (type) => isObjectType(type) && !type.name.startsWith('__'),
        );
        for (let at = 0; at < wrong.length; at += 24) {
          const some = wrong.slice(at, at + 24);
          const field = some.join(' ');
          const parent = parents[(at / 24) % parents.length]?.name;
          documents.push(
            `{ ${field} ${some.map((name) => `... on ${name} { id }`).join(' ')} markets(${some.map((name) => `${name}: 1`).join(' ')}) { code } }`,
            `{ ...P } fragment P on ${parent} { ${field} }`,
            `query(${some.map((name, index) => `$v${index}: ${name}`).join(' ')}) { markets(closedTo: ${some[0]}) { name } }`,
          );
        }
        for (const [door, run] of doors()) {
          // In the places where most is suggested; over HTTP in the others as well.
          for (const document of door === 'HTTP' ? documents : documents.filter((_, index) => index % 3 === 0)) {
            const { data, errors = [] } = await run(document, {}, as);
            tried += 1;
            expect([door, data, errors.length > 0]).toEqual([door, undefined, true]);
            const leaks = errors.filter(({ message }) =>
              [...message.matchAll(/"[^"]*"/g)].some(([quoted]) =>
                quoted.match(/[A-Za-z_]\w*/g)?.some((name: string) => hidden.has(name)),
              ),
            );
            expect([asker, door, leaks.map(({ message }) => message)]).toEqual([asker, door, []]);
          }
        }
      }
      process.stdout.write(`suggestions: ${tried} documents of typos tried\n`);
      expect(tried).toBeGreaterThan(500);
    });

    test('still help with what is seen', async () => {
      for (const [door, run] of doors()) {
        const { errors = [] } = await run(
          '{ ordrs { id } invoicez { id } orders customers(frist: 1) { nodes { id } } ... on Ordr { id } }',
          {},
          'SALES_AGENT',
        );
        expect([door, errors.map(({ message }) => message).sort()]).toEqual([
          door,
          [
            'Cannot query field "invoicez" on type "Query".',
            'Cannot query field "ordrs" on type "Query". Did you mean "orders", "order", or "nodes"?',
            'Field "orders" of type "OrderConnection" must have a selection of subfields. Did you mean "orders { ... }"?',
            'Unknown argument "frist" on field "Query.customers". Did you mean "first" or "last"?',
            'Unknown type "Ordr". Did you mean "Order"?',
          ],
        ]);
      }
    });

    test('errors name nothing that their reader may not use, but for what the document names itself', async () => {
      for (const [asker, as] of all) {
        const seen = namesOf(buildSchema((await sdlFor(as)).text));
        const hidden = new Set([...namesOf(whole)].filter((name) => !seen.has(name)));
        const refused = (root: GraphQLObjectType | null | undefined) =>
          Object.values(root?.getFields() ?? {}).filter(
            ({ name }) => golden.get(`${root?.name}.${name}`)?.[asker] === '',
          );
        const documents: [string, Record<string, unknown>][] = [
          ...refused(whole.getQueryType()).flatMap(({ name }): [string, object][] => [
            [`{ ${name} { nope } }`, {}],
            [`{ ${name}(nope: 1) }`, {}],
            [`{ ${name} { nodes { nope } pageInfo } }`, {}],
          ]),
          ...refused(whole.getMutationType()).flatMap(({ name, args: [input] }): [string, object][] => [
            [`mutation { ${name} { __typename } }`, {}],
            [`mutation { ${name}(input: {}) { nope } }`, {}],
            [`mutation ($value: ${input?.type}) { ${name}(input: $value) { __typename } }`, { value: { nope: 1 } }],
          ]),
        ] as [string, Record<string, unknown>][];
        for (const [door, run] of doors()) {
          for (const [document, variables] of documents) {
            if (door === 'SSE' && document.includes('$value')) continue;
            const { data, errors = [] } = await run(document, variables, as);
            expect([door, document, data, errors.length > 0]).toEqual([door, document, undefined, true]);
            const leaks = errors.filter(({ message }) =>
              [...message.matchAll(/"([^"]*)"/g)].some(([, quoted = '']) =>
                quoted.match(/[A-Za-z_]\w*/g)?.some((name: string) => hidden.has(name) && !document.includes(name)),
              ),
            );
            expect([asker, door, document, leaks.map(({ message }) => message)]).toEqual([asker, door, document, []]);
          }
        }
      }
    });

    test('are not made of what stands for a refused field, nor of a variable’s value', async () => {
      for (const [door, run] of doors()) {
        const refused = await run('{ orders }', {}, null);
        expect([door, refused.errors?.[0].message]).toEqual([door, expect.not.stringContaining('Did you mean')]);
      }
      for (const transport of transports) {
        const { errors } = await over(transport, gateway)(
          'query ($filter: ActivityFilter) { activity(filter: $filter) { totalCount } }',
          { filter: { actions: ['ORDER_PLACD'], actr: 'x' } },
          'REPORT_VIEWER',
        );
        expect(errors?.length).toBeGreaterThan(0);
        expect(JSON.stringify(errors)).not.toContain('Did you mean');
      }
    });
  });

  describe.each<[IntrospectionPolicy, string[]]>([
    ['signed-in', ['ACCOUNT_ADMIN']],
    ['nobody', []],
  ])('with introspection for %s', (introspection, shown) => {
    let closed: TestGateway;
    beforeAll(async () => {
      closed = await startTestGateway({ config: { introspection, playground: false } });
    });
    afterAll(() => closed.stop());

    test.each(['ACCOUNT_ADMIN', NOBODY] as const)('what %s is told of the schema', async (asker) => {
      const as = asker === NOBODY ? null : asker;
      const isShown = shown.includes(asker);
      const code = as ? 'FORBIDDEN' : 'UNAUTHENTICATED';
      for (const transport of transports) {
        const run = over(transport, closed);
        for (const query of [
          INTROSPECTION,
          '{ viewer { roles } ...S } fragment S on Query { a: __type(name: "Market") { name } }',
        ]) {
          const { data, errors } = await run(query, {}, as);
          expect([transport, Boolean(data), errors?.map(({ extensions }) => extensions.code)]).toEqual(
            isShown ? [transport, true, undefined] : [transport, false, [code]],
          );
        }
        const typo = await run('{ viewr { roles } }', {}, as);
        expect([transport, typo.errors?.[0].message.includes('Did you mean "viewer"')]).toEqual([transport, isShown]);
        const plain = await run('{ __typename viewer { __typename } }', {}, as);
        expect(plain).toEqual({ data: { __typename: 'Query', viewer: { __typename: 'Viewer' } }, errors: undefined });
      }
      const headers: Record<string, string> = as ? { authorization: `Bearer ${await closed.token(as)}` } : {};
      const response = await fetch(`${closed.url}/schema.graphql`, { headers });
      expect(response.status).toBe(isShown ? 200 : as ? 403 : 401);
      if (!isShown) expect(await response.json()).toMatchObject({ errors: [{ extensions: { code } }] });
    });

    test('with the playground off, browsers get no page and nothing of it', async () => {
      const page = await fetch(closed.url, { headers: { accept: 'text/html' } });
      expect([page.status, await page.json()]).toEqual([
        200,
        { name: 'csp-graph', graphql: '/graphql', schema: '/schema.graphql' },
      ]);
      expect((await fetch(`${closed.url}/playground/config.json`)).status).toBe(404);
    });
  });
});
