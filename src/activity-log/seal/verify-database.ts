import { type Kysely, sql } from 'kysely';
import { type ExportedEntry, readExported } from '../export-entries.js';
import type { Position } from '../position.js';
import { type Difference, firstDifference, hashesIn } from './difference.js';
import { chain, LEAF_BYTES, leafOf, NO_HASH } from './leaf.js';
import { readSeals, type Seal } from './seals.js';
import { counted, type Verdict, withoutHead } from './verdict.js';

/**
 * Computes every seal of a database again from the entries that are there now, and names the first that no longer fits.
 * What it cannot see: entries after the last seal, and newest entries that were cut off together with their seals, or
 * sealed anew. Those show against a hash from before (`head`, hexadecimal).
 */
export async function verifyDatabase(kysely: Kysely<unknown>, head: string | null): Promise<Verdict> {
  const facts: string[] = [];
  let [seals, entries] = [0, 0];
  let previous = NO_HASH;
  let last: Position | null = null;
  let headSeen = head === null;
  for await (const seal of readSeals(kysely, true)) {
    const problem =
      seal.number === seals + 1
        ? brokenSeal(seal, previous, entries) || (await brokenEntry(kysely, seal, last, entries))
        : `Seal ${seals + 1} is missing: it closed entries from ${entries + 1} on (after position ${textOf(last)}).`;
    if (problem) return { problem, facts };
    seals += 1;
    entries += seal.entries;
    previous = seal.hash;
    last = seal.last;
    headSeen ||= head === previous.toString('hex');
  }
  const unsealed = await countAfter(kysely, last);
  facts.push(
    `${counted(entries, 'entry', 'entries')} in ${counted(seals, 'seal', 'seals')}, up to position ${textOf(last)}`,
    `${unsealed === 0 ? 'no entry is' : `${counted(unsealed, 'entry is', 'entries are')}`} newer than the last seal, and not checked`,
    `head ${previous.toString('hex')}`,
  );
  const problem = headSeen ? null : withoutHead(head as string, previous.toString('hex'));
  return { problem, facts, isUnsealed: seals === 0 };
}

const textOf = (position: Position | null) => (position ? `${position.xid}.${position.seq}` : '0.0');

const named = (seal: Seal, before: number) =>
  `Seal ${seal.number} (entries ${before + 1} to ${before + seal.entries}, up to position ${textOf(seal.last)})`;

function brokenSeal(seal: Seal, previous: Buffer, before: number): string | null {
  if (!chain(previous, seal.leaves).equals(seal.hash))
    return `${named(seal, before)} was changed, or the one before it: its hash is not that of its leaves and the chain so far.`;
  // Not of the chain: one that counts too few would end the look at its entries before one that was put there.
  if (seal.leaves.length !== seal.entries * LEAF_BYTES)
    return `${named(seal, before)} was changed: it does not close as many entries as it has leaves.`;
  return null;
}

async function brokenEntry(
  kysely: Kysely<unknown>,
  seal: Seal,
  after: Position | null,
  before: number,
): Promise<string | null> {
  const found = await readExported(kysely, { filter: {}, after, until: seal.last }, seal.entries + 1);
  const difference = firstDifference(
    hashesIn(seal.leaves, LEAF_BYTES),
    found.map((entry) => leafOf(entry).toString('hex')),
  );
  if (difference) return `${describeDifference(difference, found, after, seal, before)} Seal ${seal.number} says so.`;
  // Not of the chain either: the sealer goes on after it, and would leave out what comes before.
  return found.at(-1)?.position === textOf(seal.last)
    ? null
    : `${named(seal, before)} was changed: its last entry is at position ${found.at(-1)?.position}.`;
}

function describeDifference(
  { index, kind }: Difference,
  found: ExportedEntry[],
  after: Position | null,
  seal: Seal,
  before: number,
): string {
  const number = before + index + 1;
  const entry = found[index];
  const here = entry ? `position ${entry.position}, ${entry.id}` : '';
  if (kind === 'missing') {
    const left = found[index - 1]?.position ?? textOf(after);
    const place =
      index === seal.entries - 1
        ? `at position ${textOf(seal.last)}`
        : `between ${left} and ${entry?.position ?? textOf(seal.last)}`;
    return `Entry ${number} of the log is missing: it was ${place}.`;
  }
  if (kind === 'inserted') return `Entry ${number} of the log (${here}) was put there after the log was sealed.`;
  return `Entry ${number} of the log (${here}) is not what was sealed.`;
}

async function countAfter(kysely: Kysely<unknown>, position: Position | null): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*)::text as "count" from "activity_entries" where
    ${position ? sql`("xid", "seq") > (${String(position.xid)}::xid8, ${String(position.seq)}::bigint)` : sql`true`}`.execute(
    kysely,
  );
  return Number(rows[0]?.count);
}
