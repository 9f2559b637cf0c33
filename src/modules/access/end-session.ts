import { raw } from '@mikro-orm/core';
import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { identityOf } from '../../auth/identity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { Problem } from '../../domain/problem.js';
import { Session } from './access.entity.js';
import { User } from './find-user.js';

/** There is no such session, or it is over already. */
export class SessionNotFound extends Problem {
  readonly code = 'SESSION_NOT_FOUND';
  readonly message = 'There is no such session; perhaps it is over already. List those that are open with sessions.';
}

/**
 * Has a session cut by the process that has it, and writes that down. Its user may come again, unless their access is
 * revoked too.
 */
export async function endSession(unit: UnitOfWork, sessionId: string): Promise<{ user: User } | Problem> {
  const { em, viewer, now, correlationId } = unit;
  const session = await em.findOne(Session, {
    id: sessionId,
    process: { aliveUntil: { $gt: raw('clock_timestamp()') } },
  });
  if (!session) return new SessionNotFound();
  session.endRequestedAt = now;
  const { userPrincipalName, issuer, tenantId, objectId, transport } = session;
  const identity = issuer && objectId ? identityOf({ issuer, tenantId: tenantId ?? null, objectId }) : null;
  recordActivity(em, {
    action: 'SESSION_ENDED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: null,
    resource: { type: 'USER', id: identity?.key ?? userPrincipalName, label: userPrincipalName },
    correlationId,
    detail: { userPrincipalName, objectId: objectId ?? null, transport },
  });
  return { user: new User(session) };
}
