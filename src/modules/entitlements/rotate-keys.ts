import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import {
  decryptProductKey,
  type EncryptionKey,
  encryptProductKey,
  ownerOf,
  ProductKeyUnreadable,
} from './product-key.js';

/** Rows that one transaction re-encrypts. It is short: the feed waits for it, and so does who cancels one of them. */
const BATCH = 200;

/** A product key's row. */
interface Place {
  entitlementId: string;
  version: string;
}
interface StoredKey extends Place {
  encrypted: Uint8Array;
}
const BEFORE_ALL: Place = { entitlementId: '00000000-0000-0000-0000-000000000000', version: '' };

/** What became of a rotation. */
export interface Rotation {
  reencrypted: number;
  /** Rows that do not open with the key they name, left as they were. In words, without a key. */
  unreadable: string[];
}

/** How many product keys there are under each key id, by id. */
export async function countProductKeys(em: Em): Promise<Map<string, number>> {
  const { rows } = await sql<{ keyId: string; count: number }>`
    select "key_id" as "keyId", count(*)::int as "count" from "product_keys" group by 1 order by 1`.execute(
    em.getKysely(),
  );
  return new Map(rows.map(({ keyId, count }) => [keyId, count]));
}

/**
 * Encrypts every product key with the first of the keys, in transactions of their own, while gateways serve. What is
 * re-encrypted stays so: a rotation that was cut off is gone on with by calling it again.
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
    const walk = async (options: { limit: number; waits: boolean }) => {
      const unreadable: string[] = [];
      for (let after: Place | undefined = BEFORE_ALL; after; ) {
        const batch: Batch = await reencryptBatch(em, { old, first, after, ...options });
        rotation.reencrypted += batch.reencrypted;
        unreadable.push(...batch.unreadable);
        onProgress(rotation.reencrypted);
        after = batch.last;
      }
      return unreadable;
    };
    await walk({ limit: BATCH, waits: false });
    // Sees again what does not open, and what was held.
    rotation.unreadable.push(...(await walk({ limit: 1, waits: true })));
  }
  return rotation;
}

interface Batch extends Rotation {
  /** Where it ended; undefined where nothing is left behind it. */
  last: Place | undefined;
}

interface BatchOptions {
  old: EncryptionKey;
  first: EncryptionKey;
  after: Place;
  limit: number;
  /** Whether to wait for rows that others hold, instead of leaving them out. */
  waits: boolean;
}

async function reencryptBatch(em: Em, options: BatchOptions): Promise<Batch> {
  const { old, first, after, limit, waits } = options;
  return em.transactional(async (transaction) => {
    const { rows } = await sql<StoredKey>`
      select "entitlement_id" as "entitlementId", "version", "sealed" as "encrypted" from "product_keys"
      where "key_id" = ${old.keyId} and ("entitlement_id", "version") > (${after.entitlementId}::uuid, ${after.version})
      order by "entitlement_id", "version" limit ${limit} for update ${waits ? sql`` : sql`skip locked`}`.execute(
      transaction.getKysely(),
    );
    const texts = new Map<string, string>();
    const unreadable: string[] = [];
    const fresh: StoredKey[] = [];
    for (const { entitlementId, version, encrypted } of rows) {
      const owner = ownerOf(entitlementId, version);
      try {
        const text = decryptProductKey(encrypted, old.keyId, [old], owner);
        texts.set(owner, text);
        fresh.push({ entitlementId, version, encrypted: encryptProductKey(text, first, owner) });
      } catch (error) {
        if (!(error instanceof ProductKeyUnreadable)) throw error;
        unreadable.push(error.message);
      }
    }
    const stored = await store(transaction, fresh, first);
    // What the table holds now must open and say the same, or nothing of the batch is kept.
    const isSame = ({ entitlementId, version, encrypted }: StoredKey) => {
      const owner = ownerOf(entitlementId, version);
      return decryptProductKey(encrypted, first.keyId, [first], owner) === texts.get(owner);
    };
    if (stored.length !== texts.size || !stored.every(isSame))
      throw new Error(
        `re-encrypted product keys are not what they were; the batch after ${after.entitlementId} was undone`,
      );
    return { reencrypted: stored.length, unreadable, last: rows.at(-1) };
  });
}

/** Answers the rows as the table has them. */
async function store(em: Em, fresh: StoredKey[], { keyId }: EncryptionKey): Promise<StoredKey[]> {
  if (fresh.length === 0) return [];
  const values = fresh.map(
    ({ entitlementId, version, encrypted }) => sql`(${entitlementId}::uuid, ${version}::text, ${encrypted}::bytea)`,
  );
  const { rows } = await sql<StoredKey>`
    update "product_keys" as "old" set "key_id" = ${keyId}, "sealed" = "fresh"."sealed"
    from (values ${sql.join(values)}) as "fresh" ("entitlement_id", "version", "sealed")
    where "old"."entitlement_id" = "fresh"."entitlement_id" and "old"."version" = "fresh"."version"
    returning "old"."entitlement_id" as "entitlementId", "old"."version", "old"."sealed" as "encrypted"`.execute(
    em.getKysely(),
  );
  return rows;
}
