import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serverAudits } from 'graphql-http';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';

const GET = 'a GET without a header that a foreign page cannot send is refused: it could be made by any page (CSRF)';
const STATUS =
  'a request of which nothing was run is 400 whatever is accepted: balancers, caches and alarms go by the status';
/** Audits that are not "ok" here: what they say, and why it is so. */
const exceptions: Record<string, [status: 'notice' | 'warn', reason: string]> = {
  '5A70': ['notice', GET],
  D6D5: ['notice', GET],
  '6A70': ['notice', GET],
  '572B': ['warn', STATUS],
  FDE2: ['warn', STATUS],
  '7B9B': ['warn', STATUS],
};

describe(`graphql-http's audits of GraphQL over HTTP, on ${engine}`, () => {
  let gateway: TestGateway;
  const statuses: string[] = [];
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(async () => {
    await gateway.stop();
    const ok = statuses.filter((status) => status === 'ok').length;
    const named = Object.entries(exceptions).map(([id, [status, reason]]) => `  ${id} ${status}: ${reason}`);
    console.info(`graphql-http: ${ok} of ${statuses.length} audits ok, ${named.length} named\n${named.join('\n')}`);
  });

  const url = () => `${gateway.url}/graphql`;
  const audits = serverAudits({ url });

  test.each(audits.map((audit) => [audit.id, audit.name, audit] as const))('%s: %s', async (id, _name, audit) => {
    const { status } = await audit.fn();
    statuses.push(status);
    expect(status).toBe(exceptions[id]?.[0] ?? 'ok');
  });

  test('those about GET are ok for a client that sends the header', async () => {
    const fetchFn = (address: string, init: RequestInit = {}) =>
      fetch(address, { ...init, headers: { ...init.headers, 'apollo-require-preflight': 'true' } });
    const results = await Promise.all(
      serverAudits({ url, fetchFn })
        .filter(({ id }) => exceptions[id]?.[1] === GET)
        .map((audit) => audit.fn()),
    );
    expect(results.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
  });

  test('there are as many as were looked at: a new one wants a look', () => {
    expect([audits.length, Object.keys(exceptions).filter((id) => !audits.some((audit) => audit.id === id))]).toEqual([
      61,
      [],
    ]);
  });
});
