import { type Kysely, sql } from 'kysely';
import type { Position } from '../position.js';

/** A seal, as stored. */
export interface Seal {
  number: number;
  /** The last entry that it closes. */
  last: Position;
  /** How many it closes. */
  entries: number;
  leaves: Buffer;
  hash: Buffer;
}

interface SealRow {
  number: string;
  xid: string;
  seq: string;
  entries: number;
  leaves: string;
  hash: string;
}

// As text: the two engines answer bytes and big numbers each in its own way.
const columns = sql.raw(`"number"::text as "number", "xid"::text as "xid", "seq"::text as "seq", "entries",
  encode("hash", 'hex') as "hash"`);

const sealOf = (row: SealRow): Seal => ({
  number: Number(row.number),
  last: { xid: BigInt(row.xid), seq: BigInt(row.seq) },
  entries: row.entries,
  leaves: Buffer.from(row.leaves ?? '', 'hex'),
  hash: Buffer.from(row.hash, 'hex'),
});

/** The newest seal, without its leaves; null where nothing is sealed yet. */
export async function headSeal(kysely: Kysely<unknown>): Promise<Seal | null> {
  const { rows } = await sql<SealRow>`select ${columns} from "activity_seals"
    order by "activity_seals"."number" desc limit 1`.execute(kysely);
  return rows[0] ? sealOf(rows[0]) : null;
}

/** Seals in their order, read in batches. */
export async function* readSeals(kysely: Kysely<unknown>, withLeaves: boolean): AsyncGenerator<Seal> {
  const limit = withLeaves ? 20 : 1_000;
  for (let after: string | null = null; ; ) {
    const { rows }: { rows: SealRow[] } = await sql<SealRow>`select ${columns},
        ${withLeaves ? sql`encode("leaves", 'hex')` : sql`''`} as "leaves" from "activity_seals"
      where ${after === null ? sql`true` : sql`"number" > ${after}::bigint`}
      order by "activity_seals"."number" limit ${limit}::int`.execute(kysely);
    for (const row of rows) yield sealOf(row);
    if (rows.length < limit) return;
    after = (rows.at(-1) as SealRow).number;
  }
}

/** Writes the next seal. */
export async function insertSeal(kysely: Kysely<unknown>, seal: Seal): Promise<void> {
  await sql`insert into "activity_seals" ("number", "xid", "seq", "entries", "leaves", "hash") values
    (${seal.number}::bigint, ${String(seal.last.xid)}::xid8, ${String(seal.last.seq)}::bigint, ${seal.entries}::int,
      decode(${seal.leaves.toString('hex')}, 'hex'), decode(${seal.hash.toString('hex')}, 'hex'))`.execute(kysely);
}
