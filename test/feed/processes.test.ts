import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import pg from 'pg';
import WebSocket from 'ws';
import { followFeed, fromGraphqlWs } from '../../src/client/index.js';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { FOLLOWED, type FollowedMessage } from '../support/followers.js';
import {
  come,
  type GatewayProcess,
  killAllProcesses,
  post,
  processToken,
  startProcess,
} from '../support/history/gateway-process.js';
import { metricOf } from '../support/metrics.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { until } from '../support/until.js';

const REVOKE = 'mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }';
const onServer = serverUrl ? test : test.skip;
if (!serverUrl) console.warn('Gateway processes that share a database need a server: set TEST_DATABASE_URL.');

describe('a deploy', () => {
  const ended: (() => unknown)[] = [];
  let database: TestDatabase;
  let url: string;
  let folder: string;
  beforeEach(async () => {
    if (!serverUrl) return;
    database = await testDatabase();
    ({ url } = database.config as { url: string });
    folder = mkdtempSync(join(tmpdir(), 'csp-graph-processes-'));
  });
  afterEach(async () => {
    if (!serverUrl) return;
    for (const end of ended.splice(0).reverse()) await end();
    await killAllProcesses();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  const start = (settings: Record<string, string> = {}) => startProcess(url, folder, settings);
  const revoke = async (gateway: GatewayProcess, token: string, user: string) => {
    await come(gateway.url, user);
    return post(gateway.url, token, REVOKE, { input: { userPrincipalName: user } });
  };
  /** A connection that ends with the test. */
  const connected = async () => {
    const connection = new pg.Client(url);
    await connection.connect();
    ended.push(() => connection.end().catch(() => undefined));
    return connection;
  };
  /** Holds the table of revocations, so that a mutation is in flight until it is let go. */
  const hold = async () => {
    const holder = await connected();
    await holder.query('begin');
    await holder.query('lock table access_revocations in access exclusive mode');
    return holder;
  };
  const isBlocked = async (watch: pg.Client, count = 1) => {
    const { rows } = await watch.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length >= count;
  };

  onServer(
    'streams say goodbye with a cursor, what runs finishes, and another gateway goes on without a gap',
    async () => {
      const token = await processToken();
      const [old, next] = await Promise.all([start(), start()]);
      await revoke(old, token, 'before@partner.example');
      const watch = await connected();
      await until('the feed has read what was before', async () => {
        const { rows } = await watch.query('select max(seq)::int as newest from activity_entries');
        return (await metricOf(old, 'csp_graph_feed_position_seq')) === rows[0].newest;
      });
      const raw = await openAcknowledged(old, token);
      raw.send({ id: '1', type: 'subscribe', payload: { query: FOLLOWED } });
      expect((await raw.next()).payload.data.activity.__typename).toBe('FeedCaughtUp');
      await revoke(next, token, 'live@partner.example');
      expect((await raw.next()).payload.data.activity.entry.resource.label).toBe('live@partner.example');
      // One that neither reads nor answers keeps the stop waiting.
      const idle = await openAcknowledged(old, token);
      ended.push(() => idle.socket.terminate());
      idle.socket.pause();

      await come(old.url, 'by-socket@partner.example');
      await come(old.url, 'in-flight@partner.example');
      const holder = await hold();
      const inFlight = post(old.url, token, REVOKE, { input: { userPrincipalName: 'in-flight@partner.example' } });
      const busy = await openAcknowledged(old, token);
      const input = { userPrincipalName: 'by-socket@partner.example' };
      busy.send({ id: '1', type: 'subscribe', payload: { query: REVOKE, variables: { input } } });
      await until('both mutations wait', () => isBlocked(watch, 2));
      expect((await fetch(`${old.url}/health/ready`)).status).toBe(200);
      old.kill('SIGTERM');
      const goodbye = (await raw.next()).payload.data.activity;
      expect(goodbye.__typename).toBe('FeedDraining');
      expect(await raw.closed).toEqual({ code: 1012, reason: 'Service Restart' });
      expect((await fetch(`${old.url}/health/ready`)).status).toBe(503);
      expect((await fetch(`${next.url}/health/ready`)).status).toBe(200);
      expect(old.exit()).toBeUndefined();

      await holder.query('commit');
      expect(await inFlight).toEqual({ data: { revokeAccess: { __typename: 'RevokeAccessSuccess' } } });
      expect((await busy.next()).payload).toEqual({ data: { revokeAccess: { __typename: 'RevokeAccessSuccess' } } });
      expect((await busy.closed).code).toBe(1012);
      await revoke(next, token, 'after@partner.example');
      idle.socket.terminate();
      expect(await old.exited).toEqual({ code: 0, signal: null });

      const client = createClient({
        url: `${next.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${token}` },
      });
      ended.push(() => client.dispose());
      const labels: string[] = [];
      for await (const message of followFeed<FollowedMessage>(fromGraphqlWs(client, FOLLOWED), {
        after: goodbye.cursor,
      })) {
        if (message.entry) labels.push(message.entry.resource.label);
        if (labels.length === 3) break;
      }
      expect(labels.slice(0, 2).sort()).toEqual(['by-socket@partner.example', 'in-flight@partner.example']);
      expect(labels[2]).toBe('after@partner.example');
    },
  );

  onServer('does not wait for what never finishes', async () => {
    const token = await processToken();
    // Longer than the test would wait: only the drain's own bound ends it.
    const gateway = await start({ DRAIN_TIMEOUT_MS: '500', STATEMENT_TIMEOUT_MS: '600000' });
    await come(gateway.url, 'stuck@partner.example');
    await hold();
    const watch = await connected();
    const input = { userPrincipalName: 'stuck@partner.example' };
    const inFlight = post(gateway.url, token, REVOKE, { input }).catch(() => 'cut');
    await until('the mutation waits', () => isBlocked(watch));
    gateway.kill('SIGTERM');
    expect(await inFlight).toBe('cut');
    expect(await gateway.exited).toEqual({ code: 1, signal: null });
    expect(gateway.log.join('')).toContain('not everything could be finished in DRAIN_TIMEOUT_MS');
  });
});
