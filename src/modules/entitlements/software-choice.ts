import type { FilterQuery } from '@mikro-orm/core';
import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { reachable } from '../../auth/access-rule.js';
import { actingRole } from '../../auth/viewer.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { inLockOrder } from '../../database/lock-order.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId } from '../../domain/ids.js';
import { Problem } from '../../domain/problem.js';
import { SoftwareVersion } from '../catalog/catalog.entity.js';
import { Order } from '../orders/order.entity.js';
import { OrderLineStatus } from '../orders/order-status.js';
import { entitlementAccess } from './entitlement.access.js';
import { Entitlement } from './entitlement.entity.js';
import { joinAttempt } from './refused-attempts.js';

/** There is no such entitlement, or it is not the viewer's: both look the same. */
export class EntitlementNotFound extends Problem {
  readonly code = 'ENTITLEMENT_NOT_FOUND';
  readonly message = 'There is no such entitlement. Find it with software.';
}

/** Rule 18: it was cancelled. */
export class EntitlementRevoked extends Problem {
  readonly code = 'ENTITLEMENT_REVOKED';
  readonly message: string;
  constructor(readonly revokedAt: Date) {
    super();
    this.message = `The purchase was cancelled or refused on ${revokedAt.toISOString()}: its keys and links are dead.`;
  }
}

/** Rules 4 and 17: its purchase, or its cancellation, waits for the provider. */
export class EntitlementPending extends Problem {
  readonly code = 'ENTITLEMENT_PENDING';
  readonly message: string;
  constructor(waitsFor: 'purchase' | 'cancellation') {
    super();
    this.message =
      waitsFor === 'purchase'
        ? 'The purchase waits for the provider to confirm it. Its keys and downloads can be had once it is ACTIVE.'
        : 'The purchase is being cancelled: there are no keys and no links any more, unless the provider refuses to cancel.';
  }
}

/** Its term is over. */
export class EntitlementExpired extends Problem {
  readonly code = 'ENTITLEMENT_EXPIRED';
  readonly message: string;
  constructor(readonly expiredAt: Date) {
    super();
    this.message = `The term was over on ${expiredAt.toISOString()}. Buy the software again.`;
  }
}

/** Rule 25: a reservation or plan has no keys and no downloads. */
export class SoftwareNotOffered extends Problem {
  readonly code = 'SOFTWARE_NOT_OFFERED';
  readonly message = 'This purchase comes without software: it has no keys and no downloads.';
}

/** Rule 7: the SKU does not offer this version, language or architecture. */
export class SoftwareChoiceNotOffered extends Problem {
  readonly code = 'SOFTWARE_CHOICE_NOT_OFFERED';
  readonly message: string;
  constructor(
    readonly field: 'version' | 'language' | 'architecture',
    readonly offered: string[],
  ) {
    super();
    this.message = `This ${field} is not offered. Choose one of: ${offered.join(', ')}.`;
  }
}

/** Notes that somebody tried without the right to (rule 9); what is tried again and again is joined. */
export async function recordDenied(
  unit: UnitOfWork,
  operation: string,
  entitlementId: string,
  reason: string,
  entitlement: Entitlement | null,
): Promise<void> {
  const id = newId();
  if (!(await joinAttempt(unit, { operation, entitlementId, reason, entryId: id }))) return;
  recordActivity(unit.em, {
    id,
    action: 'ACCESS_DENIED',
    outcome: 'DENIED',
    actor: actorOf(unit.viewer),
    customerId: entitlement?.customer.id ?? null,
    resource: {
      type: 'ENTITLEMENT',
      id: toGlobalId('Entitlement', entitlementId),
      label: entitlement?.sku.title ?? 'unknown',
    },
    productIds: entitlement ? [entitlement.sku.product.productId] : [],
    correlationId: unit.correlationId,
    detail: { operation, reason, attempts: 1 },
  });
}

/** Writes down an attempt that the roles alone refuse (rule 9). */
export async function recordRoleDenied(unit: UnitOfWork, operation: string, entitlementId: string): Promise<void> {
  const entitlement = await load(unit, { id: entitlementId });
  await recordDenied(unit, operation, entitlementId, `role ${actingRole(unit.viewer)} may not`, entitlement);
}

/**
 * The entitlement and the version chosen, if the viewer may have software of it now (rules 7 and 9). Its order is locked
 * until the transaction ends, as by fulfilment. An attempt at somebody else's is written down, and answered as if there
 * were none.
 */
export async function chooseSoftware(
  unit: UnitOfWork,
  operation: 'revealProductKey' | 'createDownloadLink',
  entitlementId: string,
  version: string,
): Promise<{ entitlement: Entitlement; offered: SoftwareVersion } | Problem> {
  const { em, viewer, now } = unit;
  const reached = reachable(entitlementAccess[`Mutation.${operation}`], viewer);
  const entitlement = reached && (await load(unit, { id: entitlementId, ...reached }));
  if (!entitlement) {
    const hidden = await load(unit, { id: entitlementId });
    await recordDenied(unit, operation, entitlementId, hidden ? 'another tenant' : 'no such entitlement', hidden);
    return new EntitlementNotFound();
  }
  // Waits for whoever is confirming its cancellation or making its first key, and sees what they did.
  await em.findOneOrFail(Order, { id: entitlement.orderLine.order.id }, { lockMode: inLockOrder(em, 'ORDER') });
  await em.refresh(entitlement, { populate: ['orderLine'], strategy: 'joined' });
  if (entitlement.status === 'PENDING') return new EntitlementPending('purchase');
  if (entitlement.status === 'REVOKED') return new EntitlementRevoked(entitlement.revokedAt as Date);
  if (entitlement.orderLine.status === OrderLineStatus.CANCELLATION_PENDING)
    return new EntitlementPending('cancellation');
  if (entitlement.expiresAt && entitlement.expiresAt <= now) return new EntitlementExpired(entitlement.expiresAt);
  const versions = await em.find(SoftwareVersion, { sku: entitlement.sku }, { orderBy: { position: 'asc' } });
  if (versions.length === 0) return new SoftwareNotOffered();
  const offered = versions.find((candidate) => candidate.version === version);
  return offered
    ? { entitlement, offered }
    : new SoftwareChoiceNotOffered(
        'version',
        versions.map((candidate) => candidate.version),
      );
}

/** One statement, whether there is such an entitlement or not: what is found takes no more of them than what is not. */
function load({ em }: UnitOfWork, where: FilterQuery<Entitlement>): Promise<Entitlement | null> {
  return em.findOne(Entitlement, where, { populate: ['customer', 'sku.product', 'orderLine'], strategy: 'joined' });
}
