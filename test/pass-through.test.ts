import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execute, type GraphQLSchema, parse, validate } from 'graphql';
import { Role } from '../src/auth/role.js';
import { createAuthenticate } from '../src/auth/tokens.js';
import { createContext } from '../src/context.js';
import { loadDemo } from '../src/demo/load-demo.js';
import { limitRules } from '../src/graphql/limits.js';
import { rootReads } from '../src/read-model.js';
import { buildGraph } from '../src/schema.js';
import { engine } from './support/database.js';
import { startTestGateway, type TestGateway } from './support/gateway.js';
import { dice, type Pool, randomOperation } from './support/random-operation.js';

/** Operations compared; RANDOM_OPERATIONS=10000 for a long run. */
const COUNT = Number(process.env['RANDOM_OPERATIONS'] ?? 400);

describe(`compiled reads against ordinary execution, on ${engine}`, () => {
  let gateway: TestGateway;
  let schema: GraphQLSchema;
  let pool: Pool;
  beforeAll(async () => {
    gateway = await startTestGateway({
      prepare: async (orm) => {
        const productKeySecrets = [{ keyId: 'test', secret: new Uint8Array(32).fill(7) }];
        await loadDemo(orm, { customers: 25, orders: 120, activity: 400, now: new Date(), productKeySecrets });
      },
    });
    schema = await buildGraph();
    const [order] = await gateway.sql<{ number: string }>('select number from orders order by number limit 1');
    pool = {
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
      InvoiceFilter: ['{ status: OPEN }', '{ currency: "USD" }'],
      SalesFilter: ['{ markets: ["US"] }', '{ currency: "USD" }', 'null'],
      CustomerOrder: ['{ field: CREATED_AT, direction: DESC }', '{ field: COMPANY_NAME }'],
      OrderOrder: ['{ field: PLACED_AT, direction: ASC }'],
      ActivityOrder: ['{ direction: DESC }', '{ direction: ASC }'],
      ProductOrder: ['{ field: PRODUCT_ID, direction: DESC }'],
    };
  });
  afterAll(() => gateway.stop());

  test(`${COUNT} random operations answer the same data and errors on both paths, over all roles`, async () => {
    const random = dice(20261122);
    const authenticate = createAuthenticate(
      gateway.gateway.services.config.auth,
      gateway.gateway.services.config.signingSecret,
    );
    const roles = Object.values(Role);
    let compared = 0;
    let withData = 0;
    while (compared < COUNT) {
      const { query, variables } = randomOperation(schema, Object.keys(rootReads), pool, random);
      const document = parse(query);
      // A wish that the schema or the limits refuse says nothing about the two paths.
      if (validate(schema, document).length > 0 || validate(schema, document, limitRules).length > 0) continue;
      const token = await gateway.token(roles[compared % roles.length] as Role, {});
      const compiled = await gateway.run(query, variables, { token });
      const context = createContext(gateway.gateway.services, await authenticate(`Bearer ${token}`));
      const executed = await execute({ schema, document, variableValues: variables, contextValue: context });
      const expected = JSON.stringify(executed.data);
      const answered = JSON.stringify(compiled.data);
      if (answered !== expected)
        throw new Error(
          `the answers differ for\n${query}\ncompiled ${answered?.slice(0, 1500)}\nexecuted ${expected?.slice(0, 1500)}\n${JSON.stringify(compiled.errors)} ${JSON.stringify(executed.errors)}`,
        );
      const told = (errors: readonly { message: string }[] | undefined) =>
        (errors ?? []).map((error) => error.message).sort();
      expect(told(compiled.errors)).toEqual(told([...(executed.errors ?? []), ...context.denials.errors]));
      if (expected.length > 60) withData += 1;
      compared += 1;
    }
    // The comparison would be empty if most answers were.
    expect(withData).toBeGreaterThan(COUNT / 3);
  });
});
