import { ActivityEntry } from '../../activity-log/activity-entry.entity.js';
import { recordActivity } from '../../activity-log/record-activity.js';
import { identityOf } from '../../auth/identity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import type { Em } from '../../database/orm.js';

/** How long the same attempts of somebody are joined. */
export const JOINED_MS = 10 * 60_000;
/** How often windows that are over are looked for. */
export const CLOSE_SECONDS = 30;
/** Windows closed in one transaction. */
const AT_ONCE = 100;

/** An attempt that was refused. */
export interface Attempt {
  operation: string;
  entitlementId: string;
  reason: string;
  /** Id of its entry, where it gets one. */
  entryId: string;
}

/**
 * Joins an attempt to the same ones of its user in the window that runs: nobody fills the log by trying again.
 * @returns whether it is the first, which has an entry of its own
 */
export async function joinAttempt({ em, viewer, now }: UnitOfWork, attempt: Attempt): Promise<boolean> {
  const { operation, entitlementId, reason, entryId } = attempt;
  const [joined] = await em.execute<{ attempts: number }[]>(
    `insert into "refused_attempts" ("identity", "operation", "entitlement_id", "reason", "entry_id", "first_at") values (?, ?, ?, ?, ?, ?)
     on conflict ("identity", "operation", "entitlement_id", "reason") do update set "attempts" = "refused_attempts"."attempts" + 1
     returning "attempts"`,
    [viewer.identity?.key ?? '', operation, entitlementId, reason, entryId, now],
  );
  return joined?.attempts === 1;
}

/** Writes down, for windows that are over, how often the same was tried after the first time; once for each. */
export async function closeAttempts(em: Em, now: Date): Promise<void> {
  const closed = await em.execute<{ entry_id: string; attempts: number }[]>(
    `delete from "refused_attempts" where ("identity", "operation", "entitlement_id", "reason") in
       (select "identity", "operation", "entitlement_id", "reason" from "refused_attempts"
        where "first_at" <= ? order by "first_at" limit ${AT_ONCE} for update skip locked)
     returning "entry_id", "attempts"`,
    [new Date(now.getTime() - JOINED_MS)],
  );
  for (const { entry_id: id, attempts } of closed) {
    if (attempts === 1) continue;
    const first = await em.findOneOrFail(ActivityEntry, { id });
    const { actor, actorRole, application, actorIssuer, actorTenantId, actorObjectId } = first;
    const { operation, reason } = first.detail as { operation: string; reason: string };
    recordActivity(em, {
      action: 'ACCESS_DENIED',
      outcome: 'DENIED',
      actor: {
        identity:
          actorIssuer && actorObjectId
            ? identityOf({ issuer: actorIssuer, tenantId: actorTenantId ?? null, objectId: actorObjectId })
            : null,
        userPrincipalName: actor,
        role: actorRole,
        application: application ?? null,
      },
      customerId: first.customerId ?? null,
      productIds: first.productIds,
      resource: { type: 'ENTITLEMENT', id: first.resourceId, label: first.resourceLabel },
      correlationId: first.correlationId,
      detail: { operation, reason, attempts: attempts - 1 },
    });
  }
}
