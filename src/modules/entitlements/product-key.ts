import { createCipheriv, createDecipheriv, randomBytes, randomInt } from 'node:crypto';

/** Letters and digits of a product key: those that nobody confuses when reading one aloud. */
const ALPHABET = 'BCDFGHJKMNPQRTVWXY2346789';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key that product keys are encrypted with at rest, with the id under which it is found again. */
export interface EncryptionKey {
  keyId: string;
  /** 32 bytes. */
  secret: Uint8Array;
}

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
  const characters = text.trim().toUpperCase().replaceAll('-', '');
  return /^[A-Z0-9]{25}$/.test(characters) ? (characters.match(/.{5}/g) as string[]).join('-') : null;
}

/** Encrypts with AES-256-GCM (rule 8). `owner` (entitlement id and version) is bound in: a row moved elsewhere does not open. */
export function encryptProductKey(productKey: string, encryption: EncryptionKey, owner: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', encryption.secret, nonce).setAAD(Buffer.from(owner));
  return Buffer.concat([nonce, cipher.update(productKey, 'ascii'), cipher.final(), cipher.getAuthTag()]);
}

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
  const bytes = Buffer.from(encrypted);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.secret, bytes.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(owner))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString(
      'ascii',
    );
  } catch (error) {
    throw new ProductKeyUnreadable(
      `${owner} does not open with the key "${keyId}": its row was changed, or the key is another one`,
      { cause: error },
    );
  }
}
