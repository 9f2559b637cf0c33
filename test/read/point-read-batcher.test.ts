import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Execute } from '../../src/database/execute.js';
import { PointReadBatcher } from '../../src/read/point-read-batcher.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { aCustomer, type TestCustomer } from '../support/shop.js';
import { adminOf } from '../support/software.js';

const ONE = 'query ($domain: String!) { customer(by: { domain: $domain }) { id domain contact { email } } }';

describe(`reads of single rows that come together, on ${engine}`, () => {
  let gateway: TestGateway;
  const customers: TestCustomer[] = [];
  let statements = 0;
  let poison: string | null = null;
  beforeAll(async () => {
    gateway = await startTestGateway();
    for (let made = 0; made < 6; made += 1) customers.push(await aCustomer(gateway));
    const { readSource, kysely } = gateway.gateway.services;
    const { execute } = readSource;
    const counted: Execute = (statement, parameters, abort) => {
      statements += 1;
      return poison !== null && parameters.includes(poison)
        ? Promise.reject(new Error('this value fails the statement'))
        : execute(statement, parameters, abort);
    };
    readSource.pointReads = new PointReadBatcher(counted, kysely);
  });
  afterAll(() => gateway.stop());

  /** Each over a socket of its own and all in one turn of the event loop: messages of one socket are taken one a turn. */
  const askTogether = async (domains: readonly string[]) => {
    const token = await gateway.token('GLOBAL_ADMIN');
    const sockets = await Promise.all(domains.map(() => openAcknowledged(gateway, token)));
    statements = 0;
    for (const [index, raw] of sockets.entries())
      raw.send({ id: '1', type: 'subscribe', payload: { query: ONE, variables: { domain: domains[index] } } });
    return Promise.all(
      sockets.map(async (raw) => {
        const { payload } = await raw.next();
        raw.socket.terminate();
        return payload;
      }),
    );
  };

  test('share statements, and each gets its own answer', async () => {
    const domains = Array.from({ length: 40 }, (_, index) =>
      index % 7 === 6 ? 'nobody.example' : (customers[index % 6] as TestCustomer).domain,
    );
    const answers = await askTogether(domains);
    expect(answers.map(({ data }) => data.customer?.domain ?? 'nobody.example')).toEqual(domains);
    expect(statements).toBeLessThan(domains.length / 2);
  });

  test('are read for each viewer by their own rights and tenant', async () => {
    const [mine, theirs] = customers as [TestCustomer, TestCustomer];
    const admins = [await adminOf(gateway, mine), await adminOf(gateway, theirs)];
    const asked = Array.from({ length: 60 }, async (_, index) => {
      const as = [admins[0], admins[1], 'GLOBAL_ADMIN' as const, 'REPORT_VIEWER' as const][index % 4];
      const { data, errors } = await gateway.run(ONE, { domain: mine.domain }, as);
      return [data.customer?.id ?? null, data.customer?.contact?.email ?? null, errors?.[0].extensions.code];
    });
    const expected = [
      [mine.id, 'pat@example.com', undefined],
      [null, null, undefined],
      [mine.id, 'pat@example.com', undefined],
      [mine.id, null, 'FORBIDDEN'],
    ];
    expect(await Promise.all(asked)).toEqual(asked.map((_, index) => expected[index % 4]));
  });

  test('one that fails does not fail the others', async () => {
    const domains = customers.map(({ domain }) => domain);
    poison = domains[2] as string;
    const answers = await askTogether(domains);
    poison = null;
    expect(answers.map(({ data, errors }) => data.customer?.domain ?? errors[0].extensions.code)).toEqual(
      domains.map((domain, index) => (index === 2 ? 'INTERNAL_SERVER_ERROR' : domain)),
    );
  });
});
