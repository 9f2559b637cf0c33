import { type AccessRule, reachable } from '../../auth/access-rule.js';
import type { Viewer } from '../../auth/viewer.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { Problem } from '../../domain/problem.js';
import { Order } from './order.entity.js';

/** There is no such order, or it is not the viewer's: both look the same. */
export class OrderNotFound extends Problem {
  readonly code = 'ORDER_NOT_FOUND';
  readonly message = 'There is no such order. Find it with orders or order(by:).';
}

/**
 * The order, if the viewer may use the rule's field on it. Locked, where asked: every use case on an order takes this lock
 * first, so two of them wait for each other instead of acting on the same lines (rule 19).
 */
export async function findOrder(
  em: Em,
  viewer: Viewer,
  id: string,
  rule: AccessRule,
  lock = false,
): Promise<Order | null> {
  const reached = reachable(rule, viewer);
  const order = reached && (await em.findOne(Order, { id, ...reached }, { populate: ['customer'] }));
  if (order && lock) await em.refresh(order, { lockMode: inLockOrder(em, 'ORDER') });
  return order;
}
