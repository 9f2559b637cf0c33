import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { holdOff } from '../../context/admission.js';
import { askClock, type Clock } from '../../context/clock.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { isProblem, Problem } from '../../domain/problem.js';
import { findUser, type User, type UserReference } from './find-user.js';

/** Nobody locks themselves out by mistake. */
export class OwnAccessNotRevocable extends Problem {
  readonly code = 'OWN_ACCESS_NOT_REVOCABLE';
  readonly message = 'You cannot revoke your own access. Ask another GLOBAL_ADMIN.';
}

export interface RevokeAccess extends UserReference {
  reason: string | null;
}

/** A change of access that was made: every process must know it before the caller is answered. */
export interface AccessChanged {
  user: User;
  at: Date;
  /** As in `AccessChange.revision`. */
  revision: number;
}

/**
 * Takes a user's access away, with any token, until it is given back. Waits for what they are doing, so that nothing of
 * theirs is committed after the entry. What they made up to now, links and upload addresses, stays dead.
 * @param clock tells the time once nothing of theirs is under way
 */
export async function revokeAccess(
  { em, viewer, correlationId }: UnitOfWork,
  { reason, ...reference }: RevokeAccess,
  clock: Clock,
): Promise<AccessChanged | Problem> {
  const found = await findUser(em, reference);
  if (isProblem(found)) return found;
  const { identity, user } = found;
  if (identity.key === viewer.identity?.key) return new OwnAccessNotRevocable();
  await holdOff(em, identity.key);
  const at = await askClock(em, clock);
  const [row] = await em.execute<[{ revision: string | number }]>(
    `insert into "access_revocations" ("identity", "user_principal_name", "revoked_at", "revoked_by", "reason")
      values (?, ?, ?, ?, ?)
      on conflict ("identity") do update set "user_principal_name" = excluded."user_principal_name",
        "revoked_at" = excluded."revoked_at", "revoked_by" = excluded."revoked_by", "reason" = excluded."reason",
        "restored_at" = null, "restored_by" = null, "revision" = next_access_revision()
      returning "revision"`,
    [identity.key, user.userPrincipalName, at, viewer.userPrincipalName, reason],
  );
  recordActivity(em, {
    action: 'ACCESS_REVOKED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: null,
    resource: { type: 'USER', id: identity.key, label: user.userPrincipalName },
    correlationId,
    detail: { userPrincipalName: user.userPrincipalName, objectId: user.objectId, reason },
  });
  return { user, at, revision: Number(row.revision) };
}
