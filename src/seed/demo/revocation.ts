import { nameKey } from '../../auth/revocations.js';
import type { Demo } from './demo.js';
import { departed, globalAdmin } from './people.js';

const DAY_MS = 86_400_000;

/** Somebody left the partner half a year ago: their access was revoked. */
export function generateRevocation(demo: Demo): void {
  const revokedAt = new Date(demo.now.getTime() - 180 * DAY_MS);
  const reason = 'Left the company';
  const { userPrincipalName } = departed;
  demo.batch.add('access_revocations', {
    // A name, no identity: demo tokens are of whichever tenant is set to be the partner's.
    identity: nameKey(userPrincipalName),
    user_principal_name: userPrincipalName,
    revoked_at: revokedAt.toISOString(),
    revoked_by: globalAdmin.userPrincipalName,
    reason,
  });
  demo.activity.write(demo, revokedAt, {
    action: 'ACCESS_REVOKED',
    outcome: 'SUCCEEDED',
    actor: globalAdmin,
    customerId: null,
    resource: { type: 'USER', id: departed.identity?.key ?? userPrincipalName, label: userPrincipalName },
    correlationId: demo.activity.nextCorrelationId(demo),
    detail: { userPrincipalName, objectId: departed.identity?.objectId ?? null, reason },
  });
}
