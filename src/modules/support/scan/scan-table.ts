import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { recordActivity } from '../../../activity-log/record-activity.js';
import { parseIdentity } from '../../../auth/identity.js';
import type { Em } from '../../../database/orm.js';
import { toGlobalId } from '../../../domain/global-id.js';
import { ScanVerdict, SupportFile } from '../support-request.entity.js';
import type { Finding, ScannedFile } from './ask-scanner.js';

/** A file that this process has taken to have it judged. */
export interface ClaimedFile extends ScannedFile {
  id: string;
  attempts: number;
}

/**
 * Takes a file that nobody has judged, the longest waiting one; null where there is none. For a while no other process
 * takes it: if this one dies, it is taken again then.
 * @param leaseMs milliseconds for which it is this process's
 */
export async function claimFile(em: Em, leaseMs: number): Promise<ClaimedFile | null> {
  const { rows } = await sql<ClaimedFile>`
    update support_files set scan_attempts = scan_attempts + 1,
      scan_due_at = clock_timestamp() + ${leaseMs}::int * interval '1 millisecond'
    where id = (
      select id from support_files where scan_verdict is null and scan_due_at <= clock_timestamp()
      order by scan_due_at limit 1 for update skip locked
    )
    returning id, name, content_type as "contentType", sha256, content, scan_attempts as attempts
  `.execute(em.getKysely());
  const file = rows[0];
  return file ? { ...file, content: Buffer.from(file.content) } : null;
}

/** Puts a file off that could not be judged. @param pauseMs milliseconds until it is tried again */
export async function putOff(em: Em, id: string, pauseMs: number): Promise<void> {
  await sql`
    update support_files set scan_due_at = clock_timestamp() + ${pauseMs}::int * interval '1 millisecond'
    where id = ${id} and scan_verdict is null
  `.execute(em.getKysely());
}

/** Keeps what was found of a file, once. A refusal is an entry of the log, in the name of whoever uploaded it. */
export async function settleScan(em: Em, id: string, finding: Finding, now: Date): Promise<void> {
  const reason = finding.verdict === ScanVerdict.REFUSED ? finding.reason : null;
  const settled = await em.nativeUpdate(
    SupportFile,
    { id, scanVerdict: null },
    { scanVerdict: finding.verdict, scanReason: reason, scannedAt: now },
  );
  if (settled === 0 || reason === null) return;
  const file = await em.findOneOrFail(SupportFile, { id }, { populate: ['supportRequest'] });
  const request = file.supportRequest;
  recordActivity(em, {
    action: 'SUPPORT_FILE_REFUSED',
    outcome: 'FAILED',
    actor: {
      identity: parseIdentity(file.uploadedByIdentity ?? null),
      userPrincipalName: file.uploadedBy ?? request.submittedBy,
      role: file.uploadedByRole ?? 'ANONYMOUS',
      application: 'file scan',
    },
    customerId: request.customer.id,
    orderId: request.order?.id ?? null,
    resource: { type: 'SUPPORT_REQUEST', id: toGlobalId('SupportRequest', request.id), label: request.number },
    correlationId: randomUUID(),
    detail: {
      supportRequestNumber: request.number,
      fileName: file.name,
      sha256: file.sha256,
      refusalReason: reason,
    },
  });
}
