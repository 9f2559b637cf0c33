import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { engine, serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../support/shop.js';
import { until } from '../support/until.js';

const onServer = serverUrl ? test : test.skip;

describe(`several root fields of one query, on ${engine}`, () => {
  let database: TestDatabase;
  let gateway: TestGateway;
  let customer: TestCustomer;
  let statements = 0;
  beforeAll(async () => {
    database = await testDatabase();
    gateway = await startTestGateway({ database });
    await stockShop(gateway);
    customer = await aCustomer(gateway);
    await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const { readSource } = gateway.gateway.services;
    const { execute } = readSource;
    readSource.execute = (statement, parameters, turn) => {
      statements += 1;
      return execute(statement, parameters, turn);
    };
  });
  afterAll(() => gateway.stop());

  const run = async (
    query: string,
    variables: Record<string, unknown> = {},
    role: 'GLOBAL_ADMIN' | 'SALES_AGENT' = 'GLOBAL_ADMIN',
  ) => {
    statements = 0;
    const { data, errors } = await gateway.run(query, variables, role);
    return { data, codes: errors?.map((error) => `${error.path} ${error.extensions.code}`), statements };
  };

  test('are one statement, whose answers are those of the fields alone', async () => {
    const fields = [
      'customer(by: { id: $id }) { companyName }',
      'orders(filter: { customerId: $id }, first: 3) { totalCount nodes { number } pageInfo { endCursor } }',
      'activity(filter: { customerId: $id }, first: 2) { nodes { action } edges { cursor } }',
      'nobody: customer(by: { domain: "nobody.example" }) { id }',
      'markets { code }',
    ];
    const alone: Record<string, unknown> = {};
    for (const field of fields) {
      const head = field.includes('$id') ? 'query ($id: ID!)' : 'query';
      Object.assign(alone, (await run(`${head} { ${field} }`, { id: customer.id })).data);
    }
    const together = await run(`query ($id: ID!) { ${fields.join(' ')} __typename }`, { id: customer.id });
    expect(together).toEqual({ data: { ...alone, __typename: 'Query' }, codes: undefined, statements: 1 });
  });

  test('of which some are refused are null with their errors; the rest is still one statement', async () => {
    const query =
      '{ markets { code } a: customers(first: 0) { totalCount } customers { totalCount } invoices { totalCount } }';
    const { data, codes, statements } = await run(query, {}, 'SALES_AGENT');
    expect(data).toMatchObject({ a: null, customers: { totalCount: 1 }, invoices: null });
    expect([codes, statements]).toEqual([['a BAD_USER_INPUT', 'invoices FORBIDDEN'], 1]);
  });

  test('that are all refused are no statement', async () => {
    expect(
      await run('{ a: customers(first: 0) { totalCount } invoices { totalCount } }', {}, 'SALES_AGENT'),
    ).toMatchObject({
      data: { a: null, invoices: null },
      statements: 0,
    });
  });

  onServer('show one moment, though a writer commits while one of them waits', async () => {
    if (database.config.kind !== 'server') throw new Error('this needs a server');
    const writer = new pg.Client(database.config.url);
    await writer.connect();
    try {
      await writer.query('begin');
      await writer.query('lock table orders in access exclusive mode');
      const answer = run(
        'query ($id: ID!) { customer(by: { id: $id }) { companyName } orders(filter: { customerId: $id }) { nodes { customer { companyName } } } }',
        { id: customer.id },
      );
      await until('the read waits for the orders', async () => {
        const { rowCount } = await writer.query(
          "select from pg_locks where relation = 'orders'::regclass and not granted",
        );
        return rowCount === 1;
      });
      await writer.query("update customers set company_name = 'Renamed' where id = $1", [customer.rowId]);
      await writer.query('commit');
      const { data } = await answer;
      expect(data.orders.nodes[0].customer).toEqual(data.customer);
    } finally {
      await writer.end();
    }
  });
});
