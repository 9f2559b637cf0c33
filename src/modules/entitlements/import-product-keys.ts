import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Actor } from '../../activity-log/record-activity.js';
import type { Em, Orm } from '../../database/orm.js';
import type { CsvRow } from '../../lib/csv-rows.js';
import { lockFingerprints } from './fingerprint-secret.js';
import { type EncryptionKey, productKeyOf } from './product-key.js';
import {
  addToPool,
  countFree,
  countsOf,
  type KeySoftware,
  type Known,
  lookUpKeys,
  type SealedKey,
  sealKey,
} from './product-key-pool.js';

/** Columns of a file of keys. */
export const KEY_COLUMNS = ['ProductId', 'SkuId', 'Version', 'ProductKey'] as const;
export type KeyRow = CsvRow<(typeof KEY_COLUMNS)[number]>;

/** Why a row is not taken. It repeats no key (rule 8). */
export interface KeyRefusal {
  line: number;
  reason: string;
}

/** How to import. */
export interface KeyImportOptions {
  actor: Actor;
  now: Date;
  /** Says what would happen and keeps nothing. */
  dryRun: boolean;
  /** Keeps the good rows of a file that has refused ones. */
  keepGood: boolean;
  /** Goes last in the transaction that keeps the keys. */
  onKept?: (em: Em, done: KeyImport) => void;
}

/** What an import did, or in a dry run would do. */
export interface KeyImport {
  rows: number;
  refusals: KeyRefusal[];
  /** Rows whose key was stored for the same version before. */
  known: number;
  /** New keys by software, with how many of it are left to give. */
  stored: { software: string; count: number; free: number }[];
  /** Whether the new keys are in the database now. */
  kept: boolean;
}

/** A key with the line that it stands in. */
type Line = SealedKey & { line: number };

/**
 * Puts the keys of a file into the pool. Each is encrypted when its row is read: no more than one is held as text. One
 * short transaction writes them, all or none unless `keepGood`; the same file again changes nothing.
 * @throws {ProductKeyUnreadable} where the secret of fingerprints does not open
 */
export async function importProductKeys(
  orm: Orm,
  secrets: readonly EncryptionKey[],
  rows: AsyncIterable<KeyRow>,
  { actor, now, dryRun, keepGood, onKept }: KeyImportOptions,
): Promise<KeyImport> {
  const encryption = secrets[0] as EncryptionKey;
  const software = await softwareByName(orm);
  const fingerprintOf = await orm.em.fork().transactional((em) => lockFingerprints(em, secrets));
  const refusals: KeyRefusal[] = [];
  const keys: Line[] = [];
  const lines = new Map<string, number>();
  let count = 0;
  for await (const row of rows) {
    count += 1;
    const read = readRow(row, software);
    if (typeof read === 'string') {
      refusals.push({ line: row.line, reason: read });
      continue;
    }
    const key = { ...sealKey(read.productKey, read.software, fingerprintOf, encryption), line: row.line };
    const before = lines.get(key.fingerprint);
    if (before === undefined) {
      lines.set(key.fingerprint, row.line);
      keys.push(key);
    } else refusals.push({ line: row.line, reason: `has the key of line ${before}; a key belongs to one licence` });
  }
  return orm.em.fork().transactional(async (em) => {
    await lockFingerprints(em, secrets);
    const known = await lookUpKeys(em, keys);
    const are = (what: Known) => keys.filter((_, at) => known[at] === what);
    for (const { line } of are('OF_OTHER_SOFTWARE'))
      refusals.push({ line, reason: 'has a key that is stored for other software' });
    const fresh = are('NEW');
    const kept = !dryRun && (refusals.length === 0 || keepGood);
    if (kept) await addToPool(em, fresh, { actor, now, correlationId: randomUUID(), encryption });
    const stored: KeyImport['stored'] = [];
    for (const [of, added] of countsOf(fresh)) {
      const free = (await countFree(em, of)) + (kept ? 0 : added);
      stored.push({ software: nameOf(of), count: added, free });
    }
    refusals.sort((one, other) => one.line - other.line);
    const done = { rows: count, refusals, known: are('STORED').length, stored, kept };
    if (kept) onKept?.(em, done);
    return done;
  });
}

const nameOf = ({ productId, skuId, version }: KeySoftware) => `${productId}:${skuId} ${version}`;

/** Every version that keys can be stored for, by product, SKU and version. */
async function softwareByName(orm: Orm): Promise<Map<string, KeySoftware>> {
  const { rows } = await sql<KeySoftware>`
    select "skus"."id" as "skuRow", "skus"."title" as "skuTitle", "products"."product_id" as "productId",
      "skus"."sku_id" as "skuId", "software_versions"."version"
    from "software_versions"
    join "skus" on "skus"."id" = "software_versions"."sku_id"
    join "products" on "products"."id" = "skus"."product_id"
    order by "software_versions"."position"`.execute(orm.em.fork().getKysely());
  return new Map(rows.map((row) => [nameOf(row), row]));
}

/** The key of a row and what it is for, or why it is not taken. */
function readRow(
  row: KeyRow,
  software: Map<string, KeySoftware>,
): { productKey: string; software: KeySoftware } | string {
  if ('unreadable' in row) return row.unreadable;
  const { ProductId, SkuId, Version, ProductKey } = row.cells;
  // A spreadsheet takes the zeros of 0003 away.
  const [productId, skuId] = [ProductId.toUpperCase(), SkuId.toUpperCase().padStart(4, '0')];
  const of = software.get(`${productId}:${skuId} ${Version}`);
  if (!of) {
    const sku = [...software.values()].filter((each) => each.productId === productId && each.skuId === skuId);
    const versions = sku.map(({ version }) => version).join(', ');
    return sku.length > 0
      ? `Version: ${productId}:${skuId} has the versions ${versions}`
      : 'ProductId, SkuId: the catalog has no such SKU that comes with software';
  }
  const productKey = productKeyOf(ProductKey);
  return productKey === null ? 'ProductKey: is not a key of 25 letters and digits' : { productKey, software: of };
}
