import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type DocumentNode,
  execute,
  type GraphQLFormattedError,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  parse,
} from 'graphql';
import { KeySets } from '../../src/auth/key-sets.js';
import { Role } from '../../src/auth/role.js';
import { createAuthenticate } from '../../src/auth/tokens.js';
import { createContext } from '../../src/context/context.js';
import { type NodeType, toGlobalId } from '../../src/domain/global-id.js';
import { errorsOf } from '../../src/execution/valid-document.js';
import { maskError } from '../../src/graphql/errors.js';
import { buildGraph } from '../../src/schema/build-schema.js';
import { rootReads } from '../../src/schema/read-model.js';
import { loadDemo } from '../../src/seed/demo/load-demo.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { type Pool, randomOperation, seededRandom } from '../support/random-operation.js';
import { settled } from '../support/software.js';

/** Operations compared; 10,000 in `.ci/run`. */
const COUNT = Number(process.env['RANDOM_OPERATIONS'] ?? 200);
/** Operations on their way at once. */
const TOGETHER = 16;
/** Tables of the types that implement Node. */
const nodeTables: Record<NodeType, string> = {
  Customer: 'customers',
  Market: 'markets',
  Product: 'products',
  Sku: 'skus',
  SoftwareVersion: 'software_versions',
  Price: 'prices',
  Order: 'orders',
  OrderLine: 'order_lines',
  Entitlement: 'entitlements',
  Cancellation: 'cancellations',
  CancellationLine: 'cancellation_lines',
  Invoice: 'invoices',
  InvoiceLine: 'invoice_lines',
  SupportRequest: 'support_requests',
  SupportFile: 'support_files',
  ActivityEntry: 'activity_entries',
  Session: 'sessions',
  Job: 'jobs',
  Reconciliation: 'reconciliations',
  ReconciliationLine: 'reconciliation_lines',
};
/** What their ids hold, where it is not `id`. */
const otherKeys: Partial<Record<string, string>> = { Market: 'code', SoftwareVersion: `sku_id || '_' || version` };

