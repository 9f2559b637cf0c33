import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { newId } from '../../domain/ids.js';
import type { SentFile } from './judge-file.js';
import { SupportFile, SupportRequest } from './support-request.entity.js';

/** Largest file, and most files of one request (rule 21). */
export const MAXIMUM_FILE_BYTES = 10 * 1024 * 1024;
export const MAXIMUM_FILES = 10;

/** A file whose digest was made while it came. */
export interface ReceivedFile extends SentFile {
  /** SHA-256 in hexadecimal. */
  sha256: string;
}

/** Who uploads a file: whoever made the address for it. */
export interface Uploader {
  userPrincipalName: string;
  role: string | null;
  /** Key of the identity. */
  identity: string | null;
}

/** What is told of a file that was attached; its size in bytes. */
export type AttachedFile = Pick<SupportFile, 'name' | 'contentType' | 'size' | 'sha256'>;

/** Whether a request can have another file: it is there, and has fewer than it may. What is sent is not read before. */
export async function hasPlace(em: Em, supportRequestId: string): Promise<boolean> {
  if ((await em.count(SupportRequest, { id: supportRequestId })) === 0) return false;
  return (await em.count(SupportFile, { supportRequest: supportRequestId })) < MAXIMUM_FILES;
}

/** How many more files a request may have, of one that is gone none. Nobody else attaches any before the transaction ends. */
export async function lockPlaces(em: Em, supportRequestId: string): Promise<number> {
  // Two uploads at once wait for each other: both counting first would let in twice as many.
  const lockMode = inLockOrder(em, 'SUPPORT_REQUEST');
  const request = await em.findOne(SupportRequest, { id: supportRequestId }, { lockMode });
  return request ? MAXIMUM_FILES - (await em.count(SupportFile, { supportRequest: request })) : 0;
}

/** Attaches a file to a request that has a place for it. */
export async function attachFile(
  em: Em,
  supportRequestId: string,
  { name, contentType, content, sha256 }: ReceivedFile,
  uploader: Uploader,
  now: Date,
): Promise<AttachedFile> {
  const told = { name, contentType, size: content.length, sha256 };
  // No entity is made of it: that would hold the content until the transaction ends, once more for its comparison.
  await em.insert(SupportFile, {
    id: newId(),
    supportRequest: supportRequestId,
    ...told,
    content,
    uploadedAt: now,
    uploadedBy: uploader.userPrincipalName || null,
    uploadedByRole: uploader.role,
    uploadedByIdentity: uploader.identity,
  });
  return told;
}
