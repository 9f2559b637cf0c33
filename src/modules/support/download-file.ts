import { sql } from 'kysely';
import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { reachable } from '../../auth/access-rule.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { supportRequestAccess } from './support-request.access.js';
import { SupportFile } from './support-request.entity.js';

/** The file, if the viewer reaches it; without its content. */
export async function findSupportFile({ em, viewer }: UnitOfWork, id: string): Promise<SupportFile | null> {
  const reached = reachable(supportRequestAccess.SupportFile, viewer);
  return reached && em.findOne(SupportFile, { id, ...reached }, { populate: ['supportRequest'] });
}

/** Writes down that somebody downloads a file, or a part of it (rule 21). Its content follows once this is committed. */
export function recordFileDownload({ em, viewer, correlationId }: UnitOfWork, file: SupportFile): void {
  const { supportRequest: request, name, sha256 } = file;
  recordActivity(em, {
    action: 'SUPPORT_FILE_DOWNLOADED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: request.customer.id,
    orderId: request.order?.id ?? null,
    resource: { type: 'SUPPORT_REQUEST', id: toGlobalId('SupportRequest', request.id), label: request.number },
    correlationId,
    detail: { supportRequestNumber: request.number, fileName: name, sha256 },
  });
}

/** Bytes that are read out of the database at a time: less than a millisecond of the event loop. */
const PIECE_BYTES = 64 * 1024;

/**
 * The bytes of a file from one place to another, both included, a piece at a time.
 * @param inTurn reads a piece when it may be read
 */
export async function* contentOf(
  database: Parameters<ReturnType<typeof sql<{ piece: Buffer }>>['execute']>[0],
  id: string,
  { start, end }: { start: number; end: number },
  inTurn: <Result>(read: () => Promise<Result>) => Promise<Result>,
): AsyncGenerator<Buffer> {
  for (let at = start; at <= end; at += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, end - at + 1);
    const statement = sql<{ piece: Buffer }>`
      select substring(content from ${at + 1}::int for ${length}::int) as piece from support_files where id = ${id}
    `;
    const { rows } = await inTurn(() => statement.execute(database));
    const piece = rows[0] && Buffer.from(rows[0].piece);
    if (piece?.length !== length) throw new Error(`file ${id} is shorter than it says`);
    yield piece;
  }
}
