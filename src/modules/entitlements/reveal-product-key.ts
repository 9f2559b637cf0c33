import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import type { SoftwareVersion } from '../catalog/catalog.entity.js';
import { type Entitlement, ProductKey } from './entitlement.entity.js';
import { decryptProductKey, type EncryptionKey, encryptProductKey, newProductKey, ownerOf } from './product-key.js';
import { chooseSoftware } from './software-choice.js';
import { ProductKeysRanOut, recordShortage, takePooledKey, wasEverPooled } from './take-pooled-key.js';

/** A product key as text. */
export interface RevealedKey {
  productKey: string;
  /** It stands for a real one, and activates nothing: the customer is one of the demonstration. */
  isInvented: boolean;
}

/**
 * Writes down who reads the key of an entitlement (rules 8 and 9) and answers it as text, to be told to nobody before
 * the commit. It is decrypted in the transaction: a key that does not open was shown to nobody, and no entry says so.
 * A licence and version has one key: taken out of the pool when it is first asked for, it stays the same. Answers
 * `ProductKeysRanOut` where the pool has none, and a problem of software-choice.ts where there is none to have.
 * @throws {ProductKeyUnreadable}
 */
export async function revealProductKey(
  unit: UnitOfWork,
  secrets: readonly EncryptionKey[],
  input: { entitlementId: string; version: string },
): Promise<RevealedKey | Problem> {
  const chosen = await chooseSoftware(unit, 'revealProductKey', input.entitlementId, input.version);
  if (isProblem(chosen)) return chosen;
  const { em, viewer, correlationId } = unit;
  const { entitlement, offered } = chosen;
  const key =
    (await em.findOne(ProductKey, { entitlement, version: input.version })) ??
    (await assignKey(unit, secrets, entitlement, offered));
  if (!key) {
    await recordShortage(unit, entitlement.sku, input.version);
    return new ProductKeysRanOut(input.version);
  }
  const productKey = decryptProductKey(key.encrypted, key.keyId, secrets, ownerOf(entitlement.id, input.version));
  const { isInvented } = key;
  recordActivity(em, {
    action: 'PRODUCT_KEY_REVEALED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: entitlement.customer.id,
    orderId: entitlement.orderLine.order.id,
    productIds: [entitlement.sku.product.productId],
    resource: { type: 'ENTITLEMENT', id: toGlobalId('Entitlement', entitlement.id), label: entitlement.sku.title },
    correlationId,
    detail: { version: input.version, isInvented },
  });
  return { productKey, isInvented };
}

/** Gives a licence its key of a version, out of the pool; null where none is left. */
async function assignKey(
  unit: UnitOfWork,
  secrets: readonly EncryptionKey[],
  entitlement: Entitlement,
  offered: SoftwareVersion,
): Promise<ProductKey | null> {
  const { em, now } = unit;
  const pooled = await takePooledKey(unit, secrets, offered);
  if (!pooled && !(await mayInvent(unit, entitlement, offered))) return null;
  const encryption = secrets[0] as EncryptionKey;
  const { version } = offered;
  return em.create(
    ProductKey,
    {
      entitlement,
      version,
      keyId: encryption.keyId,
      encrypted: encryptProductKey(pooled ?? newProductKey(), encryption, ownerOf(entitlement.id, version)),
      issuedAt: now,
      isInvented: pooled === null,
    },
    { persist: true },
  );
}

/** Only customers of the demonstration get invented keys, and not of what there were real ones of. */
const mayInvent = async ({ em }: UnitOfWork, { customer }: Entitlement, offered: SoftwareVersion) =>
  customer.isDemonstration && !(await wasEverPooled(em, offered));
