import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config/config.js';
import { migrate, openOrm } from '../database/orm.js';
import { ProductKind } from '../domain/product-kind.js';
import { importPolicies, type PolicyImportSummary } from '../modules/catalog/policy-import/import-policies.js';
import {
  type PolicyFile,
  PolicyFileRefused,
  type PolicyRefusal,
  readPolicyFile,
} from '../modules/catalog/policy-import/policy-file.js';
import { entities } from '../schema/entities.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';
import { softwareSubscriptionClosures } from '../seed/reference/reference-data.js';
import { importEntryOf } from './import-entry.js';
import { refusalText } from './refusal-sink.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Imports cancellation policies, or closed markets, from a CSV file with a header.

  npm run import:policies -- FILE [--dry-run] [--keep-good]
  npm run import:policies -- --list software-subscriptions --from DAY [--reopen] [--dry-run]

  policies        Kind or ProductId and SkuId, EffectiveDate, Sequence, Type, ExpiresAfter, SupportRequestRequired,
                  Removed: a row per refund option; one row with none where it can never be cancelled
  closed markets  Market, Kind, EffectiveDate, Closed, Removed
  Removed         yes takes away what is there of that subject and day, so that what came before it holds again; orders
                  keep what they were sold under
  --list          Microsoft's separate list of markets closed to software subscriptions. It is not in effect by itself:
                  it names Brazil, which Microsoft's page on software prices lists as a market that is sold to with tax
  --from DAY      the first day (UTC) on which the list holds, such as 2027-01-01
  --reopen        opens the markets of the list again from that day on
  --dry-run       says what would change and keeps nothing
  --keep-good     keeps what is good of a file that has refused rows; without it nothing of such a file is kept

Exits with 0 when done, 1 when nothing could be kept, 2 when called wrongly. The settings are those of the gateway.`;

/** Refusals shown. */
const SHOWN_REFUSALS = 50;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'string' },
      from: { type: 'string' },
      reopen: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      'keep-good': { type: 'boolean', default: false },
    },
  });
  const { list, from, reopen, 'dry-run': dryRun, 'keep-good': keepGood } = values;
  const [file, ...others] = positionals;
  if (others.length > 0) throw new UsageError('One file at a time.');
  if ((file === undefined) === (list === undefined)) throw new UsageError('Give a file, or --list.');
  if (list === undefined && (from !== undefined || reopen)) throw new UsageError('--from and --reopen go with --list.');
  if (list !== undefined && list !== 'software-subscriptions') throw new UsageError(`There is no list ${list}.`);
  if (list !== undefined && from === undefined) throw new UsageError('From which day on? --from 2027-01-01');
  if (file !== undefined && !statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new UsageError(`There is no file ${file}.`);
  return { file, from, reopen, dryRun, keepGood };
}

/** The list as a file of closed markets would say it. */
function listOf(from: string, reopen: boolean): string {
  const rows = softwareSubscriptionClosures.map(
    ({ code }) => `${code},${ProductKind.SOFTWARE_SUBSCRIPTION},${from},${!reopen}`,
  );
  return ['Market,Kind,EffectiveDate,Closed', ...rows].join('\n');
}

/** Answers the exit code. */
async function main(): Promise<number> {
  const { file, from = '', reopen, dryRun, keepGood } = readArguments();
  const config = readConfig();
  const refusals: PolicyRefusal[] = [];
  const take = (refusal: PolicyRefusal) => void refusals.push(refusal);
  const name = file === undefined ? 'software-subscriptions' : basename(file);
  const text = file === undefined ? listOf(from, reopen) : readFileSync(file, 'utf8');
  let given: PolicyFile;
  try {
    given = readPolicyFile(text, take);
  } catch (error) {
    throw error instanceof PolicyFileRefused ? new CommandRefused(error.message) : error;
  }
  const orm = await openOrm(config.database, { entities });
  try {
    await migrate(orm);
    await loadReferenceData(orm.em.fork());
    const refusedRows = new Set(refusals.map(({ line }) => line)).size;
    const rows = new Set([...given.rows, ...refusals].map(({ line }) => line)).size;
    const entry = await importEntryOf('npm run import:policies', file ?? { name, text });
    const summary = await importPolicies(orm, given, {
      ...{ dryRun, keepGood, refusedRows },
      onRefusal: take,
      onKept: (em, { refusedRows: refused, NEW: added, CHANGED: changed, REMOVED: removed }) => {
        const kind = given.holds === 'policies' ? 'POLICIES' : 'CLOSED_MARKETS';
        entry.record(em, kind, { rows, refused, added, changed, removed });
      },
    });
    for (const refusal of refusals.slice(0, SHOWN_REFUSALS)) console.error(refusalText(refusal));
    if (refusals.length > SHOWN_REFUSALS) console.error(`and ${refusals.length - SHOWN_REFUSALS} more`);
    console.log(`${name}: ${summaryText(given.holds, summary, dryRun)}`);
    return summary.refusedRows > 0 && !keepGood ? 1 : 0;
  } finally {
    await orm.close(true);
  }
}

function summaryText(holds: PolicyFile['holds'], summary: PolicyImportSummary, dryRun: boolean): string {
  const what = holds === 'policies' ? 'policies' : 'closed markets';
  const counts = `${what}: ${summary.NEW} new, ${summary.CHANGED} changed, ${summary.UNCHANGED} unchanged, ${summary.REMOVED} taken away; rows refused: ${summary.refusedRows}.`;
  if (summary.kept) return `${counts} Kept.`;
  if (dryRun) return `${counts} Dry run: nothing was kept.`;
  return `${counts} Nothing was kept. Correct the refused rows, or keep the others with --keep-good.`;
}

await runCommand(USAGE, main);
