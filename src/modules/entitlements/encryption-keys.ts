import { sql } from 'kysely';
import { AdvisoryLock } from '../../database/advisory-locks.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { keyIdsInUse } from './encrypted-tables.js';
import { EncryptionCanary } from './entitlement.entity.js';
import { decryptProductKey, type EncryptionKey, encryptProductKey, ownerOf } from './product-key.js';

/** What every canary says once it is decrypted. */
const CANARY_TEXT = 'csp-graph canary';
const ownerOfCanary = (keyId: string) => `canary:${keyId}`;
/** Product keys that a key without a canary is tried on. Several, for one of them may have been tampered with. */
const SAMPLE = 20;
const SETTING = 'PRODUCT_KEY_SECRETS (where it is not set: secrets.json in DATA_DIR)';

/** How encryption keys and a database go together. */
export interface KeyCheck {
  /** What is wrong, in the words of the settings; a key that is in use is missing or another one. */
  problems: string[];
  /** Keys that the database has not seen yet. */
  unseen: EncryptionKey[];
}

/**
 * Holds encryption keys against what the database was encrypted with, and leaves a canary for each that it has not seen.
 * In the caller's transaction; processes that do so at once do it one after the other, and the first one's keys count.
 * Answers what is wrong; then no product key may be written or read, and nothing was left.
 */
export async function acceptEncryptionKeys(em: Em, keys: readonly EncryptionKey[]): Promise<string[]> {
  inLockOrder(em, 'ENCRYPTION_KEYS');
  await sql`select pg_advisory_xact_lock(${AdvisoryLock.ENCRYPTION_KEYS}::bigint)`.execute(em.getKysely());
  const { problems, unseen } = await checkEncryptionKeys(em, keys);
  if (problems.length > 0) return problems;
  for (const key of unseen) {
    const canary = encryptProductKey(CANARY_TEXT, key, ownerOfCanary(key.keyId));
    em.create(EncryptionCanary, { keyId: key.keyId, encrypted: canary, createdAt: new Date() }, { persist: true });
  }
  await em.flush();
  return [];
}

/** The same without leaving anything. */
export async function checkEncryptionKeys(em: Em, keys: readonly EncryptionKey[]): Promise<KeyCheck> {
  const { rows } = await sql<{ keyId: string; encrypted: Uint8Array }>`
    select "key_id" as "keyId", "encrypted" from "encryption_canaries"`.execute(em.getKysely());
  const canaries = new Map(rows.map(({ keyId, encrypted }) => [keyId, encrypted]));
  const used = await keyIdsInUse(em);
  const missing = used
    .filter((keyId) => !keys.some((key) => key.keyId === keyId))
    .map(
      (keyId) =>
        `${SETTING}: has no key "${keyId}", which product keys of this database are encrypted with. Put it back behind the first one; npm run keys:rotate says when it may go`,
    );
  const wrong: string[] = [];
  const unseen: EncryptionKey[] = [];
  for (const key of keys) {
    const canary = canaries.get(key.keyId);
    const isRight = canary
      ? opens(canary, key, ownerOfCanary(key.keyId))
      : !used.includes(key.keyId) || (await opensProductKeys(em, key));
    if (!isRight)
      wrong.push(
        `${SETTING}: the key "${key.keyId}" is not the one that this database was encrypted with under that id. Put that one back; a new key gets an id of its own`,
      );
    else if (!canary) unseen.push(key);
  }
  return { problems: [...missing, ...wrong], unseen };
}

/** Whether a key opens what is under its id, in a database from before there were canaries. */
async function opensProductKeys(em: Em, key: EncryptionKey): Promise<boolean> {
  const { rows } = await sql<{ entitlementId: string; version: string; encrypted: Uint8Array }>`
    select "entitlement_id" as "entitlementId", "version", "sealed" as "encrypted"
    from "product_keys" where "key_id" = ${key.keyId} limit ${SAMPLE}`.execute(em.getKysely());
  return rows.some(({ entitlementId, version, encrypted }) => opens(encrypted, key, ownerOf(entitlementId, version)));
}

function opens(encrypted: Uint8Array, key: EncryptionKey, owner: string): boolean {
  try {
    decryptProductKey(encrypted, key.keyId, [key], owner);
    return true;
  } catch {
    return false;
  }
}
