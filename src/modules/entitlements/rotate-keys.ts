import { sql } from 'kysely';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { type EncryptedTable, encryptedTables, keyTables, placeOf } from './encrypted-tables.js';
import { decryptProductKey, type EncryptionKey, encryptProductKey, ProductKeyUnreadable } from './product-key.js';

/** Rows that one transaction re-encrypts. It is short: the feed waits for it, and so does who cancels one of them. */
const BATCH = 200;

/** The values of a row's primary key, as texts. */
type Place = string[];
interface StoredText {
  place: Place;
  encrypted: Uint8Array;
}

/** What became of a rotation. */
export interface Rotation {
  /** Product keys, of licences and of the pool. */
  reencrypted: number;
  /** Rows that do not open with the key they name, left as they were. In words, without a key. */
  unreadable: string[];
}

/** How many product keys there are under each key id, by id; an id that only their fingerprints need has 0. */
export async function countProductKeys(em: Em): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const table of encryptedTables) {
    const isOfKeys = keyTables.includes(table);
    const { rows } = await sql<{ keyId: string; count: number }>`
      select "key_id" as "keyId", count(*)::int as "count" from ${sql.table(table.name)}
      where "key_id" is not null group by 1 order by 1`.execute(em.getKysely());
    for (const { keyId, count } of rows) counts.set(keyId, (counts.get(keyId) ?? 0) + (isOfKeys ? count : 0));
  }
  return counts;
}

/**
 * Encrypts every product key with the first of the keys, in transactions of their own, while gateways serve: those of
 * licences, those of the pool, and the secret that they are recognised by. What is re-encrypted stays so: a rotation
 * that was cut off is gone on with by calling it again.
 * Rows that others hold are left for the end, and then waited for one by one: who waits holds nothing that others want.
 */
export async function rotateProductKeys(
  em: Em,
  keys: readonly EncryptionKey[],
  onProgress: (reencrypted: number) => void = () => undefined,
): Promise<Rotation> {
  const rotation: Rotation = { reencrypted: 0, unreadable: [] };
  const [first, ...others] = keys as [EncryptionKey, ...EncryptionKey[]];
  for (const old of others) {
    const walk = async (table: EncryptedTable, options: { limit: number; waits: boolean }) => {
      const unreadable: string[] = [];
      for (let after: Place | null | undefined = null; after !== undefined; ) {
        const batch: Batch = await reencryptBatch(em, { table, old, first, after, ...options });
        if (keyTables.includes(table)) rotation.reencrypted += batch.reencrypted;
        unreadable.push(...batch.unreadable);
        onProgress(rotation.reencrypted);
        after = batch.last;
      }
      return unreadable;
    };
    for (const table of encryptedTables) {
      await walk(table, { limit: BATCH, waits: false });
      // Sees again what does not open, and what was held.
      rotation.unreadable.push(...(await walk(table, { limit: 1, waits: true })));
    }
  }
  return rotation;
}

interface Batch extends Rotation {
  /** Where it ended; undefined where nothing is left behind it. */
  last: Place | undefined;
}

interface BatchOptions {
  table: EncryptedTable;
  old: EncryptionKey;
  first: EncryptionKey;
  /** Null: from the beginning. */
  after: Place | null;
  limit: number;
  /** Whether to wait for rows that others hold, instead of leaving them out. */
  waits: boolean;
}

async function reencryptBatch(em: Em, options: BatchOptions): Promise<Batch> {
  const { table, old, first, after, limit, waits } = options;
  const columns = sql.join(table.place.map(([column]) => sql.ref(column)));
  const values = table.place.map(([, type], index) => sql`${after?.[index]}::${sql.raw(type)}`);
  return em.transactional(async (transaction) => {
    inLockOrder(transaction, 'ENCRYPTED');
    const { rows } = await sql<StoredText>`
      select ${placeOf(table)} as "place", ${sql.ref(table.text)} as "encrypted" from ${sql.table(table.name)}
      where "key_id" = ${old.keyId} ${after ? sql`and (${columns}) > (${sql.join(values)})` : sql``}
      order by ${columns} limit ${limit} for update ${waits ? sql`` : sql`skip locked`}`.execute(
      transaction.getKysely(),
    );
    const texts = new Map<string, string>();
    const unreadable: string[] = [];
    const fresh: StoredText[] = [];
    for (const { place, encrypted } of rows) {
      const owner = table.ownerOf(place);
      try {
        const text = decryptProductKey(encrypted, old.keyId, [old], owner);
        texts.set(owner, text);
        fresh.push({ place, encrypted: encryptProductKey(text, first, owner) });
      } catch (error) {
        if (!(error instanceof ProductKeyUnreadable)) throw error;
        unreadable.push(error.message);
      }
    }
    const stored = await store(transaction, table, fresh, first);
    // What the table holds now must open and say the same, or nothing of the batch is kept.
    const isSame = ({ place, encrypted }: StoredText) => {
      const owner = table.ownerOf(place);
      return decryptProductKey(encrypted, first.keyId, [first], owner) === texts.get(owner);
    };
    if (stored.length !== texts.size || !stored.every(isSame))
      throw new Error(`re-encrypted rows of ${table.name} are not what they were; the batch was undone`);
    return { reencrypted: stored.length, unreadable, last: rows.at(-1)?.place };
  });
}

/** Answers the rows as the table has them. */
async function store(
  em: Em,
  table: EncryptedTable,
  fresh: StoredText[],
  { keyId }: EncryptionKey,
): Promise<StoredText[]> {
  if (fresh.length === 0) return [];
  const values = fresh.map(
    ({ place, encrypted }) =>
      sql`(${sql.join(place.map((value, index) => sql`${value}::${sql.raw(table.place[index]?.[1] as string)}`))}, ${encrypted}::bytea)`,
  );
  const columns = table.place.map(([column]) => column);
  const isSame = columns.map((column) => sql`${sql.ref(`old.${column}`)} = ${sql.ref(`fresh.${column}`)}`);
  const place = columns.map((column) => sql`${sql.ref(`old.${column}`)}::text`);
  const { rows } = await sql<StoredText>`
    update ${sql.table(table.name)} as "old" set "key_id" = ${keyId}, ${sql.ref(table.text)} = "fresh"."sealed"
    from (values ${sql.join(values)}) as "fresh" (${sql.join([...columns, 'sealed'].map((column) => sql.ref(column)))})
    where ${sql.join(isSame, sql` and `)}
    returning array[${sql.join(place)}] as "place", ${sql.ref(`old.${table.text}`)} as "encrypted"`.execute(
    em.getKysely(),
  );
  return rows;
}
