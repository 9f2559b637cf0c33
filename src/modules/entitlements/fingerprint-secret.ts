import { createHmac, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { AdvisoryLock } from '../../database/advisory-locks.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { decryptProductKey, type EncryptionKey, encryptProductKey } from './product-key.js';
import { FingerprintSecret } from './product-key-pool.entity.js';

/** What the secret is bound to. */
export const OWNER_OF_FINGERPRINT_SECRET = 'fingerprint-secret';

/** Answers what a product key is recognised by, in hexadecimal. */
export type Fingerprint = (productKey: string) => string;

/**
 * How product keys are recognised in this database; the secret of it is made when it is first asked for. Until the
 * caller's transaction ends nobody else stores keys: what was looked at before is still so when it is written.
 * @throws {ProductKeyUnreadable}
 */
export async function lockFingerprints(em: Em, secrets: readonly EncryptionKey[]): Promise<Fingerprint> {
  inLockOrder(em, 'ENCRYPTION_KEYS');
  await sql`select pg_advisory_xact_lock(${AdvisoryLock.ENCRYPTION_KEYS}::bigint)`.execute(em.getKysely());
  const stored = await em.findOne(FingerprintSecret, { singleton: true }, { refresh: true });
  const secret = stored
    ? decryptProductKey(stored.encrypted, stored.keyId, secrets, OWNER_OF_FINGERPRINT_SECRET)
    : randomBytes(32).toString('base64');
  if (!stored) {
    const first = secrets[0] as EncryptionKey;
    const encrypted = encryptProductKey(secret, first, OWNER_OF_FINGERPRINT_SECRET);
    em.create(FingerprintSecret, { singleton: true, keyId: first.keyId, encrypted }, { persist: true });
    await em.flush();
  }
  const key = Buffer.from(secret, 'base64');
  return (productKey) => createHmac('sha256', key).update(productKey).digest('hex');
}
