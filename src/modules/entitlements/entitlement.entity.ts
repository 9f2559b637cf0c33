import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { Sku } from '../catalog/catalog.entity.js';
import { Customer } from '../customers/customer.entity.js';
import { OrderLine } from '../orders/order.entity.js';

/** Where an entitlement is. EXPIRED is derived: ACTIVE with its term behind it. */
export const EntitlementStatus = {
  PENDING: 'PENDING',
  ACTIVE: 'ACTIVE',
  REVOKED: 'REVOKED',
  EXPIRED: 'EXPIRED',
} as const;
export type EntitlementStatus = (typeof EntitlementStatus)[keyof typeof EntitlementStatus];

/** What a customer owns by an order line: the right to use, and with software to read keys and download. */
export const Entitlement = defineEntity({
  name: 'Entitlement',
  tableName: 'entitlements',
  properties: {
    id: p.uuid().primary(),
    orderLine: p.oneToOne(OrderLine).owner().unique('entitlements_order_line_key'),
    customer: p.manyToOne(Customer),
    sku: p.manyToOne(Sku),
    quantity: p.integer().check('quantity >= 1'),
    status: p.enum(['PENDING', 'ACTIVE', 'REVOKED'] as const),
    grantedAt: p.datetime(3),
    expiresAt: p.datetime(3).nullable(),
    revokedAt: p.datetime(3).nullable(),
  },
  indexes: [
    { name: 'entitlements_customer_idx', properties: ['customer', 'grantedAt', 'id'] },
    { name: 'entitlements_recent_idx', properties: ['grantedAt', 'id'] },
    { name: 'entitlements_sku_idx', properties: ['sku', 'grantedAt', 'id'] },
    { name: 'entitlements_status_idx', properties: ['status', 'grantedAt', 'id'] },
    // When the newest was granted of what expires on a day: see expiring of entitlement.read.ts.
    {
      name: 'entitlements_expiry_idx',
      expression: `create index "entitlements_expiry_idx" on "entitlements" ((("expires_at" at time zone 'UTC')::date), "granted_at", "id")`,
    },
  ],
  checks: [{ name: 'entitlements_revoked', expression: "(status = 'REVOKED') = (revoked_at is not null)" }],
});
export type Entitlement = InferEntity<typeof Entitlement>;

/** A product key, encrypted at rest (rule 8). Its row is destroyed when the entitlement is revoked (rule 18). */
export const ProductKey = defineEntity({
  name: 'ProductKey',
  tableName: 'product_keys',
  properties: {
    entitlement: p.manyToOne(Entitlement).primary(),
    version: p.string().columnType('text').primary(),
    /** Which encryption key it was encrypted with: rotation by key id. */
    keyId: p.text(),
    /** AES-256-GCM: 12 bytes nonce, ciphertext, 16 bytes tag. */
    encrypted: p.blob().fieldName('sealed'),
    issuedAt: p.datetime(3),
    /** It came from no pool: the customer is one of the demonstration. */
    isInvented: p.boolean().default(false),
  },
  // Which key ids are in use, and what a rotation has still to do, in the order in which it does it.
  indexes: [{ name: 'product_keys_rotation_idx', properties: ['keyId', 'entitlement', 'version'] }],
});
export type ProductKey = InferEntity<typeof ProductKey>;

/** A known text encrypted with each encryption key that was ever used, so that a wrong one is noticed at the start. */
export const EncryptionCanary = defineEntity({
  name: 'EncryptionCanary',
  tableName: 'encryption_canaries',
  properties: {
    keyId: p.text().primary(),
    encrypted: p.blob(),
    createdAt: p.datetime(3).defaultRaw('now()'),
  },
});
export type EncryptionCanary = InferEntity<typeof EncryptionCanary>;

/** A signed link that opens without a token, for 14 days or 50 downloads (rule 11). */
export const DownloadLink = defineEntity({
  name: 'DownloadLink',
  tableName: 'download_links',
  properties: {
    id: p.uuid().primary(),
    entitlement: p.manyToOne(Entitlement),
    version: p.text(),
    language: p.text(),
    architecture: p.text(),
    createdAt: p.datetime(3),
    createdBy: p.text(),
    createdByRole: p.text(),
    /** Key of the identity (`auth/identity.ts`); null in links from before identities were kept. */
    createdByIdentity: p.text().nullable(),
    expiresAt: p.datetime(3),
    maximumDownloads: p.integer().default(50),
    downloads: p.integer().default(0),
    revokedAt: p.datetime(3).nullable(),
  },
  indexes: [{ name: 'download_links_entitlement_idx', properties: ['entitlement'] }],
  checks: [{ name: 'download_links_bound', expression: 'downloads >= 0 and downloads <= maximum_downloads' }],
});
export type DownloadLink = InferEntity<typeof DownloadLink>;

/** An address that downloaded by a link on a day: however many parts a download comes in, it is one (rule 11). */
export const DownloadUse = defineEntity({
  name: 'DownloadUse',
  tableName: 'download_uses',
  properties: {
    link: p.manyToOne(DownloadLink).primary(),
    /** Network address (`lib/network.ts`). */
    address: p.string().columnType('text').primary(),
    /** In UTC. */
    day: p.date().primary(),
    firstAt: p.datetime(3),
  },
});
export type DownloadUse = InferEntity<typeof DownloadUse>;
