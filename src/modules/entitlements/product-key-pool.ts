import { sql } from 'kysely';
import { type Activity, type Actor, recordActivity } from '../../activity-log/record-activity.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import type { Fingerprint } from './fingerprint-secret.js';
import { type EncryptionKey, encryptProductKey } from './product-key.js';
import { PooledKey } from './product-key-pool.entity.js';
import { ownerOfPooled } from './take-pooled-key.js';

/** Rows that one statement writes or looks for. */
const BATCH = 1_000;

/** The SKU and version that keys are for. */
export interface KeySoftware {
  /** Id of the SKU's row. */
  skuRow: string;
  skuTitle: string;
  productId: string;
  skuId: string;
  version: string;
}

/** A key as it is stored: nothing of it can be read without the encryption key. */
export interface SealedKey {
  software: KeySoftware;
  fingerprint: string;
  encrypted: Buffer;
}

/** Encrypts a key of the form that `productKeyOf` answers. */
export function sealKey(
  productKey: string,
  software: KeySoftware,
  fingerprintOf: Fingerprint,
  encryption: EncryptionKey,
): SealedKey {
  const fingerprint = fingerprintOf(productKey);
  return { software, fingerprint, encrypted: encryptProductKey(productKey, encryption, ownerOfPooled(fingerprint)) };
}

/** What the database knows of a key that is to be stored: nothing, that it has it, or that it is other software's. */
export type Known = 'NEW' | 'STORED' | 'OF_OTHER_SOFTWARE';

/** What is known of keys, in their order. Under the lock of `lockFingerprints` that stays so. */
export async function lookUpKeys(em: Em, keys: readonly SealedKey[]): Promise<Known[]> {
  const stored = new Map<string, { sku: string; version: string }>();
  for (const batch of batchesOf(keys)) {
    const { rows } = await sql<{ fingerprint: string; sku: string; version: string }>`
      select "fingerprint", "sku_id" as "sku", "version" from "product_key_pool"
      where "fingerprint" = any(${batch.map(({ fingerprint }) => fingerprint)}::text[])`.execute(em.getKysely());
    for (const row of rows) stored.set(row.fingerprint, row);
  }
  return keys.map(({ fingerprint, software }) => {
    const known = stored.get(fingerprint);
    if (!known) return 'NEW';
    return known.sku === software.skuRow && known.version === software.version ? 'STORED' : 'OF_OTHER_SOFTWARE';
  });
}

/** Who stores keys, when, and by which cause. */
export interface Storing {
  actor: Actor;
  now: Date;
  correlationId: string;
  /** The key that they are encrypted with. */
  encryption: EncryptionKey;
}

/** Puts new keys into the pool, and writes down how many of each version. Who waited for some can have them now. */
export async function addToPool(em: Em, keys: readonly SealedKey[], storing: Storing): Promise<void> {
  const { actor, now, correlationId, encryption } = storing;
  for (const batch of batchesOf(keys))
    await em.insertMany(
      PooledKey,
      batch.map(({ software, fingerprint, encrypted }) => ({
        fingerprint,
        sku: software.skuRow,
        version: software.version,
        keyId: encryption.keyId,
        encrypted,
        storedAt: now,
        takenAt: null,
      })),
    );
  for (const [software, count] of countsOf(keys)) {
    await sql`delete from "product_key_shortages" where "sku_id" = ${software.skuRow} and "version" = ${software.version}`.execute(
      em.getKysely(),
    );
    const entry: Activity = {
      action: 'PRODUCT_KEYS_STORED',
      outcome: 'SUCCEEDED',
      actor,
      customerId: null,
      productIds: [software.productId],
      resource: { type: 'SKU', id: toGlobalId('Sku', software.skuRow), label: software.skuTitle },
      correlationId,
      detail: { version: software.version, count },
    };
    recordActivity(em, entry);
  }
}

/** How many keys there are of each version, in the order of the first. */
export function countsOf(keys: readonly SealedKey[]): [software: KeySoftware, count: number][] {
  const counts = new Map<string, [KeySoftware, number]>();
  for (const { software } of keys) {
    const name = `${software.skuRow}/${software.version}`;
    counts.set(name, [software, (counts.get(name)?.[1] ?? 0) + 1]);
  }
  return [...counts.values()];
}

/** How many keys of a version are left to give. */
export function countFree(em: Em, { skuRow, version }: KeySoftware): Promise<number> {
  return em.count(PooledKey, { sku: skuRow, version, takenAt: null });
}

function* batchesOf(keys: readonly SealedKey[]): Generator<readonly SealedKey[]> {
  for (let at = 0; at < keys.length; at += BATCH) yield keys.slice(at, at + BATCH);
}
