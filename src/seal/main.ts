import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Kysely } from 'kysely';
import { readConfig } from '../config.js';
import { ConfigError } from '../config-error.js';
import { EmbeddedDatabaseInUse } from '../embedded-lock.js';
import { type Manifest, manifestForm } from './manifest.js';
import type { Verdict } from './verdict.js';
import { verifyFile } from './verify-file.js';

const USAGE = `Says whether the activity log is still what was sealed, and where it first is not.

  npm run verify-log -- FILE [--manifest PATH] [--head HASH]
  npm run verify-log -- --database [--head HASH]

  FILE             an exported activity.jsonl or activity.jsonl.gz
  --manifest PATH  its manifest, from the same address with ?manifest=1 (default FILE.manifest.json)
  --database       the log of DATABASE_URL, or of the embedded database while the gateway is stopped
  --head HASH      a hash of the chain from before (a manifest's head, the gateway's log): shows what was cut off
                   together with its seals, or sealed anew

Exits with 0 when all fits, 1 when something does not, 2 when called wrongly.`;

class UsageError extends Error {}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        database: { type: 'boolean', default: false },
        manifest: { type: 'string' },
        head: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return null;
    const [file, ...others] = positionals;
    if (others.length > 0 || (file !== undefined) === values.database)
      throw new UsageError('Either one file, or --database.');
    if (file !== undefined && !existsSync(file)) throw new UsageError(`There is no file ${file}.`);
    if (file?.endsWith('.csv'))
      throw new UsageError(
        'A .csv export has no hashes of its lines: hold its sha256sum against that in its manifest.',
      );
    const head = values.head?.toLowerCase() ?? null;
    if (head !== null && !/^[0-9a-f]{64}$/.test(head)) throw new UsageError('--head must be 64 hexadecimal digits.');
    return { file, manifest: values.manifest ?? `${file}.manifest.json`, head };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

function readManifest(path: string): Manifest {
  if (!existsSync(path))
    throw new UsageError(`There is no manifest ${path}. Get it from the export's address with ?manifest=1.`);
  try {
    return manifestForm.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const [issue] = (error as { issues?: { path: string[]; message: string }[] }).issues ?? [];
    throw new UsageError(
      `${path} is not the manifest of a .jsonl export${issue ? `: ${issue.path.join('.')} ${issue.message}` : ''}.`,
    );
  }
}

async function ofDatabase(head: string | null): Promise<Verdict> {
  // Here, not above: for a file nothing of a database is loaded, which takes longer than to verify one.
  const { openOrm } = await import('../orm.js');
  const { verifyDatabase } = await import('./verify-database.js');
  const orm = await openOrm(readConfig().database);
  try {
    return await verifyDatabase(orm.em.fork().getKysely() as unknown as Kysely<unknown>, head);
  } catch (error) {
    if ((error as { code?: string }).code !== '42P01') throw error;
    throw new UsageError('There is no log with seals in that database. Bring it up to date: npm run migrate');
  } finally {
    await orm.close(true);
  }
}

/** Answers the exit code. */
async function main(): Promise<number> {
  const given = readArguments();
  if (given === null) {
    console.log(USAGE);
    return 0;
  }
  const { file, manifest, head } = given;
  const verdict = file === undefined ? await ofDatabase(head) : await verifyFile(file, readManifest(manifest), head);
  console.log(verdict.problem === null ? 'The log is what was sealed.' : `TAMPERED: ${verdict.problem}`);
  for (const fact of verdict.facts) console.log(`  ${fact}`);
  return verdict.problem === null ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(error.message);
    if (error instanceof UsageError) console.error(`\n${USAGE}`);
    const expected = [UsageError, ConfigError, EmbeddedDatabaseInUse].some((kind) => error instanceof kind);
    process.exitCode = expected ? 2 : 1;
  },
);
