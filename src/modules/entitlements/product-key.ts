import { randomInt } from 'node:crypto';
import { decryptText, type EncryptionKey, encryptText } from '../../lib/encrypted-text.js';

export type { EncryptionKey };

/** Letters and digits of a product key: those that nobody confuses when reading one aloud. */
const ALPHABET = 'BCDFGHJKMNPQRTVWXY2346789';

/** A product key that stands for a real one: 25 characters in five groups of five (rule 10). */
export function newProductKey(): string {
  const group = () => Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return Array.from({ length: 5 }, group).join('-');
}

/**
 * A product key as it is stored, out of how people write it: in either case, with or without its dashes. Null where it
 * is none. Real keys have letters that invented ones lack.
 */
export function productKeyOf(text: string): string | null {
  const characters = text.trim().replaceAll('-', '');
  // Before it is upper-cased, which makes letters of the key's alphabet out of others: of ſ an S.
  return /^[A-Za-z0-9]{25}$/.test(characters) ? (characters.toUpperCase().match(/.{5}/g) as string[]).join('-') : null;
}

/** Encrypts with AES-256-GCM (rule 8). `owner` (entitlement id and version) is bound in: a row moved elsewhere does not open. */
export const encryptProductKey = encryptText;

/** A product key that does not open. The message is for the log: it holds neither the key nor a secret. */
export class ProductKeyUnreadable extends Error {
  override name = 'ProductKeyUnreadable';
}

/** What the key of an entitlement and version is bound to. */
export const ownerOf = (entitlementId: string, version: string) => `${entitlementId}:${version}`;

/**
 * Decrypts what `encryptProductKey` made, with the key that has its id.
 * @throws {ProductKeyUnreadable} when no key has that id (a rotated key was dropped too early), when that key is another
 *   one than it was encrypted with, or when the bytes were tampered with
 */
export function decryptProductKey(
  encrypted: Uint8Array,
  keyId: string,
  keys: readonly EncryptionKey[],
  owner: string,
): string {
  const key = keys.find((candidate) => candidate.keyId === keyId);
  if (!key)
    throw new ProductKeyUnreadable(
      `PRODUCT_KEY_SECRETS has no key "${keyId}", which ${owner} is encrypted with; keep rotated keys behind the first one`,
    );
  try {
    return decryptText(encrypted, key, owner);
  } catch (error) {
    throw new ProductKeyUnreadable(
      `${owner} does not open with the key "${keyId}": its row was changed, or the key is another one`,
      { cause: error },
    );
  }
}
