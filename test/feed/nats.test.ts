import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Position, START } from '../../src/activity-log/position.js';
import type { Config } from '../../src/config/config.js';
import { AdvisoryLock } from '../../src/database/advisory-locks.js';
import { namesOf } from '../../src/feed/nats/wire.js';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { caughtUp, client, feedOf, insertOn, pull, shared, table } from '../support/feed.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { hasNats, startNats, type TestNats } from '../support/nats.js';
import { startProxy, type TestProxy } from '../support/proxy.js';
import { severalProcesses } from '../support/several-processes.js';
import { until } from '../support/until.js';

const isThere = serverUrl && hasNats;
if (!isThere)
  console.warn('The feed over NATS needs a PostgreSQL server (TEST_DATABASE_URL) and a nats-server binary.');
const onNats = isThere ? test : test.skip;

const natsConfig = (url: string, maxBytes = 64 * 1024 * 1024): Partial<Config> => ({
  nats: { url, maxAgeMs: 3_600_000, maxBytes },
});
const isFollowing = async (gateway: TestGateway) => (await metricOf(gateway, 'csp_graph_feed_from_nats')) === 1;
const follows = (gateway: TestGateway) => until('it follows NATS', () => isFollowing(gateway));
const polls = (gateway: TestGateway) => until('it polls PostgreSQL', async () => !(await isFollowing(gateway)));
const relays = async (gateway: TestGateway) => (await metricOf(gateway, 'csp_graph_feed_relays')) === 1;

if (isThere) {
  let nats: TestNats;
  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(() => nats.drop());
  severalProcesses('over NATS', { config: () => natsConfig(nats.url), ready: follows });
}

