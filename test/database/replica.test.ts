import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { DatabaseConfig } from '../../src/config/config.js';
import type { TestDatabase } from '../support/database.js';
import { serverUrl, testDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { type Cluster, clusterPrograms, startCluster, startReplica } from '../support/history/cluster.js';
import { metricOf } from '../support/metrics.js';
import { aCustomer } from '../support/shop.js';
import { until } from '../support/until.js';

const MAXIMUM_LAG_MS = 400;
const programs = clusterPrograms();
const here = serverUrl && programs ? describe : describe.skip;
if (serverUrl && !programs)
  console.warn('Reads on a replica are not tested: there are no programs of a PostgreSQL server to make one with.');

/** A database whose servers the test makes and stops itself. */
const own = (url: string, replicaUrl: string, maxLagMs = MAXIMUM_LAG_MS): TestDatabase => ({
  config: {
    kind: 'server',
    url,
    poolSize: 4,
    statementTimeoutMs: 15_000,
    analysts: { poolSize: 2, statementTimeoutMs: 15_000 },
    replica: { url: replicaUrl, maxLagMs },
  },
  pglite: undefined,
  drop: async () => undefined,
});

here('reads on a replica', () => {
  let primary: Cluster;
  let copy: Cluster;
  let isUp = false;
  let gateway: TestGateway;
  beforeAll(async () => {
    primary = await startCluster(programs as string);
    copy = await startReplica(programs as string, primary);
    isUp = true;
    gateway = await startTestGateway({ database: own(primary.url, copy.url) });
    await aCustomer(gateway);
    await rename('Name 1');
  });
  afterAll(async () => {
    await gateway?.stop();
    if (isUp) copy.stop();
    primary?.stop();
  });

  const onReplica = async (statement: string) => {
    const client = new pg.Client(copy.url);
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  const nameFor = async (role: 'GLOBAL_ADMIN' | 'REPORT_VIEWER', by = gateway) => {
    const { data, errors } = await by.run('{ customers(first: 1) { nodes { companyName } } }', {}, role);
    expect(errors).toBeUndefined();
    return data.customers.nodes[0].companyName as string;
  };
  const rename = (name: string) => gateway.sql('update customers set company_name = ?', [name]);
  const lag = (of = gateway) => metricOf(of, 'csp_graph_replica_lag_seconds');
  const isFollowed = () => until('the replica is followed', async () => (await lag()) < MAXIMUM_LAG_MS / 1_000);

  test('an analyst may read what is a moment old; whoever can write never does', async () => {
    // For this gateway an hour is a moment: whatever the machine is busy with, the replica counts as followed.
    const patient = await startTestGateway({ database: own(primary.url, copy.url, 3_600_000) });
    try {
      await until('the replica is followed', async () => Number.isFinite(await lag(patient)));
      await until('the name is on the replica', async () => (await nameFor('REPORT_VIEWER', patient)) === 'Name 1');
      await onReplica('select pg_wal_replay_pause()');
      await rename('Name 2');
      expect(await nameFor('REPORT_VIEWER', patient)).toBe('Name 1');
      expect(await nameFor('GLOBAL_ADMIN', patient)).toBe('Name 2');
    } finally {
      await patient.stop();
    }
  });

  test('one that is too far behind is not asked, until it has caught up', async () => {
    await rename('Name 3');
    await until('the replica is too far behind', async () => (await lag()) > MAXIMUM_LAG_MS / 1_000);
    expect(await nameFor('REPORT_VIEWER')).toBe('Name 3');
    await until('operators are told', () => gateway.log.join('').includes('the replica is too far behind'));
    await onReplica('select pg_wal_replay_resume()');
    await isFollowed();
    expect(await metricOf(gateway, 'csp_graph_pool_connections\\{pool="replica",state="waiting"\\}')).toBe(0);
  });

  test('while it is down analysts are answered by the primary', async () => {
    copy.stop();
    isUp = false;
    await rename('Name 4');
    for (let ask = 0; ask < 5; ask += 1) expect(await nameFor('REPORT_VIEWER')).toBe('Name 4');
    await until('operators are told', () => gateway.log.join('').includes('the replica is out of reach'));
    expect(await lag()).toBe(Number.POSITIVE_INFINITY);
  });

  test('a gateway does not start beside a database that is no replica of its own', async () => {
    const stranger = await testDatabase();
    try {
      const { url } = stranger.config as Extract<DatabaseConfig, { kind: 'server' }>;
      await expect(startTestGateway({ database: own(primary.url, url) })).rejects.toThrow(
        'DATABASE_REPLICA_URL: must be a streaming replica of the database at DATABASE_URL',
      );
    } finally {
      await stranger.drop();
    }
  });
});
