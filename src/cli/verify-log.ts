import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Kysely } from 'kysely';
import { type Manifest, manifestForm } from '../activity-log/seal/manifest.js';
import type { Verdict } from '../activity-log/seal/verdict.js';
import { verifyFile } from '../activity-log/seal/verify-file.js';
import { readConfig } from '../config/config.js';
import { runCommand, UsageError } from './run-command.js';

const USAGE = `Says whether the activity log is still what was sealed, and where it first is not.

  npm run verify-log -- FILE [--manifest PATH] [--head HASH]
  npm run verify-log -- --database [--head HASH]

  FILE             an exported activity.jsonl or activity.jsonl.gz
  --manifest PATH  its manifest, from the same address with ?manifest=1 (default FILE.manifest.json)
  --database       the log of DATABASE_URL, or of the embedded database while the gateway is stopped
  --head HASH      a hash of the chain from before (a manifest's head, the gateway's log): shows what was cut off
                   together with its seals, or sealed anew

Exits with 0 when all fits, 1 when something does not, 2 when called wrongly or where the log cannot be read.`;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      database: { type: 'boolean', default: false },
      manifest: { type: 'string' },
      head: { type: 'string' },
    },
  });
  const [file, ...others] = positionals;
  if (others.length > 0 || (file !== undefined) === values.database)
    throw new UsageError('Either one file, or --database.');
  if (file !== undefined && !existsSync(file)) throw new UsageError(`There is no file ${file}.`);
  if (file?.endsWith('.csv'))
    throw new UsageError('A .csv export has no hashes of its lines: hold its sha256sum against that in its manifest.');
  const head = values.head?.toLowerCase() ?? null;
  if (head !== null && !/^[0-9a-f]{64}$/.test(head)) throw new UsageError('--head must be 64 hexadecimal digits.');
  return { file, manifest: values.manifest ?? `${file}.manifest.json`, head };
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
  const { openOrm } = await import('../database/orm.js');
  const { verifyDatabase } = await import('../activity-log/seal/verify-database.js');
  const { entities } = await import('../schema/entities.js');
  const orm = await openOrm(readConfig().database, { entities });
  try {
    return await verifyDatabase(orm.em.fork().getKysely() as unknown as Kysely<unknown>, head);
  } finally {
    await orm.close(true);
  }
}

/** Answers the exit code. */
async function main(): Promise<number> {
  const given = readArguments();
  const { file, manifest, head } = given;
  const verdict = file === undefined ? await ofDatabase(head) : await verifyFile(file, readManifest(manifest), head);
  const { problem, isUnsealed } = verdict;
  if (problem !== null) console.log(`TAMPERED: ${problem}`);
  else console.log(isUnsealed ? 'Nothing is sealed yet: nothing was checked.' : 'The log is what was sealed.');
  for (const fact of verdict.facts) console.log(`  ${fact}`);
  return verdict.problem === null ? 0 : 1;
}

// Not 1: that is said of a log that was changed, and somebody may be woken by it.
const COULD_NOT_LOOK = 2;
await runCommand(USAGE, main, COULD_NOT_LOOK);
