import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { checkHistory } from '../support/history/check-history.js';
import { clusterPrograms } from '../support/history/cluster.js';
import { HistoryRun, type Nemesis, readLog } from '../support/history/history-run.js';
import { NaiveReader } from '../support/history/naive-reader.js';
import { connected, insertEntry, newWriting, write } from '../support/history/writers.js';
import { until } from '../support/until.js';

const onServer = serverUrl ? describe : describe.skip;
if (!serverUrl) console.warn('Histories of several gateways need a server: set TEST_DATABASE_URL.');
else if (!clusterPrograms()) console.warn('PostgreSQL is not restarted: initdb is not on this machine.');

/** Between two strikes so many entries are committed. */
const ENTRIES_BETWEEN = 40;
const STRIKES: Nemesis[] = [
  'cut',
  'kill',
  'terminate back ends',
  'deploy',
  'revoke',
  'restart',
  'kill',
  'cut',
  'crash',
  'deploy',
];

onServer('histories of several gateways on one PostgreSQL', () => {
  let run: HistoryRun;
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    const { url } = database.config as { url: string };
    run = await HistoryRun.start({
      gateways: 3,
      writers: 6,
      restMs: 60,
      longMs: 1_500,
      longEvery: 25,
      databaseUrl: url,
    });
  });
  afterAll(async () => {
    await run?.stop();
    await database?.drop();
  });

  test('nothing is missing, repeated or out of order for anybody, whatever is killed, cut and restarted', async () => {
    const { writing } = run;
    await run.subscribe(1);
    run.write();
    const strikes = STRIKES.filter((strike) => run.canRestart || (strike !== 'restart' && strike !== 'crash'));
    for (const [index, strike] of strikes.entries()) {
      const goal = writing.acknowledged.size + ENTRIES_BETWEEN;
      await until(`${goal} entries are committed`, () => writing.acknowledged.size >= goal);
      // Half the way: others begin, and read everything from the beginning.
      if (index === 5) await run.subscribe(2);
      await run.strike(strike);
    }
    await run.strike('revoke');
    const { violations, log } = await run.finish();

    expect(violations).toEqual([]);
    expect(run.surprises).toEqual([]);
    // And all of it has happened.
    expect(run.done).toMatchObject({ cut: 2, kill: 2, 'terminate back ends': 1, deploy: 2, revoke: 2 });
    if (run.canRestart) expect(run.done).toMatchObject({ restart: 1, crash: 1 });
    expect(log.length).toBeGreaterThanOrEqual(strikes.length * ENTRIES_BETWEEN);
    for (const count of [writing.rolledBack, writing.long, writing.savepoints, writing.lost, run.mutations])
      expect(count).toBeGreaterThan(0);
    for (const subscriber of run.subscribers) {
      expect(subscriber.connections()).toBeGreaterThan(subscriber.observation.revokedBy ? 0 : 1);
      expect(subscriber.isRefused()).toBe(subscriber.observation.revokedBy !== undefined);
    }
    expect(run.subscribers.reduce((sum, { goodbyes }) => sum + goodbyes(), 0)).toBeGreaterThan(0);
  });
});

onServer('a reader that asks for what is above the last sequence', () => {
  let database: TestDatabase;
  let url: string;
  beforeAll(async () => {
    database = await testDatabase();
    ({ url } = database.config as { url: string });
  });
  afterAll(() => database?.drop());

  test('loses what is committed late, and the checker finds it', async () => {
    const [early, late, reads] = await Promise.all([connected(url), connected(url), connected(url)]);
    const naive = new NaiveReader(reads);
    await early.query('begin');
    await insertEntry(early, 'early');
    await insertEntry(late, 'late');
    await naive.poll();
    await early.query('commit');
    await naive.poll();
    const log = await readLog(url);
    expect(checkHistory(log, [naive.observation]).map(({ kind, what }) => [kind, what.split(' ')[0]])).toEqual([
      ['missing', 'early'],
    ]);
    for (const connection of [early, late, reads]) await connection.end();
  });

  test('loses entries of writers who overlap by chance, and the checker finds them', async () => {
    const reads = await connected(url);
    const naive = new NaiveReader(reads);
    const [writing, controller] = [newWriting(), new AbortController()];
    const options = { url, writing, signal: controller.signal, restMs: 20, longMs: 200, longEvery: 3 };
    const writers = Array.from({ length: 4 }, () => write(options));
    const isSeen = (label: string) => naive.observation.seen.some((entry) => entry.label === label);
    await until('something acknowledged was passed over', async () => {
      const before = [...writing.acknowledged.keys()];
      await naive.poll();
      return before.some((label) => !isSeen(label));
    });
    controller.abort();
    await Promise.all(writers);
    await naive.poll();
    const violations = checkHistory(await readLog(url), [naive.observation], writing.acknowledged.keys());
    expect(violations.map(({ kind }) => kind)).toContain('missing');
    await reads.end();
  });
});