describe(`compiled reads against ordinary execution, on ${engine}`, () => {
  let gateway: TestGateway;
  let schema: GraphQLSchema;
  let pool: Pool;
  let nodes: { type: NodeType; id: string }[];
  beforeAll(async () => {
    gateway = await startTestGateway({
      prepare: async (orm) => {
        const productKeySecrets = [{ keyId: 'test', secret: new Uint8Array(32).fill(7) }];
        await loadDemo(orm, { customers: 25, orders: 120, activity: 400, now: new Date(), productKeySecrets });
      },
    });
    // Between the two paths' reads entries would come to be seen, one by one.
    await settled(gateway);
    schema = await buildGraph();
    const [order] = await gateway.sql<{ number: string }>('select number from orders order by number limit 1');
    await gateway.sql(
      `insert into support_files (id, support_request_id, name, content_type, size, sha256, content, uploaded_at)
       select gen_random_uuid(), id, 'note.txt', 'text/plain', 1, repeat('0', 64), 'x', now() from support_requests`,
    );
    nodes = await gateway.sql<{ type: NodeType; id: string }>(
      Object.entries(nodeTables)
        .map(([type, table]) => {
          const key = otherKeys[type] ?? 'id::text';
          return `(select '${type}' as type, ${key} as id from ${table} order by ${key} limit 2)`;
        })
        .join(' union all '),
    );
    const ids = nodes.map(({ type, id }) => `"${toGlobalId(type, id)}"`);
    const missing = `"${toGlobalId('Order', randomUUID())}"`;
    pool = {
      id: [...ids, missing, '"broken"'],
      ids: [
        `[${ids}, ${missing}]`,
        `[${ids.slice(0, 5)}]`,
        `[${ids.filter((_, index) => index % 3 === 0)}, ${ids[0]}]`,
        '[]',
        `[${ids[0]}, "broken", "${'x'.repeat(30)}"]`,
      ],
      first: ['1', '2', '5'],
      market: ['"US"', '"DE"', '"AU"'],
      currency: ['"USD"', '"EUR"', 'null'],
      productId: ['"DG7GMGF0FKZV"', '"DG7GMGF0D5RK"', '"nothing"'],
      by: ['{ domain: "contoso.onmicrosoft.com" }', '{ domain: "nobody.example" }', `{ number: "${order?.number}" }`],
      groupBy: ['[MONTH, KIND]', '[]', '[CUSTOMER]', '[PRODUCT, MARKET]'],
      CustomerFilter: ['{ search: "co" }', '{ market: "US" }', 'null'],
      OrderFilter: ['{ statuses: [COMPLETED] }', '{ kind: PERPETUAL_SOFTWARE }', '{ from: "2025-01-01T00:00:00Z" }'],
      ActivityFilter: [
        '{ actions: [ORDER_PLACED, CANCELLATION_CONFIRMED] }',
        '{ to: "2026-01-01T00:00:00Z" }',
        '{ productId: "DG7GMGF0FKZV" }',
      ],
      SoftwareFilter: ['{ statuses: [ACTIVE, REVOKED] }', '{ kinds: [SOFTWARE_SUBSCRIPTION] }'],
      InvoiceFilter: ['{ status: OPEN }', '{ currency: "USD" }', '{ productId: "DG7GMGF0FKZV" }'],
      SalesFilter: ['{ markets: ["US"] }', '{ currency: "USD" }', 'null'],
      CustomerOrder: ['{ field: CREATED_AT, direction: DESC }', '{ field: COMPANY_NAME }'],
      OrderOrder: ['{ field: PLACED_AT, direction: ASC }'],
      ActivityOrder: ['{ direction: DESC }', '{ direction: ASC }'],
      ProductOrder: ['{ field: PRODUCT_ID, direction: DESC }'],
    };
  });
  afterAll(() => gateway.stop());

  test(`${COUNT} random operations answer the same data and errors on both paths, over all roles`, async () => {
    const random = seededRandom(20261122);
    const { config, log } = gateway.gateway.services;
    const { auth, signingSecret } = config;
    const authenticate = createAuthenticate({ auth, signingSecret, keySets: new KeySets({ log }), log });
    const callers = await Promise.all(
      Object.values(Role).map(async (role) => {
        const authorization = `Bearer ${await gateway.token(role, {})}`;
        return { authorization, viewer: await authenticate(authorization) };
      }),
    );
    const post = async (body: string, { authorization }: Caller) => {
      const headers = { 'content-type': 'application/json', authorization };
      return (await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body })).text();
    };
    type Caller = (typeof callers)[number];
    const told = (errors: readonly GraphQLFormattedError[] | undefined) =>
      (errors ?? []).map((error) => JSON.stringify([error.message, error.path, error.extensions])).sort();

    let withData = 0;
    const compare = async (
      query: string,
      document: DocumentNode,
      variables: Record<string, unknown>,
      caller: Caller,
    ) => {
      const body = JSON.stringify({ query, variables });
      const first = await post(body, caller);
      const second = await post(body, caller);
      const context = createContext(gateway.gateway.services, { viewer: caller.viewer });
      const executed = await execute({ schema, document, variableValues: variables, contextValue: context });
      const expected = JSON.stringify(executed.data);
      const compiled = JSON.parse(first) as { data: unknown; errors?: GraphQLFormattedError[] };
      const answered = JSON.stringify(compiled.data);
      if (answered !== expected)
        throw new Error(
          `the answers differ for\n${query}\ncompiled ${answered?.slice(0, 1500)}\nexecuted ${expected?.slice(0, 1500)}\n${JSON.stringify(compiled.errors)} ${JSON.stringify(executed.errors)}`,
        );
      if (second !== first)
        throw new Error(
          `a known document is answered otherwise:\n${query}\n${first.slice(0, 1500)}\n${second.slice(0, 1500)}`,
        );
      const masked = (executed.errors ?? []).map((error) => maskError(error, () => undefined));
      expect(told(compiled.errors)).toEqual(
        told([...masked, ...context.denials.errors].map((error) => error.toJSON())),
      );
      if (expected.length > 60) withData += 1;
    };

    // Random operations come past few types and ids: here each type is read whole, as every role.
    for (const [index, { type, id }] of nodes.entries()) {
      const fields = Object.values((schema.getType(type) as GraphQLObjectType).getFields());
      const whole = `... on ${type} { ${fields.flatMap((field) => (isLeafType(getNamedType(field.type)) ? [field.name] : [])).join(' ')} }`;
      const globalId = toGlobalId(type, id);
      const query = `query ($id: ID!, $ids: [ID!]!) { node(id: $id) { __typename ${whole} } nodes(ids: $ids) { __typename ${whole} } }`;
      const variables = { id: globalId, ids: [globalId, 'broken', toGlobalId(type, nodes[index - 1]?.id ?? id)] };
      const document = parse(query);
      await Promise.all(callers.map((caller) => compare(query, document, variables, caller)));
    }
    const resources = `{ activity(last: 60) { nodes { resource { type nodeId node { kind: __typename id
      ... on Order { number lines { id } customer { id } } ... on Entitlement { orderLine { id } } ... on SupportRequest { files { id } } } } } } }`;
    for (const caller of callers) await compare(resources, parse(resources), {}, caller);

    const hitsBefore = await metricOf(gateway, 'csp_graph_known_documents_hits_total');
    let compared = 0;
    while (compared < COUNT) {
      const together: Promise<void>[] = [];
      while (together.length < TOGETHER && compared < COUNT) {
        const { query, variables } = randomOperation(schema, Object.keys(rootReads), pool, random);
        const document = parse(query);
        // A wish that the schema or the limits refuse says nothing about the two paths.
        if (errorsOf(schema, document).length > 0) continue;
        together.push(compare(query, document, variables, callers[compared % callers.length] as Caller));
        compared += 1;
      }
      await Promise.all(together);
    }
    // The comparison would be empty if most answers were, or if the second one came the same way as the first.
    expect(withData).toBeGreaterThan(COUNT / 3);
    const hits = (await metricOf(gateway, 'csp_graph_known_documents_hits_total')) - hitsBefore;
    expect(hits).toBeGreaterThanOrEqual(COUNT);
  });
});
