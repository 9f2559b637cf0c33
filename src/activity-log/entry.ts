import type { ActivityAction } from './activity-action.js';
import type { Position } from './position.js';

/** What the feed holds of an entry: enough to filter it and to find the rest. */
export interface FeedEntry extends Position {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  action: ActivityAction;
  actor: string;
  actorRole: string;
  /** Tenant of who acted; null in entries from before identities were kept. */
  actorTenantId: string | null;
  /** `oid` or `sub` of who acted; null in entries from before identities were kept. */
  actorObjectId: string | null;
  customerId: string | null;
  orderId: string | null;
  productIds: readonly string[];
  /** The cancellation, for the CANCELLATION_ actions. */
  cancellationId: string | null;
}
