import { createHash } from 'node:crypto';
import {
  EXPORT_BATCH_SIZE,
  type ExportedEntry,
  type ExportRange,
  exportActivity,
  positionOf,
} from '../../../activity-log/export-entries.js';
import { type ExportFormat, headOf, lineOf } from '../../../activity-log/export-format.js';
import { comparePositions } from '../../../activity-log/position.js';
import { lineHash } from '../../../activity-log/seal/manifest.js';
import { readSeals, type Seal } from '../../../activity-log/seal/seals.js';
import type { Viewer } from '../../../auth/viewer.js';
import type { Services } from '../../../context/context.js';
import type { Payer } from '../../../cost/cost-control.js';
import { points } from '../../../cost/points.js';
import { clientGone } from '../../../database/cancellable-pool.js';
import { DEAR } from '../../../database/lanes.js';
import { codedError, ErrorCode } from '../../../graphql/errors.js';
import { type AbortFlag, pause } from '../../../lib/abort-flag.js';
import type { ExportRights } from '../../../modules/activity/export-rights.js';
import { requireUnexpired } from '../../token-expiry.js';

/** One export: its bytes and its manifest follow from it. */
export interface Export extends ExportRange {
  payer: Payer<Viewer>;
  /** Set when the client has left: nothing is read for it any more. */
  abort: AbortFlag;
  format: ExportFormat;
  /** As the client sent them, for the manifest. */
  asked: { filter: Record<string, unknown>; after: string | null };
  rights: ExportRights;
  /** Nothing is left out of the log up to `until`, nor of its entries: seals close just these. */
  isWhole: boolean;
}

/** Lines that are made at a time: about a millisecond of the event loop, which others wait for. */
const LINES_AT_ONCE = 25;

interface Lines {
  lines: string[];
  first: string;
  last: string;
}

/** The bytes of an export, as text. Ends with an error, and so cut off, for a viewer whose access is revoked meanwhile, or whose token ends. */
export async function* bodyOf(services: Services, wanted: Export): AsyncGenerator<string> {
  yield headOf(wanted.format);
  for await (const { lines } of batchesOf(services, wanted)) yield lines.join('');
}

/** The manifest of an export as JSON text, in one pass and in flat memory: what `bodyOf` of the same would send. */
export async function* manifestOf(services: Services, wanted: Export): AsyncGenerator<string> {
  const { format, asked, until } = wanted;
  const sum = createHash('sha256').update(headOf(format));
  let [count, first, last] = [0, null as string | null, null as string | null];
  const told = {
    format,
    ...asked,
    until: services.feedCursors.encode(until),
    generatedAt: services.now().toISOString(),
  };
  yield `${JSON.stringify(told).slice(0, -1)},"lines":"`;
  for await (const batch of batchesOf(services, wanted)) {
    first ??= batch.first;
    last = batch.last;
    count += batch.lines.length;
    for (const line of batch.lines) sum.update(line);
    if (format === 'jsonl') yield Buffer.concat(batch.lines.map(lineHash)).toString('base64url');
  }
  yield `","count":${count},"first":${JSON.stringify(first)},"last":${JSON.stringify(last)},"sha256":"${sum.digest('hex')}"`;
  if (wanted.isWhole && format === 'jsonl') yield* sealsUntil(services, wanted);
  yield '}\n';
}

async function* sealsUntil({ batchReads }: Services, { until }: Export): AsyncGenerator<string> {
  let head: Seal | null = null;
  yield ',"seals":[';
  for await (const seal of readSeals(batchReads, false)) {
    if (comparePositions(seal.last, until) > 0) break;
    const { number, entries, last, hash } = seal;
    yield `${head ? ',' : ''}${JSON.stringify({ number, entries, last: `${last.xid}.${last.seq}`, hash: hash.toString('hex') })}`;
    head = seal;
  }
  yield `],"head":${JSON.stringify(head && { number: head.number, hash: head.hash.toString('hex') })}`;
}

/** Statements and lines are made in turn with what others ask, and paid for by whoever asks. */
async function* batchesOf(services: Services, wanted: Export): AsyncGenerator<Lines> {
  const { feed, revocations, batchReads, batchLanes, costs, turns } = services;
  const { payer, abort } = wanted;
  const { generation } = feed;
  // How much is looked at for a filter is not known before.
  const isFiltered = Object.values(wanted.filter).some((value) => value != null);
  const turn = { users: [payer.user], cost: isFiltered ? DEAR : points.exportedLine * EXPORT_BATCH_SIZE, abort };
  let pauseMs = 0;
  const batches = exportActivity(batchReads, wanted, async (read) => {
    await pause(pauseMs, abort);
    if (abort.aborted) throw clientGone();
    return batchLanes.run(turn, read);
  });
  for await (const entries of batches) {
    for (let at = 0; at < entries.length; at += LINES_AT_ONCE) {
      await turns.take(payer.user);
      if (abort.aborted) throw clientGone();
      const refusal = revocations.refusal(payer.viewer);
      if (refusal) throw refusal;
      requireUnexpired(payer.viewer);
      if (generation !== feed.generation) throw codedError(ErrorCode.CURSOR_EXPIRED, 'The database is another one.');
      yield linesOf(services, wanted, entries.slice(at, at + LINES_AT_ONCE));
    }
    pauseMs = costs.paceExport(payer, entries.length);
  }
}

function linesOf({ feedCursors }: Services, { format, rights }: Export, entries: ExportedEntry[]): Lines {
  const cursors = entries.map((entry) => feedCursors.encode(positionOf(entry)));
  return {
    lines: entries.map((entry, place) => lineOf(format, { ...rights.shown(entry), cursor: cursors[place] as string })),
    first: cursors[0] as string,
    last: cursors.at(-1) as string,
  };
}
