import { createHash } from 'node:crypto';
import type { ExportedEntry } from '../export-entries.js';

/** Bytes of a leaf: SHA-256 cut to 128 bits. */
export const LEAF_BYTES = 16;
/** What the first seal is chained to. */
export const NO_HASH: Buffer = Buffer.alloc(32);

/** Columns of an entry in the order in which they are hashed; `detail` follows by itself. */
const hashed = [
  'position',
  'id',
  'at',
  'action',
  'outcome',
  'actor',
  'actorRole',
  'application',
  'customerId',
  'orderId',
  'productIds',
  'resourceType',
  'resourceId',
  'resourceLabel',
  'correlationId',
] as const satisfies readonly (keyof ExportedEntry)[];
/** Hashed after those, of entries that have an identity: leaves from before identities were kept stay what they were. */
const hashedIdentity = [
  'actorIssuer',
  'actorTenantId',
  'actorObjectId',
] as const satisfies readonly (keyof ExportedEntry)[];
type Hashed = Pick<ExportedEntry, (typeof hashed)[number] | (typeof hashedIdentity)[number] | 'detail'>;

const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * The hash of an entry: the first 16 bytes of SHA-256 over its canonical form in UTF-8.
 *
 * Canonical form: the JSON array (ECMAScript's `JSON.stringify`, no spaces) of the values of `position`, `id`, `at`, `action`, `outcome`,
 * `actor`, `actorRole`, `application`, `customerId`, `orderId`, `productIds`, `resourceType`, `resourceId`,
 * `resourceLabel` and `correlationId` as a `.jsonl` export has them, and, unless all three are null, of `actorIssuer`,
 * `actorTenantId` and `actorObjectId`; a line feed; and the text of `detail`, as PostgreSQL writes jsonb and as it stands in
 * the export. That is every column of the row; the customer's name is not of the row.
 */
export function leafOf(entry: Hashed): Buffer {
  const hasIdentity = hashedIdentity.some((name) => (entry[name] ?? null) !== null);
  const names = hasIdentity ? [...hashed, ...hashedIdentity] : hashed;
  return sha256(JSON.stringify(names.map((name) => entry[name] ?? null)), '\n', entry.detail).subarray(0, LEAF_BYTES);
}

/** Keys of a line but `detail`, sorted. Cursor and the customer's name are not of the row, and not sealed. */
const lineKeys = [...hashed, ...hashedIdentity, 'cursor', 'customer'].sort().join();
/** The same of exports from before identities were kept. */
const olderLineKeys = [...hashed, 'cursor', 'customer'].sort().join();

/**
 * What a line of a `.jsonl` export says of its entry. It must read as exports write it: a key more, or one that is there
 * twice, would tell some readers what the leaf does not cover.
 * @throws {SyntaxError} where it is no such line
 */
export function parseLine(line: string): Hashed {
  // Quotes in texts are escaped, so that the first place that reads so is the key.
  const place = line.indexOf(',"detail":');
  if (place < 0 || !line.endsWith('}')) throw new SyntaxError('not a line of an export');
  const head = `${line.slice(0, place)}}`;
  const values = JSON.parse(head);
  if (JSON.stringify(values) !== head || ![lineKeys, olderLineKeys].includes(Object.keys(values).sort().join()))
    throw new SyntaxError('not as exports write it');
  return { ...values, detail: line.slice(place + ',"detail":'.length, -1) };
}

/** The hash of a seal: SHA-256 over the 32 bytes of the one before and the leaves in order. */
export function chain(previous: Uint8Array, leaves: Uint8Array): Buffer {
  return sha256(previous, leaves);
}
