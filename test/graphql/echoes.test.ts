import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { over, transports } from '../support/transports.js';

const LONG = 'private '.repeat(20_000);
const QUERY = 'query ($filter: OrderFilter!) { orders(filter: $filter) { totalCount } }';
const STREAM = 'subscription ($filter: ActivityFilter!) { activity(filter: $filter) { __typename } }';
const unknown = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`nothing${at}`, 1]));

describe(`what errors repeat of what was sent, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const expectShort = (errors: { message: string; extensions: { code: string } }[] | undefined) => {
    expect(errors).toHaveLength(11);
    expect(errors?.every(({ extensions }) => extensions.code === 'BAD_USER_INPUT')).toBe(true);
    expect(errors?.[0]?.message).toContain('nothing');
    expect(JSON.stringify(errors).length).toBeLessThan(10_000);
  };

  test.each(transports)('of variables over %s: long values are cut, and ten mistakes are told', async (transport) => {
    const { errors } = await over(transport, gateway)(QUERY, { filter: { customerId: LONG, ...unknown } });
    expectShort(errors);
  });

  test('of variables as an event stream', async () => {
    const events = await openEvents(gateway, {
      query: STREAM,
      variables: { filter: { customerId: LONG, ...unknown } },
    });
    expectShort((await events.next())?.data.errors);
    events.end();
  });

  test.each(transports)('of literals in the document over %s', async (transport) => {
    const run = over(transport, gateway);
    for (const value of [
      `"${LONG}"`,
      '9'.repeat(100_000),
      `{ a: "${LONG}" }`,
      `[${'1, '.repeat(2_000)}]`,
      'a'.repeat(100_000),
    ]) {
      const { errors } = await run(`{ customers(first: ${value}) { totalCount } }`);
      expect(errors?.length).toBeGreaterThan(0);
      expect(JSON.stringify(errors).length).toBeLessThan(10_000);
    }
  });
});
