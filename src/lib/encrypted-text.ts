import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key that texts are encrypted with at rest, with the id under which it is found again. */
export interface EncryptionKey {
  keyId: string;
  /** 32 bytes. */
  secret: Uint8Array;
}

/** Encrypts with AES-256-GCM. `owner` is bound in: a row moved elsewhere does not open. */
export function encryptText(text: string, encryption: EncryptionKey, owner: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', encryption.secret, nonce).setAAD(Buffer.from(owner));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts what `encryptText` made. @throws Error where the key is another one, or the bytes were tampered with */
export function decryptText(encrypted: Uint8Array, { secret }: EncryptionKey, owner: string): string {
  const bytes = Buffer.from(encrypted);
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(owner))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
}
