/**
 * Runs suites on PostgreSQL 18: `npm run test:postgres-18 -- [suites]`. The server is npm's, in a folder and on a port
 * of its own, and is stopped afterwards.
 */
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROGRAMS_18, startCluster } from './support/history/cluster.ts';

/** What depends on the engine: migrations and constraints, plans, the horizon, streaming replication, statements. */
const SUITES = [
  'activity-log/horizon',
  'activity-log/incarnation',
  'activity-log/seals',
  'database/cancelled-reads',
  'database/lost-connections',
  'database/migrations',
  'database/replica',
  'execution/compiled-queries',
  'feed/feed',
  'feed/history',
  'feed/processes',
  'modules/purchasing/purchase',
  'modules/sales/sales-totals',
  'read/indexes',
  'read/one-snapshot',
  'story',
];

if (!existsSync(PROGRAMS_18)) {
  console.error(`npm installed no PostgreSQL 18 for this kind of machine: there is no ${PROGRAMS_18}`);
  process.exit(1);
}
const files = SUITES.map((name) => `test/${name}.test.ts`);
for (const file of files) if (!existsSync(file)) throw new Error(`there is no ${file} any more: SUITES names it`);

// Root starts the server as somebody else, who may be kept out of where the project lies.
const folder = mkdtempSync(join(tmpdir(), 'csp-graph-postgres-18-'));
chmodSync(folder, 0o755);
cpSync(join(PROGRAMS_18, '..'), folder, { recursive: true, verbatimSymlinks: true });
const programs = join(folder, 'bin');
const cluster = await startCluster(programs);

const given = process.argv.slice(2);
const hasSuites = given.some((argument) => !argument.startsWith('-'));
const jest = spawn('npm', ['run', '--silent', 'jest', '--', ...(hasSuites ? [] : files), ...given], {
  stdio: 'inherit',
  env: { ...process.env, TEST_DATABASE_URL: cluster.url, POSTGRES_PROGRAMS: programs },
});
// Jest ends by itself at a signal, which a terminal sends to both; the server is still to be stopped.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));
jest.once('exit', (code) => {
  cluster.stop();
  rmSync(folder, { recursive: true });
  process.exitCode = code ?? 1;
});
