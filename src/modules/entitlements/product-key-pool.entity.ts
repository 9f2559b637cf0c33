import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { Sku } from '../catalog/catalog.entity.js';

/**
 * A product key that was stored for a version of a SKU and is given to one licence, once (rule 10). Its text moves to
 * `product_keys` when it is taken; its fingerprint stays, so that the same key is never stored and given again.
 */
export const PooledKey = defineEntity({
  name: 'PooledKey',
  tableName: 'product_key_pool',
  properties: {
    /** HMAC-SHA256 of the key in hexadecimal (`fingerprint-secret.ts`): nobody finds the key by trying. */
    fingerprint: p.string().columnType('text').primary(),
    sku: p.manyToOne(Sku),
    version: p.text(),
    /** Which encryption key it is encrypted with; null once it was taken. */
    keyId: p.text().nullable(),
    /** As in `product_keys`; null once it was taken. */
    encrypted: p.blob().nullable(),
    storedAt: p.datetime(3),
    takenAt: p.datetime(3).nullable(),
  },
  indexes: [
    {
      name: 'product_key_pool_free_idx',
      expression: `create index "product_key_pool_free_idx" on "product_key_pool" ("sku_id", "version", "stored_at", "fingerprint") where "taken_at" is null`,
    },
    { name: 'product_key_pool_sku_idx', properties: ['sku', 'version'] },
    { name: 'product_key_pool_rotation_idx', properties: ['keyId', 'fingerprint'] },
  ],
  checks: [
    {
      name: 'product_key_pool_taken',
      expression: '(taken_at is null) = (encrypted is not null) and (key_id is null) = (encrypted is null)',
    },
  ],
});
export type PooledKey = InferEntity<typeof PooledKey>;

/** A version that somebody wanted a key of when none was left. Its row goes when keys of it are stored. */
export const ProductKeyShortage = defineEntity({
  name: 'ProductKeyShortage',
  tableName: 'product_key_shortages',
  properties: {
    sku: p.manyToOne(Sku).primary(),
    version: p.string().columnType('text').primary(),
    since: p.datetime(3),
  },
});
export type ProductKeyShortage = InferEntity<typeof ProductKeyShortage>;

/** The secret of fingerprints, encrypted as product keys are. One row; it never changes, or old keys would be new again. */
export const FingerprintSecret = defineEntity({
  name: 'FingerprintSecret',
  tableName: 'fingerprint_secret',
  properties: {
    singleton: p.boolean().primary().default(true).check('singleton'),
    keyId: p.text(),
    encrypted: p.blob(),
  },
});
export type FingerprintSecret = InferEntity<typeof FingerprintSecret>;
