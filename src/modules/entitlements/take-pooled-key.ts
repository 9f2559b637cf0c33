import { sql } from 'kysely';
import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import { Problem } from '../../domain/problem.js';
import type { Sku, SoftwareVersion } from '../catalog/catalog.entity.js';
import { decryptProductKey, type EncryptionKey, ProductKeyUnreadable } from './product-key.js';
import { PooledKey } from './product-key-pool.entity.js';

/** Keys that are tried where the first ones do not open: some of them may have been tampered with. */
const TRIES = 20;

/** No key of the version is left to give. */
export class ProductKeysRanOut extends Problem {
  readonly code = 'PRODUCT_KEYS_RAN_OUT';
  readonly message: string;
  constructor(readonly version: string) {
    super();
    this.message = `No product key of version ${version} is left. The log says so; ask again once the partner has stored more of them.`;
  }
}

/** What a pooled key is bound to. */
export const ownerOfPooled = (fingerprint: string) => `pool:${fingerprint}`;

/**
 * Takes the key that was stored first out of the pool. Whoever else wants one of this version waits until the
 * transaction ends: only so is a pool that looks dry dry. What does not open is left where it is, and the next one taken.
 * @returns null where none is left
 * @throws {ProductKeyUnreadable} where there are keys and none opens
 */
export async function takePooledKey(
  { em, now }: UnitOfWork,
  secrets: readonly EncryptionKey[],
  version: SoftwareVersion,
): Promise<string | null> {
  await em.lock(version, inLockOrder(em, 'SOFTWARE_VERSION'));
  const free = await em.find(
    PooledKey,
    { sku: version.sku, version: version.version, takenAt: null },
    { orderBy: { storedAt: 'asc', fingerprint: 'asc' }, limit: TRIES },
  );
  let unreadable: ProductKeyUnreadable | null = null;
  for (const pooled of free) {
    try {
      const { encrypted, keyId, fingerprint } = pooled;
      const text = decryptProductKey(encrypted as Uint8Array, keyId as string, secrets, ownerOfPooled(fingerprint));
      Object.assign(pooled, { takenAt: now, encrypted: null, keyId: null });
      return text;
    } catch (error) {
      if (!(error instanceof ProductKeyUnreadable)) throw error;
      unreadable = error;
    }
  }
  if (unreadable) throw unreadable;
  return null;
}

/** Whether real keys were ever stored for a version: from then on none is invented. */
export async function wasEverPooled(em: Em, { sku, version }: SoftwareVersion): Promise<boolean> {
  return (await em.findOne(PooledKey, { sku, version }, { fields: ['fingerprint'] })) !== null;
}

/** Writes down that a version has run out of keys: once, until some are stored. */
export async function recordShortage(unit: UnitOfWork, sku: Sku, version: string): Promise<void> {
  const { em, viewer, now, correlationId } = unit;
  const { numAffectedRows } = await sql`
    insert into "product_key_shortages" ("sku_id", "version", "since") values (${sku.id}, ${version}, ${now})
    on conflict do nothing`.execute(em.getKysely());
  if (numAffectedRows !== 1n) return;
  recordActivity(em, {
    action: 'PRODUCT_KEYS_RAN_OUT',
    outcome: 'FAILED',
    actor: actorOf(viewer),
    // The partner's pool is no customer's.
    customerId: null,
    productIds: [sku.product.productId],
    resource: { type: 'SKU', id: toGlobalId('Sku', sku.id), label: sku.title },
    correlationId,
    detail: { version },
  });
}
