import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { createOnce } from '../lib/create-once.js';

/** Another process has the embedded database open. */
export class EmbeddedDatabaseInUse extends Error {
  override name = 'EmbeddedDatabaseInUse';
}

/**
 * Takes an embedded database for this process: it lives inside one process, and a second one on the same files would
 * work on a copy of its own and lose what it wrote. Answers how to let it go.
 * @throws {EmbeddedDatabaseInUse} naming the process that has it
 */
export function lockEmbeddedDatabase(dataDir: string): () => void {
  const file = `${dataDir}.lock`;
  mkdirSync(dirname(file), { recursive: true });
  while (!createOnce(file, String(process.pid))) {
    const holder = holderOf(file);
    if (isRunning(holder)) {
      throw new EmbeddedDatabaseInUse(
        `The embedded database ${dataDir} is in use by process ${holder}. Stop that one first, set another DATA_DIR, or set DATABASE_URL to use a PostgreSQL server.`,
      );
    }
    // Left behind by a process that was killed.
    rmSync(file, { force: true });
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  return () => {
    process.removeListener('exit', release);
    release();
  };
}

/** The process that has the lock; 0 where it was let go a moment ago. */
function holderOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').trim());
  } catch {
    return 0;
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
