import { afterEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { insertEntries } from '../support/entries.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { until } from '../support/until.js';

// The embedded database has one connection: nobody holds anybody back.
const onServer = serverUrl ? describe : describe.skip;
if (!serverUrl) console.warn('A horizon that others hold back needs a server: set TEST_DATABASE_URL.');

onServer('a long transaction that holds the feed back', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  async function started(database: TestDatabase): Promise<TestGateway> {
    const gateway = await startTestGateway({
      database: { ...database, drop: async () => undefined },
      config: { horizonWarnMs: 1 },
    });
    ends.push(() => gateway.stop());
    return gateway;
  }
  async function holder(database: TestDatabase): Promise<{ pid: number; end(): Promise<unknown> }> {
    const client = new pg.Client((database.config as { url: string }).url);
    await client.connect();
    ends.push(() => client.end());
    await client.query('begin');
    await client.query(insertEntries.replace('?', '$1'), [1]);
    const { rows } = await client.query('select pg_backend_pid() as pid');
    return { pid: rows[0].pid, end: () => client.query('commit') };
  }
  const LABELS = 'subscription { activity { __typename ... on ActivityRecorded { entry { resource { label } } } } }';

  test('shows as a metric and as a line of the log with its pid and age, until it ends', async () => {
    const database = await testDatabase();
    ends.push(() => database.drop());
    const gateway = await started(database);
    const stream = await gateway.subscribe(LABELS);
    await stream.nextOf('FeedCaughtUp');
    const { pid, end } = await holder(database);
    const lines = () => gateway.log.map((line) => JSON.parse(line)).filter((line) => line.holder?.pid === pid);
    await until('the log names it', () => lines().length > 0);
    expect(lines()[0]).toMatchObject({ level: 40, holder: { age: expect.any(Number) } });
    expect(lines()[0].msg).toContain(`pg_terminate_backend(${pid})`);
    expect(await metricOf(gateway, 'csp_graph_feed_horizon_held_seconds')).toBeGreaterThan(0);
    await end();
    // Other suites use the same server, and hold it back now and then: what was named is no more.
    expect((await stream.nextOf('ActivityRecorded')).entry.resource.label).toBe('1');
    await stream.end();
  });

  test('does not hold up a revocation: other processes learn of it all the same', async () => {
    const database = await testDatabase();
    ends.push(() => database.drop());
    const [first, second] = [await started(database), await started(database)];
    const { end } = await holder(database);
    const user = 'leaver@partner.example';
    const token = await first.token('ACCOUNT_ADMIN', { user });
    const stream = await second.subscribe(LABELS, {}, { token });
    await stream.nextOf('FeedCaughtUp');
    await first.run('mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }', {
      input: { userPrincipalName: user },
    });
    expect(await stream.nextOf('AccessChanged')).toBeDefined();
    expect((await second.run('{ viewer { userPrincipalName } }', {}, { token })).status).toBe(401);
    await end();
    await stream.end();
  });
});
