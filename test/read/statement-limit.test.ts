import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fillByNumbers } from '../../bench/scale-rows.mjs';
import { engine, testDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';

/** So many rows that no machine can do any of the reads below in a millisecond. */
const SIZE = { customers: 500, orders: 8_000, activity: 40_000 };
const LIMIT_MS = 120_000;

const READS = {
  'a count': '{ activity { totalCount } }',
  'a count of what is not there':
    '{ customers(filter: { search: "m" }) { totalCount } orders(filter: { placedBy: "agent3@partner.example", kind: LINUX_PLAN }) { totalCount } activity(filter: { actor: "agent5@partner.example", actions: [ORDER_PLACED] }) { totalCount } }',
  'sales over all dimensions':
    '{ sales(groupBy: [CUSTOMER, MARKET, PRODUCT, KIND, MONTH]) { count gross { amount } customer { companyName } } }',
  'sales of a period, by month':
    '{ sales(groupBy: [MONTH, MARKET], filter: { from: "2025-01-01T10:00:00Z" }) { count } }',
  'a page with filters that no index serves together':
    '{ activity(filter: { actor: "agent5@partner.example", actions: [ORDER_PLACED, CANCELLATION_CONFIRMED], from: "2020-01-01T00:00:00Z" }) { nodes { id } } }',
  'lists inside lists':
    '{ customers(first: 100) { nodes { orders(first: 100) { totalCount nodes { lines { sku { title } } } } } } }',
};

describe(`each statement stops at its limit, on ${engine}`, () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    const database = await testDatabase();
    // One connection: what is set for a session is set for all reads of operations.
    const config = { ...database.config, statementTimeoutMs: LIMIT_MS, poolSize: 1 };
    gateway = await startTestGateway({ database, config: { database: config } });
    await fillByNumbers((statement: string) => gateway.sql(statement), SIZE);
    await gateway.sql('vacuum analyze');
  });
  afterAll(() => gateway.stop());

  const refused = () => metricOf(gateway, 'csp_graph_refusals_total{bound="statementTime"}').catch(() => 0);
  const setting = () =>
    gateway.gateway.services.config.database.kind === 'server' ? 'statement_timeout' : 'csp_graph.statement_limit';
  const limitTo = (ms: number) => gateway.sql(`set ${setting()} = '${ms} ms'`);

  const limit = async () => {
    const [row] = await gateway.sql<{ limit: string }>(
      `select extract(epoch from current_setting('${setting()}')::interval) * 1000 as "limit"`,
    );
    return Number(row?.limit);
  };

  test('the setting of the gateway is the limit of a session, also after reads that had less time because they waited', async () => {
    expect(await limit()).toBe(LIMIT_MS);
    const answers = await Promise.all(Array.from({ length: 4 }, () => gateway.run(READS['sales over all dimensions'])));
    expect(answers.map(({ errors }) => errors)).toEqual(answers.map(() => undefined));
    expect(await limit()).toBe(LIMIT_MS);
  });

  test.each(Object.entries(READS))('%s is answered within it, refused beyond it', async (_name, document) => {
    const within = await gateway.run(document);
    expect(within.errors).toBeUndefined();
    const before = await refused();
    await limitTo(1);
    const beyond = await gateway.run(document);
    await limitTo(LIMIT_MS);
    expect(beyond.errors?.map(({ extensions }) => extensions.code)).toContain('TIMEOUT');
    expect(await refused()).toBe(before + 1);
    expect(await gateway.run(document)).toMatchObject({ data: within.data, errors: undefined });
  });

  test('the log has no internal error', () => {
    expect(gateway.log.filter((line) => /internal error|57014/.test(line))).toEqual([]);
  });
});
