import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { Problem } from '../../domain/problem.js';
import { AccessRevocation } from './access.entity.js';

/** Nobody locks themselves out by mistake. */
export class OwnAccessNotRevocable extends Problem {
  readonly code = 'OWN_ACCESS_NOT_REVOCABLE';
  readonly message = 'You cannot revoke your own access. Ask another GLOBAL_ADMIN.';
}

export interface RevokeAccess {
  userPrincipalName: string;
  reason: string | null;
}

/**
 * Voids every token of a user that was issued until now, and so ends their live streams: nothing committed after the
 * entry is delivered to them. A token issued later counts again.
 */
export async function revokeAccess(
  unit: UnitOfWork,
  input: RevokeAccess,
): Promise<{ userPrincipalName: string; revokedAt: Date } | Problem> {
  const { em, viewer, now, correlationId } = unit;
  const userPrincipalName = input.userPrincipalName.toLowerCase();
  if (userPrincipalName === viewer.userPrincipalName) return new OwnAccessNotRevocable();
  const revocation = { userPrincipalName, revokedAt: now, revokedBy: viewer.userPrincipalName, reason: input.reason };
  await em.upsert(AccessRevocation, revocation);
  recordActivity(em, {
    action: 'ACCESS_REVOKED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: null,
    resource: { type: 'USER', id: userPrincipalName, label: userPrincipalName },
    correlationId,
    detail: { userPrincipalName, reason: input.reason },
  });
  return { userPrincipalName, revokedAt: now };
}
