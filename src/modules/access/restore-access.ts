import { sql } from 'kysely';
import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { nameKey } from '../../auth/revocations.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { isProblem, Problem } from '../../domain/problem.js';
import { findUser, User, type UserReference, UserUnknown } from './find-user.js';
import type { AccessChanged } from './revoke-access.js';

/** There is nothing to give back. */
export class AccessNotRevoked extends Problem {
  readonly code = 'ACCESS_NOT_REVOKED';
  readonly message = 'The access of this user is not revoked, so there is nothing to give back.';
}

export interface RestoreAccess extends UserReference {
  reason: string | null;
}

/** Gives a user's access back: their tokens count again. What they had made stays dead. */
export async function restoreAccess(
  { em, viewer, correlationId, now }: UnitOfWork,
  { reason, ...reference }: RestoreAccess,
): Promise<AccessChanged | Problem> {
  const found = await findUser(em, reference);
  const name = reference.userPrincipalName?.toLowerCase();
  // Who was revoked by mere name, before identities were kept, may never have come since.
  const isOnlyNamed = found instanceof UserUnknown && name !== undefined && reference.objectId === null;
  if (isProblem(found) && !isOnlyNamed) return found;
  const user = isProblem(found) ? new User({ userPrincipalName: name as string }) : found.user;
  // A revocation by mere name is of whoever comes under it: it is lifted by that name only.
  const keys = [...(isProblem(found) ? [] : [found.identity.key]), ...(name === undefined ? [] : [nameKey(name)])];
  const { rows } = await sql<{ revision: string | number }>`update "access_revocations"
    set "restored_at" = ${now}, "restored_by" = ${viewer.userPrincipalName}, "revision" = next_access_revision()
    where "identity" in (${sql.join(keys)}) and "restored_at" is null returning "revision"`.execute(em.getKysely());
  if (rows.length === 0) return isProblem(found) ? found : new AccessNotRevoked();
  const { userPrincipalName, objectId } = user;
  recordActivity(em, {
    action: 'ACCESS_RESTORED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: null,
    resource: { type: 'USER', id: isProblem(found) ? userPrincipalName : found.identity.key, label: userPrincipalName },
    correlationId,
    detail: { userPrincipalName, objectId, reason },
  });
  return { user, at: now, revision: Math.max(...rows.map((row) => Number(row.revision))) };
}
