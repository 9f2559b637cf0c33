import type { Identity } from '../auth/identity.js';
import { actingRole, type Viewer } from '../auth/viewer.js';
import type { Em } from '../database/orm.js';
import { insert } from '../database/writes.js';
import { newId } from '../domain/ids.js';
import type { ActivityAction, ActivityOutcome, ResourceType } from './activity-action.js';
import type { ActivityDetails } from './activity-detail.js';
import { ActivityEntry } from './activity-entry.entity.js';

/** Who acts: a viewer, or fulfilment on behalf of one. */
export interface Actor {
  /** Null for what was begun before identities were kept. */
  identity: Identity | null;
  userPrincipalName: string;
  role: string;
  application: string | null;
}

/** The viewer as an actor. */
export function actorOf(viewer: Viewer): Actor {
  const { identity, userPrincipalName, application } = viewer;
  return { identity, userPrincipalName, role: actingRole(viewer), application };
}

/** One entry to write; `detail` has the shape of its action. */
export type Activity = {
  [Action in ActivityAction]: {
    /** A new one where it is left out. */
    id?: string;
    action: Action;
    outcome: ActivityOutcome;
    actor: Actor;
    customerId: string | null;
    orderId?: string | null;
    /** Catalog product ids (`DG7GMGF0FKZV`). */
    productIds?: string[];
    resource: { type: ResourceType; id: string; label: string };
    correlationId: string;
    detail: ActivityDetails[Action];
  };
}[ActivityAction];

/**
 * Writes an entry (rule 22): the one way to do so. It goes into the caller's transaction: if it cannot be written, the
 * use case fails; if that is rolled back, nobody hears of it.
 */
export function recordActivity(em: Em, activity: Activity): void {
  insert(em, ActivityEntry, {
    id: activity.id ?? newId(),
    action: activity.action,
    outcome: activity.outcome,
    actor: activity.actor.userPrincipalName,
    actorRole: activity.actor.role,
    application: activity.actor.application,
    actorIssuer: activity.actor.identity?.issuer ?? null,
    actorTenantId: activity.actor.identity?.tenantId ?? null,
    actorObjectId: activity.actor.identity?.objectId ?? null,
    customerId: activity.customerId,
    orderId: activity.orderId ?? null,
    productIds: activity.productIds ?? [],
    resourceType: activity.resource.type,
    resourceId: activity.resource.id,
    resourceLabel: activity.resource.label,
    correlationId: activity.correlationId,
    detail: activity.detail,
  });
}
