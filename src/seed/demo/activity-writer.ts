import type { ResourceType } from '../../activity-log/activity-action.js';
import type { Activity } from '../../activity-log/record-activity.js';
import { type NodeType, toGlobalId } from '../../domain/global-id.js';
import type { RowTarget } from './insert-rows.js';
import { demoId } from './numbers.js';

/** The log names resources by global id; a download link by that of its entitlement, a user by name. */
const nodeTypes: Partial<Record<ResourceType, NodeType>> = {
  ORDER: 'Order',
  ENTITLEMENT: 'Entitlement',
  DOWNLOAD_LINK: 'Entitlement',
  SUPPORT_REQUEST: 'SupportRequest',
};

/**
 * Writes activity entries of the past. They are staged and reach the log by time when the load ends: the log's order is
 * that of insertion, and orders overlap in time.
 */
export class ActivityWriter {
  /** How many entries were written by this load. */
  written = 0;

  /** @param first how many entries the log has already */
  constructor(private readonly first: number) {}

  /** Writes what was done at an instant. */
  write({ batch, seed }: RowTarget, at: Date, activity: Activity): void {
    const nodeType = nodeTypes[activity.resource.type];
    const place = this.first + this.written;
    this.written += 1;
    batch.add('staged_activity', {
      place,
      id: demoId(seed, `activity/${place}`),
      at: at.toISOString(),
      action: activity.action,
      outcome: activity.outcome,
      actor: activity.actor.userPrincipalName,
      actor_role: activity.actor.role,
      application: activity.actor.application,
      actor_issuer: activity.actor.identity?.issuer ?? null,
      actor_tenant_id: activity.actor.identity?.tenantId ?? null,
      actor_object_id: activity.actor.identity?.objectId ?? null,
      customer_id: activity.customerId,
      order_id: activity.orderId ?? null,
      product_ids: activity.productIds ?? [],
      resource_type: activity.resource.type,
      resource_id: nodeType ? toGlobalId(nodeType, activity.resource.id) : activity.resource.id,
      resource_label: activity.resource.label,
      correlation_id: activity.correlationId,
      detail: activity.detail,
    });
  }

  /** The id that ties together what one request did: that of the entry to be written next. */
  nextCorrelationId({ seed }: RowTarget): string {
    return demoId(seed, `correlation/${this.first + this.written}`);
  }
}
