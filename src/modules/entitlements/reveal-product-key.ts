import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import { ProductKey } from './entitlement.entity.js';
import { decryptProductKey, type EncryptionKey, encryptProductKey, newProductKey, ownerOf } from './product-key.js';
import { chooseSoftware } from './software-choice.js';

/**
 * Writes down who reads the key of an entitlement (rules 8 and 9) and answers it as text, to be told to nobody before
 * the commit. It is decrypted in the transaction: a key that does not open was shown to nobody, and no entry says so.
 * The key is made when it is first asked for, and stays the same. Answers a problem of software-choice.ts where there
 * is none to have.
 * @throws {ProductKeyUnreadable}
 */
export async function revealProductKey(
  unit: UnitOfWork,
  secrets: readonly EncryptionKey[],
  input: { entitlementId: string; version: string },
): Promise<string | Problem> {
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
  const productKey = decryptProductKey(key.encrypted, key.keyId, secrets, ownerOf(entitlement.id, input.version));
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
  return productKey;
}
