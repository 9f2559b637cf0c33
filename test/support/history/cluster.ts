import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where Debian keeps PostgreSQL's programs, one folder for each version. */
const VERSIONS = '/usr/lib/postgresql';

/** A PostgreSQL server of the test's own, that it may break. */
export interface Cluster {
  /** Its database `postgres`. */
  url: string;
  /** Fast ends sessions in order; immediate is a crash with recovery. */
  restart(mode: 'fast' | 'immediate'): void;
  stop(): void;
}

/** Folder with `initdb` and `pg_ctl` of the newest version; null where there is none. */
export function clusterPrograms(): string | null {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(VERSIONS, version, 'bin'));
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** Makes and starts a server in a folder and on a port of its own. */
export function startCluster(programs: string): Promise<Cluster> {
  return start(programs, (run, data) => run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'));
}

/** A streaming replica of a cluster, on a port of its own. */
export function startReplica(programs: string, { url }: Cluster): Promise<Cluster> {
  return start(programs, (run, data) =>
    run('pg_basebackup', '-d', url, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'),
  );
}

type Run = (program: string, ...rest: string[]) => void;

async function start(programs: string, makeData: (run: Run, data: string) => void): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'csp-graph-cluster-'));
  // PostgreSQL refuses to run as root.
  const owner = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const port = await freePort();
  const run: Run = (program, ...rest) => {
    // No pipes: the server would keep them open.
    const { status } = spawnSync(join(programs, program), rest, { ...owner, cwd: folder, stdio: 'ignore' });
    if (status !== 0) throw new Error(`${program} ${rest.join(' ')} ended with ${status}`);
  };
  const options = [
    `-p ${port}`,
    `-k ${folder}`,
    '-h 127.0.0.1',
    '-c max_connections=200',
    // Crashes here are of processes, not of the machine.
    '-c fsync=off',
    '-c idle_in_transaction_session_timeout=60s',
  ].join(' ');
  const log = join(folder, 'log');
  makeData(run, data);
  run('pg_ctl', 'start', '-w', '-D', data, '-l', log, '-o', options);
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    restart: (mode) => run('pg_ctl', 'restart', '-w', '-D', data, '-m', mode, '-l', log, '-o', options),
    stop: () => {
      run('pg_ctl', 'stop', '-w', '-D', data, '-m', 'immediate');
      rmSync(folder, { recursive: true });
    },
  };
}

const idOf = (what: '-u' | '-g') => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }));

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
