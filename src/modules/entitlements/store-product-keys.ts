import { actorOf } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { Problem } from '../../domain/problem.js';
import { Sku, SoftwareVersion } from '../catalog/catalog.entity.js';
import { lockFingerprints } from './fingerprint-secret.js';
import { type EncryptionKey, productKeyOf } from './product-key.js';
import { addToPool, countFree, type KeySoftware, lookUpKeys, sealKey } from './product-key-pool.js';
import { SoftwareChoiceNotOffered } from './software-choice.js';

/** The catalog has no such SKU, or it comes without software. */
export class SoftwareNotFound extends Problem {
  readonly code = 'SOFTWARE_NOT_FOUND';
  readonly message: string;
  constructor(
    readonly productId: string,
    readonly skuId: string,
  ) {
    super();
    this.message = `The catalog has no SKU ${productId}:${skuId} that comes with software. Find it with product.`;
  }
}

/** Some of the keys cannot be stored; so none was. */
export class ProductKeysDuplicated extends Problem {
  readonly code = 'PRODUCT_KEYS_DUPLICATED';
  readonly message: string;
  constructor(readonly positions: number[]) {
    super();
    this.message = `A key belongs to one licence: those at ${positions.join(', ')} stand twice in the list, or are stored for other software already. Nothing was stored; take them out and send the others.`;
  }
}

export interface StoreProductKeys {
  productId: string;
  skuId: string;
  version: string;
  /** Each of the form that `productKeyOf` reads. */
  productKeys: string[];
}

/** What became of the keys. */
export interface StoredKeys {
  /** Id of the SKU's row. */
  skuRow: string;
  /** How many were stored. */
  stored: number;
  /** How many were there already: the same may be sent again. */
  known: number;
  /** How many of the version are left to give. */
  free: number;
}

/**
 * Stores product keys of a version, encrypted, to be given to one licence each (rules 8 and 10): all of them or none.
 * Answers SoftwareNotFound, SoftwareChoiceNotOffered or ProductKeysDuplicated.
 * @throws {ProductKeyUnreadable} where the secret of fingerprints does not open
 */
export async function storeProductKeys(
  { em, viewer, now, correlationId }: UnitOfWork,
  secrets: readonly EncryptionKey[],
  { productId, skuId, version, productKeys }: StoreProductKeys,
): Promise<StoredKeys | Problem> {
  const sku = await em.findOne(Sku, { product: { productId }, skuId });
  const versions = sku ? await em.find(SoftwareVersion, { sku }, { orderBy: { position: 'asc' } }) : [];
  if (!sku || versions.length === 0) return new SoftwareNotFound(productId, skuId);
  const offered = versions.map((each) => each.version);
  if (!offered.includes(version)) return new SoftwareChoiceNotOffered('version', offered);
  const encryption = secrets[0] as EncryptionKey;
  const software: KeySoftware = { skuRow: sku.id, skuTitle: sku.title, productId, skuId, version };
  const fingerprintOf = await lockFingerprints(em, secrets);
  const keys = productKeys.map((text) => sealKey(productKeyOf(text) as string, software, fingerprintOf, encryption));
  const known = await lookUpKeys(em, keys);
  const first = new Map<string, number>();
  for (const [at, { fingerprint }] of keys.entries()) if (!first.has(fingerprint)) first.set(fingerprint, at);
  const duplicated = [...keys.keys()].filter(
    (at) => known[at] === 'OF_OTHER_SOFTWARE' || first.get(keys[at]?.fingerprint as string) !== at,
  );
  if (duplicated.length > 0) return new ProductKeysDuplicated(duplicated);
  const fresh = keys.filter((_, at) => known[at] === 'NEW');
  await addToPool(em, fresh, { actor: actorOf(viewer), now, correlationId, encryption });
  return {
    skuRow: sku.id,
    stored: fresh.length,
    known: keys.length - fresh.length,
    free: await countFree(em, software),
  };
}
