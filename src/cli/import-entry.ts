import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { ActivityDetails } from '../activity-log/activity-detail.js';
import { recordActivity } from '../activity-log/record-activity.js';
import type { Em, Orm } from '../database/orm.js';
import type { ImportKind } from '../domain/import-kind.js';
import { operatorOf } from './operator.js';

/** How many rows a file had, and what became of what they are about. */
export type ImportCounts = Omit<ActivityDetails['FILE_IMPORTED'], 'importKind' | 'sha256'>;

/** Writes down, in the transaction that keeps a file, who imported it; nothing where that changes nothing. */
export interface ImportEntry {
  record(em: Em, importKind: ImportKind, counts: ImportCounts): void;
  /** The same in a transaction that has no entity manager. */
  recordIn(orm: Orm, transaction: unknown, importKind: ImportKind, counts: ImportCounts): Promise<void>;
}

/**
 * The entry of a file that is about to be imported; its bytes are hashed now.
 * @param command such as `npm run import:keys`
 * @param text what stands for a file that there is none of, and its name
 */
export async function importEntryOf(
  command: string,
  file: string | { name: string; text: string },
): Promise<ImportEntry> {
  const label = typeof file === 'string' ? basename(file) : file.name;
  const sha256 = typeof file === 'string' ? await hashOf(file) : createHash('sha256').update(file.text).digest('hex');
  const record: ImportEntry['record'] = (em, importKind, counts) => {
    // The same file again changes nothing, and nobody needs to hear of it.
    if (counts.added + counts.changed + counts.removed === 0) return;
    recordActivity(em, {
      action: 'FILE_IMPORTED',
      outcome: 'SUCCEEDED',
      actor: operatorOf(command),
      customerId: null,
      resource: { type: 'FILE', id: sha256, label },
      correlationId: randomUUID(),
      detail: { importKind, sha256, ...counts },
    });
  };
  return {
    record,
    recordIn: async (orm, transaction, importKind, counts) => {
      const em = orm.em.fork();
      em.setTransactionContext(transaction as never);
      record(em, importKind, counts);
      await em.flush();
    },
  };
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
