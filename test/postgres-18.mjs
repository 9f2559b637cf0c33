/**
 * Runs suites on PostgreSQL 18: `npm run test:postgres-18 -- [suites]`. The server is npm's, in a folder and on a port
 * of its own, and is stopped afterwards.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { PROGRAMS_18, startCluster } from './support/history/cluster.ts';

/** What depends on the engine: migrations and constraints, plans, the horizon, streaming replication, statements. */
const SUITES = [
  'activity',
  'activity-feed',
  'cancelling',
  'exports',
  'feed',
  'feed-incarnation',
  'history',
  'horizon',
  'import-price-list',
  'indexes',
  'lost-connections',
  'migrations',
  'one-snapshot',
  'pass-through',
  'processes',
  'purchase',
  'replica',
  'sales-totals',
  'seals',
  'story',
];

if (!existsSync(PROGRAMS_18)) {
  console.error(`npm installed no PostgreSQL 18 for this kind of machine: there is no ${PROGRAMS_18}`);
  process.exit(1);
}
const cluster = await startCluster(PROGRAMS_18);
const given = process.argv.slice(2);
const hasSuites = given.some((argument) => !argument.startsWith('-'));
const suites = hasSuites ? [] : SUITES.map((name) => `test/${name}.test.ts`);
const jest = spawn('npm', ['run', '--silent', 'jest', '--', ...suites, ...given], {
  stdio: 'inherit',
  env: { ...process.env, TEST_DATABASE_URL: cluster.url, POSTGRES_PROGRAMS: PROGRAMS_18 },
});
// Jest ends by itself at a signal, which a terminal sends to both; the server is still to be stopped.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));
jest.once('exit', (code) => {
  cluster.stop();
  process.exitCode = code ?? 1;
});
