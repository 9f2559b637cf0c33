import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import { ProductKey } from './entitlement.entity.js';
import { decryptProductKey, type EncryptionKey, encryptProductKey, newProductKey } from './product-key.js';
import { chooseSoftware } from './software-choice.js';

/** A key that may be opened once the transaction that wrote it down has committed. */
export interface EncryptedKey {
  entitlementId: string;
  version: string;
  keyId: string;
  encrypted: Uint8Array;
}

const ownerOf = (entitlementId: string, version: string) => `${entitlementId}:${version}`;

/**
 * Writes down who reads the key of an entitlement (rules 8 and 9) and answers it encrypted: `openSealed` turns it into
 * text, after the commit. The key is made when it is first asked for, and stays the same. Answers a problem of
 * software-choice.ts where there is none to have.
 */
export async function revealProductKey(
  unit: UnitOfWork,
  secrets: readonly EncryptionKey[],
  input: { entitlementId: string; version: string },
): Promise<EncryptedKey | Problem> {
  const chosen = await chooseSoftware(unit, 'revealProductKey', input.entitlementId, input.version);
  if (isProblem(chosen)) return chosen;
  const { em, viewer, now, correlationId } = unit;
  const { entitlement } = chosen;
  let key = await em.findOne(ProductKey, { entitlement, version: input.version });
  if (!key) {
    const encryption = secrets[0] as EncryptionKey;
    key = em.create(ProductKey, {
      entitlement,
      version: input.version,
      keyId: encryption.keyId,
      encrypted: encryptProductKey(newProductKey(), encryption, ownerOf(entitlement.id, input.version)),
      issuedAt: now,
    });
    em.persist(key);
  }
  recordActivity(em, {
    action: 'PRODUCT_KEY_REVEALED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: entitlement.customer.id,
    orderId: entitlement.orderLine.order.id,
    productIds: [entitlement.sku.product.productId],
    resource: { type: 'ENTITLEMENT', id: toGlobalId('Entitlement', entitlement.id), label: entitlement.sku.title },
    correlationId,
    detail: { version: input.version },
  });
  return { entitlementId: entitlement.id, version: input.version, keyId: key.keyId, encrypted: key.encrypted };
}

/** The key as text. Only ever after the entry about it has committed (rule 8). */
export function decryptKey(key: EncryptedKey, secrets: readonly EncryptionKey[]): string {
  return decryptProductKey(key.encrypted, key.keyId, secrets, ownerOf(key.entitlementId, key.version));
}
