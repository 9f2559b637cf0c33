import { createHash } from 'node:crypto';
import { type ExportRange, exportActivity, positionOf } from '../../../activity-log/export-entries.js';
import { type ExportFormat, headOf, lineOf } from '../../../activity-log/export-format.js';
import { comparePositions } from '../../../activity-log/position.js';
import { lineHash } from '../../../activity-log/seal/manifest.js';
import { readSeals, type Seal } from '../../../activity-log/seal/seals.js';
import { type Viewer } from '../../../auth/viewer.js';
import type { Services } from '../../../context/context.js';
import { codedError, ErrorCode } from '../../../graphql/errors.js';
import type { ExportRights } from '../../../modules/activity/export-rights.js';
import { requireUnexpired } from '../../token-expiry.js';

/** One export: its bytes and its manifest follow from it. */
export interface Export extends ExportRange {
  viewer: Viewer;
  format: ExportFormat;
  /** As the client sent them, for the manifest. */
  asked: { filter: Record<string, unknown>; after: string | null };
  rights: ExportRights;
  /** Nothing is left out of the log up to `until`, nor of its entries: seals close just these. */
  isWhole: boolean;
}

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

async function* batchesOf(services: Services, wanted: Export): AsyncGenerator<Lines> {
  const { feed, feedCursors, revocations, batchReads } = services;
  const { generation } = feed;
  for await (const entries of exportActivity(batchReads, wanted)) {
    const refusal = revocations.refusal(wanted.viewer);
    if (refusal) throw refusal;
    requireUnexpired(wanted.viewer);
    if (generation !== feed.generation) throw codedError(ErrorCode.CURSOR_EXPIRED, 'The database is another one.');
    const cursors = entries.map((entry) => feedCursors.encode(positionOf(entry)));
    yield {
      lines: entries.map((entry, place) =>
        lineOf(wanted.format, { ...wanted.rights.shown(entry), cursor: cursors[place] as string }),
      ),
      first: cursors[0] as string,
      last: cursors.at(-1) as string,
    };
  }
}
