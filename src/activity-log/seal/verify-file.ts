import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { firstDifference, hashesIn } from './difference.js';
import { chain, leafOf, NO_HASH, parseLine } from './leaf.js';
import { LINE_BYTES, lineHash, type Manifest } from './manifest.js';
import { counted, type Verdict, withoutHead } from './verdict.js';

/** Lines looked at after the first wrong one, to say how it is wrong. */
const LOOK_AHEAD = 1_000;

/**
 * Holds an exported `.jsonl` (or `.jsonl.gz`) against its manifest, and names the first line that is not what was
 * exported; then the entries against the seals in the manifest. Whoever can change the file may be able to change the
 * manifest too: `head`, a hash of the chain that was kept elsewhere, shows it.
 */
export async function verifyFile(path: string, manifest: Manifest, head: string | null): Promise<Verdict> {
  const expected = hashesIn(Buffer.from(manifest.lines, 'base64url'), LINE_BYTES);
  if (expected.length !== manifest.count)
    return { problem: 'The manifest was changed: its count is not that of its lines.', facts: [] };
  const seals = manifest.seals ?? [];
  const sum = createHash('sha256');
  const wrong: { from: number; hashes: string[] } = { from: -1, hashes: [] };
  let [read, sealed] = [0, 0];
  let previous = NO_HASH;
  let leaves: Buffer[] = [];
  let headSeen = head === null;
  for await (const line of linesOf(path)) {
    const hash = lineHash(line).toString('hex');
    read += 1;
    if (wrong.from < 0 && hash !== expected[read - 1]) wrong.from = read - 1;
    if (wrong.from >= 0) {
      if (wrong.hashes.push(hash) > LOOK_AHEAD) break;
      continue;
    }
    sum.update(line);
    const seal = seals[sealed];
    if (!seal) continue;
    const leaf = leafAt(line);
    if (!leaf) return { problem: `Line ${read} is not a line of an export.`, facts: [] };
    leaves.push(leaf);
    if (leaves.length < seal.entries) continue;
    previous = chain(previous, Buffer.concat(leaves));
    if (previous.toString('hex') !== seal.hash || seal.number !== sealed + 1) {
      const problem = `Lines ${read - seal.entries + 1} to ${read} are not the entries that seal ${seal.number} closes: file and manifest were changed together.`;
      return { problem, facts: [] };
    }
    sealed += 1;
    leaves = [];
    headSeen ||= head === seal.hash;
  }
  if (wrong.from < 0 && read < expected.length) wrong.from = read;
  if (wrong.from >= 0) return { problem: describeDifference(expected, wrong), facts: [] };
  if (sum.digest('hex') !== manifest.sha256 || sealed < seals.length)
    return { problem: 'The manifest was changed: every line is as it says, but its totals are not.', facts: [] };
  const facts = [
    `${counted(read, 'line', 'lines')} as exported`,
    sealed > 0
      ? `${counted(read - unsealedOf(read, manifest), 'entry', 'entries')} in ${counted(sealed, 'seal', 'seals')}, ${unsealedOf(read, manifest)} newer than the last of them`
      : manifest.seals
        ? 'nothing was sealed yet when the manifest was made'
        : 'no seals in the manifest: only an export of the whole log has them',
    ...(sealed > 0 ? [`head ${previous.toString('hex')}`] : []),
  ];
  return { problem: headSeen ? null : withoutHead(head as string, previous.toString('hex')), facts };
}

const unsealedOf = (lines: number, { seals = [] }: Manifest) =>
  lines - seals.reduce((sum, { entries }) => sum + entries, 0);

function describeDifference(expected: string[], wrong: { from: number; hashes: string[] }): string {
  const window = expected.slice(wrong.from, wrong.from + wrong.hashes.length + LOOK_AHEAD);
  const difference = firstDifference(window, wrong.hashes);
  const line = `Line ${wrong.from + 1}`;
  switch (difference?.kind) {
    case 'missing':
      return wrong.hashes.length === 0
        ? `${line} is missing: the file ends before it.`
        : `${line} is missing: what stands there is a later line.`;
    case 'inserted':
      return `${line} was put there: the export does not have it.`;
    case 'moved':
      return `${line} is not in its place: lines were swapped.`;
    default:
      return `${line} was changed.`;
  }
}

function leafAt(line: Buffer): Buffer | null {
  try {
    return leafOf(parseLine(line.toString('utf8').replace(/\n$/, '')));
  } catch {
    return null;
  }
}

/** Lines with their line feeds, as bytes: an editor's other line ends are a change too. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const bytes = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => bytes.destroy(error));
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk as Buffer]) : (chunk as Buffer);
    let start = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
      yield rest.subarray(start, end + 1);
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
  if (rest.length > 0) yield rest;
}
