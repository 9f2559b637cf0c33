import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { migrate, openOrm } from '../database/orm.js';
import { CsvRefused, readCsvRows } from '../lib/csv-rows.js';
import { acceptEncryptionKeys } from '../modules/entitlements/encryption-keys.js';
import { importProductKeys, KEY_COLUMNS, type KeyImport } from '../modules/entitlements/import-product-keys.js';
import { entities } from '../schema/entities.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';
import { importEntryOf } from './import-entry.js';
import { operatorOf } from './operator.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Stores product keys, encrypted, to be given to licences: one to each licence and version.

  npm run import:keys -- FILE [--dry-run] [--keep-good]

  FILE         a CSV whose first line names the columns ProductId, SkuId, Version, ProductKey
  --dry-run    says what would be stored and keeps nothing
  --keep-good  keeps the good rows of a file that has refused ones; without it nothing of such a file is kept

A key that stands twice in the file, or is stored for other software, is refused; the same file again changes nothing.
Delete the file afterwards: the keys are readable in it.

Exits with 0 when done, 1 when nothing could be kept, 2 when called wrongly or where the keys of PRODUCT_KEY_SECRETS are
not those of the database. With the embedded database stop the gateway first.`;

const COMMAND = 'npm run import:keys';
/** Refused rows that are shown. */
const SHOWN_REFUSALS = 50;

/** Answers the exit code. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false }, 'keep-good': { type: 'boolean', default: false } },
  });
  const [file, ...others] = positionals;
  if (!file || others.length > 0) throw new UsageError(file ? 'One file at a time.' : 'Which file?');
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`There is no file ${file}.`);
  const { database, productKeySecrets } = readConfig();
  const orm = await openOrm(database, { entities });
  try {
    await migrate(orm);
    await orm.em.fork().transactional((em) => loadReferenceData(em));
    const problems = await orm.em.fork().transactional((em) => acceptEncryptionKeys(em, productKeySecrets));
    if (problems.length > 0) throw new ConfigError(problems);
    const options = { dryRun: values['dry-run'], keepGood: values['keep-good'] };
    const rows = readCsvRows(file, KEY_COLUMNS);
    const entry = await importEntryOf(COMMAND, file);
    const done = await importProductKeys(orm, productKeySecrets, rows, {
      actor: operatorOf(COMMAND),
      now: new Date(),
      ...options,
      onKept: (em, { rows, refusals, stored }) => {
        const added = stored.reduce((sum, { count }) => sum + count, 0);
        entry.record(em, 'PRODUCT_KEYS', { rows, refused: refusals.length, added, changed: 0, removed: 0 });
      },
    });
    print(basename(file), done, options.dryRun);
    return done.refusals.length > 0 && !options.keepGood ? 1 : 0;
  } catch (error) {
    throw error instanceof CsvRefused ? new CommandRefused(error.message) : error;
  } finally {
    await orm.close(true);
  }
}

function print(file: string, { rows, refusals, known, stored, kept }: KeyImport, dryRun: boolean): void {
  for (const { line, reason } of refusals.slice(0, SHOWN_REFUSALS)) console.error(`line ${line}: ${reason}`);
  if (refusals.length > SHOWN_REFUSALS) console.error(`and ${refusals.length - SHOWN_REFUSALS} more`);
  const fresh = stored.reduce((sum, { count }) => sum + count, 0);
  console.log(`${file}: ${rows} rows, ${refusals.length} refused, ${known} stored before, ${fresh} new`);
  for (const { software, count, free } of stored) console.log(`  ${software}: ${count} new, ${free} left to give`);
  if (kept) console.log('Kept.');
  else if (dryRun) console.log('Dry run: nothing was kept.');
  else console.log('Nothing was kept. Correct the refused rows, or keep the others with --keep-good.');
}

await runCommand(USAGE, main);
