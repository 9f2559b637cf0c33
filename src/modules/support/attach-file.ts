import { createHash } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import type { Em } from '../../database/orm.js';
import { newId } from '../../domain/ids.js';
import type { SentFile } from './judge-file.js';
import { SupportFile, SupportRequest } from './support-request.entity.js';

/** Largest file, and most files of one request (rule 21). */
export const MAXIMUM_FILE_BYTES = 10 * 1024 * 1024;
export const MAXIMUM_FILES = 10;

/** Whether a request can have another file: it is there, and has fewer than it may. What is sent is not read before. */
export async function hasPlace(em: Em, supportRequestId: string): Promise<boolean> {
  if ((await em.count(SupportRequest, { id: supportRequestId })) === 0) return false;
  return (await em.count(SupportFile, { supportRequest: supportRequestId })) < MAXIMUM_FILES;
}

/** Attaches a file. Answers null where the request has as many as it may, or is gone. */
export async function attachFile(
  em: Em,
  supportRequestId: string,
  file: SentFile,
  now: Date,
): Promise<SupportFile | null> {
  // Two uploads at once wait for each other: both counting first would let in twice as many.
  const request = await em.findOne(SupportRequest, { id: supportRequestId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!request || (await em.count(SupportFile, { supportRequest: request })) >= MAXIMUM_FILES) return null;
  const attached = em.create(SupportFile, {
    id: newId(),
    supportRequest: request,
    name: file.name,
    contentType: file.contentType,
    size: file.content.length,
    sha256: createHash('sha256').update(file.content).digest('hex'),
    content: file.content,
    uploadedAt: now,
  });
  em.persist(attached);
  return attached;
}