describe('the feed over NATS', () => {
  let nats: TestNats;
  let database: TestDatabase;
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  /** A NATS server and a database of the test's own. */
  async function prepare(credentials?: { user: string; pass: string }): Promise<void> {
    database = await testDatabase();
    closing.push(database.drop);
    nats = await startNats(credentials);
    closing.push(nats.drop);
  }
  async function started(config: Partial<Config> = natsConfig(nats.url), on = database): Promise<TestGateway> {
    const gateway = await startTestGateway({ database: shared(on), config });
    closing.push(gateway.stop);
    return gateway;
  }
  async function followers(count: number, config?: Partial<Config>): Promise<TestGateway[]> {
    const gateways: TestGateway[] = [];
    while (gateways.length < count) gateways.push(await started(config));
    for (const gateway of gateways) await follows(gateway);
    return gateways;
  }
  const leaderOf = async (among: TestGateway[]) => {
    const leading = await Promise.all(among.map(relays));
    expect(leading.filter(Boolean)).toHaveLength(1);
    return among[leading.indexOf(true)] as TestGateway;
  };
  /** Commits entries, one transaction after the other, until something named is so, and some more; answers how many. */
  async function writeUntil(what: string, isSo: () => boolean | Promise<boolean>): Promise<number> {
    const connection = await client(database);
    let written = 0;
    const write = async () => {
      await insertOn(connection, 5);
      written += 5;
    };
    await until(what, async () => {
      await write();
      return isSo();
    });
    for (let turn = 0; turn < 20; turn += 1) await write();
    await connection.end();
    return written;
  }
  /** What each gateway has told since it began is everything in the table, in its order. */
  async function expectAllTold(among: TestGateway[], total: number, begin: Position = START): Promise<void> {
    for (const gateway of among) {
      await caughtUp(gateway, total);
      // A feed that began before the first entry has these in memory: the entries that it was fed with.
      const told = await pull(feedOf(gateway), begin);
      expect(told.map((entry) => entry.id)).toEqual((await table(gateway)).map((entry) => entry.id));
      expect(told).toHaveLength(total);
    }
  }
  const some = async (isSo: (gateway: TestGateway) => Promise<boolean>, among: TestGateway[]) =>
    (await Promise.all(among.map(isSo))).includes(true);

  onNats('is relayed by one process, and by another one when that one stops, with writers running', async () => {
    await prepare();
    const all = await followers(3);
    const leader = await leaderOf(all);
    const others = all.filter((gateway) => gateway !== leader);
    const before = await writeUntil(
      'something is relayed',
      async () => (await metricOf(leader, 'csp_graph_feed_relayed')) > 0,
    );
    const stopping = leader.gateway.stop();
    const after = await writeUntil('another one relays', () => some(relays, others));
    await stopping;
    await expectAllTold(others, before + after);
    await leaderOf(others);
  });

  onNats('goes on when the process that relays is killed, with writers running', async () => {
    await prepare();
    const process = await spawnGateway(database, nats);
    closing.push(() => kill(process));
    const [one, other] = await followers(2);
    const both = [one, other] as TestGateway[];
    expect(await some(relays, both)).toBe(false);
    const killed = writeUntil('one of us relays', () => some(relays, both));
    await kill(process);
    await expectAllTold(both, await killed);
    for (const gateway of both) await follows(gateway);
  });

  onNats('goes on when the connection that holds the lock is cut', async () => {
    await prepare();
    const all = await followers(2);
    const leader = await leaderOf(all);
    const killer = await client(database);
    const relayed = () => metricOf(leader, 'csp_graph_feed_relayed');
    const { rowCount } = await killer.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
        and database = (select oid from pg_database where datname = current_database()) and objid = ${AdvisoryLock.RELAY}`,
    );
    await killer.end();
    expect(rowCount).toBe(1);
    const count = await relayed();
    const written = await writeUntil('one of them relays', () => some(relays, all));
    expect(count).toBe(0);
    await expectAllTold(all, written);
  });

  onNats('polls PostgreSQL while NATS is down, and returns to it; nothing is lost, repeated or invented', async () => {
    await prepare();
    const all = await followers(2);
    let written = await writeUntil('both follow', async () => !(await some(polling, all)));
    for (const how of [undefined, 'empty'] as const) {
      await nats.kill();
      for (const gateway of all) await polls(gateway);
      written += await writeUntil('both poll', async () => !(await some(isFollowing, all)));
      await expectAllTold(all, written);
      await nats.start(how);
      written += await writeUntil('both follow again', async () => !(await some(polling, all)));
      await expectAllTold(all, written);
    }
    const said = (what: string) => all.map(({ log }) => log.filter((line) => line.includes(what)).length);
    expect(said('NATS is out of reach')).toEqual([2, 2]);
  });

  onNats('starts without NATS, and follows it when it is there', async () => {
    await prepare();
    await nats.kill();
    const gateway = await started();
    const written = await writeUntil('it is told', () =>
      gateway.log.some((line) => line.includes('NATS is out of reach')),
    );
    await expectAllTold([gateway], written);
    await nats.start();
    await follows(gateway);
    await expectAllTold([gateway], written + (await writeUntil('it follows', () => isFollowing(gateway))));
  });

  onNats('a stream that is purged, deleted, or too small on the way costs nothing', async () => {
    await prepare();
    const all = await followers(2, natsConfig(nats.url, 65_536));
    const connection = await connect({ servers: nats.url });
    closing.push(() => connection.close());
    const { streams } = await jetstreamManager(connection);
    const { stream } = namesOf((all[0] as TestGateway).gateway.services.feedCursors.incarnation);
    let written = await writeUntil(
      'the stream has dropped some',
      async () => (await streams.info(stream)).state.first_seq > 100,
    );
    await streams.purge(stream);
    written += await writeUntil('it fills again', async () => (await streams.info(stream)).state.messages > 0);
    await streams.delete(stream);
    const isBack = () =>
      streams.info(stream).then(
        ({ state }) => state.messages > 0,
        () => false,
      );
    written += await writeUntil('it is there again', isBack);
    await expectAllTold(all, written);
    for (const gateway of all) await follows(gateway);
    // One that begins now reads what is older than the stream from the table.
    const late = await started(natsConfig(nats.url, 65_536));
    await follows(late);
    written += await writeUntil('it follows', () => isFollowing(late));
    await expectAllTold([...all, late], written);
  });

  onNats('a gateway that does not relay asks PostgreSQL nothing for its feed', async () => {
    await prepare();
    const leader = await started();
    await follows(leader);
    const url = new URL((database.config as { url: string }).url);
    const line = await watchedLine(Number(url.port || 5432));
    url.port = String(line.port);
    const watched = { ...database, config: { ...database.config, url: url.href } as TestDatabase['config'] };
    const gateway = await started(natsConfig(nats.url), watched);
    await follows(gateway);
    const asks = () => line.sent.filter((text) => /activity_entries|advisory|database_incarnation/.test(text));
    expect(asks().length).toBeGreaterThan(0);
    let total = 0;
    // On a busy machine NATS may be silent for so long that it asks meanwhile: then that time does not count.
    await until('it has heard more than a hundred entries and asked nothing', async () => {
      await follows(gateway);
      const { position } = feedOf(leader);
      line.sent.length = 0;
      const hears = async () => (await pull(feedOf(gateway), position)).length;
      const written = await writeUntil('it has heard some', async () => (await hears()) > 100);
      total += written;
      await caughtUp(leader, total);
      await until('it has heard all', async () => (await hears()) === written);
      return asks().length === 0;
    });
    expect((await pull(feedOf(gateway), START)).map(({ id }) => id)).toEqual((await table(leader)).map(({ id }) => id));
  });

  onNats('a gateway that is cut off from NATS alone polls, and does not relay', async () => {
    await prepare();
    const leader = await started();
    await follows(leader);
    const line = await watchedLine(Number(new URL(nats.url).port));
    const gateway = await started(natsConfig(`nats://127.0.0.1:${line.port}`));
    await follows(gateway);
    line.cut();
    let written = await writeUntil('it polls', async () => !(await isFollowing(gateway)));
    expect([await relays(leader), await relays(gateway)]).toEqual([true, false]);
    line.mend();
    written += await writeUntil('it follows again', () => isFollowing(gateway));
    await expectAllTold([leader, gateway], written);
  });

  onNats('a relay that is cut off from NATS lets another one relay', async () => {
    await prepare();
    const line = await watchedLine(Number(new URL(nats.url).port));
    const cut = await started(natsConfig(`nats://127.0.0.1:${line.port}`));
    await follows(cut);
    const gateway = await started();
    await follows(gateway);
    expect(await relays(cut)).toBe(true);
    line.cut();
    const written = await writeUntil('the other one relays', () => relays(gateway));
    await expectAllTold([cut, gateway], written);
    expect(await relays(cut)).toBe(false);
  });

  onNats('another database is another stream, also for whoever does not relay', async () => {
    await prepare();
    const all = await followers(2);
    const before = all.map((gateway) => gateway.gateway.services.feedCursors.incarnation);
    const written = await writeUntil('some', () => true);
    await expectAllTold(all, written);
    const admin = await client(database);
    await admin.query(
      "update database_incarnation set fingerprint = regexp_replace(fingerprint, '[0-9A-F]{8}$', '0000FFFF')",
    );
    // The relay's connection ends with the database that it was to.
    await admin.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = ${AdvisoryLock.RELAY}
      and database = (select oid from pg_database where datname = current_database())`);
    await admin.end();
    await until('both know', () => all.every((gateway) => feedOf(gateway).generation === 1));
    for (const gateway of all) await follows(gateway);
    const after = all.map((gateway) => gateway.gateway.services.feedCursors.incarnation);
    expect(after[0]).toBe(after[1]);
    expect(after[0]).not.toBe(before[0]);
    const more = await writeUntil('some', () => true);
    await expectAllTold(all, written + more);
  });

  onNats('credentials reach the server and never the log', async () => {
    await prepare({ user: 'gateway', pass: 's3cret word/@:' });
    const gateway = await started();
    await follows(gateway);
    const wrong = await started(natsConfig(nats.url.replace('gateway:', 'stranger:')));
    await until('it is told', () => wrong.log.some((line) => line.includes('NATS is out of reach')));
    await nats.kill();
    await polls(gateway);
    expect([...gateway.log, ...wrong.log].filter((line) => /s3cret|stranger|gateway:/.test(line))).toEqual([]);
  });

  const polling = async (gateway: TestGateway) => !(await isFollowing(gateway));
  async function watchedLine(port: number): Promise<TestProxy> {
    const line = await startProxy(port);
    closing.push(line.close);
    return line;
  }
});

/** A gateway in a process of its own, which relays. */
async function spawnGateway(database: TestDatabase, nats: TestNats): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['dist/src/main.js'], {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      DATA_DIR: mkdtempSync(join(tmpdir(), 'csp-graph-')),
      DATABASE_URL: (database.config as { url: string }).url,
      NATS_URL: nats.url,
      // As the gateways of the test have it.
      PRODUCT_KEY_SECRETS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      LOG_LEVEL: 'info',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  await until('it relays', () => said.includes('this process relays the feed'));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
