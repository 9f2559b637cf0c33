import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config/config.js';
import { migrate, openOrm } from '../database/orm.js';
import { CsvRefused, readCsvRows } from '../lib/csv-rows.js';
import { importSoftware, SOFTWARE_COLUMNS } from '../modules/entitlements/import-software.js';
import { entities } from '../schema/entities.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';
import { importEntryOf } from './import-entry.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Sets what software SKUs come with: versions, languages, architectures, and where the images lie.

  npm run import:software -- FILE [--dry-run]

  FILE       a CSV whose first line names the columns ProductId, SkuId, Version, Languages, Architectures, Artifact;
             a row is a version, the newest of a SKU first; languages (en-US) and architectures (x64) are parted by
             blanks; Artifact is the path of the image below DOWNLOADS_DIR or DOWNLOADS_STORE_URL, with {language} and
             {architecture} where those stand in it; empty: PRODUCT/SKU/VERSION/LANGUAGE/ARCHITECTURE
  --dry-run  says what would change and keeps nothing

A SKU that the file names comes with what the file says and nothing else; others stay as they are. A version that product
keys are stored or given of is not taken away. All or nothing; the same file again changes nothing.

Exits with 0 when done, 1 when nothing could be kept, 2 when called wrongly. With the embedded database stop the gateway
first.`;

/** Refused rows that are shown. */
const SHOWN_REFUSALS = 50;

/** Answers the exit code. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  const [file, ...others] = positionals;
  if (!file || others.length > 0) throw new UsageError(file ? 'One file at a time.' : 'Which file?');
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`There is no file ${file}.`);
  const orm = await openOrm(readConfig().database, { entities });
  try {
    await migrate(orm);
    await orm.em.fork().transactional((em) => loadReferenceData(em));
    const dryRun = values['dry-run'];
    const entry = await importEntryOf('npm run import:software', file);
    const { rows, refusals, skus, versions, kept } = await importSoftware(orm, readCsvRows(file, SOFTWARE_COLUMNS), {
      dryRun,
      onKept: (em, { rows: count, versions: { new: added, changed, removed } }) =>
        entry.record(em, 'SOFTWARE', { rows: count, refused: 0, added, changed, removed }),
    });
    for (const { line, reason } of refusals.slice(0, SHOWN_REFUSALS)) console.error(`line ${line}: ${reason}`);
    if (refusals.length > SHOWN_REFUSALS) console.error(`and ${refusals.length - SHOWN_REFUSALS} more`);
    console.log(
      `${basename(file)}: ${rows} rows, ${refusals.length} refused, ${skus} SKUs; versions: ${versions.new} new, ${versions.changed} changed, ${versions.unchanged} unchanged, ${versions.removed} taken away`,
    );
    if (kept) console.log('Kept.');
    else if (refusals.length > 0) console.log('Nothing was kept. Correct the refused rows.');
    else console.log('Dry run: nothing was kept.');
    return refusals.length > 0 ? 1 : 0;
  } catch (error) {
    throw error instanceof CsvRefused ? new CommandRefused(error.message) : error;
  } finally {
    await orm.close(true);
  }
}

await runCommand(USAGE, main);
