import { LockMode } from '@mikro-orm/core';
import type { Viewer } from '../../auth/viewer.js';
import type { Em } from '../../database/orm.js';
import { Problem } from '../../domain/problem.js';
import { reaches } from '../customers/find-customer.js';
import { Order } from './order.entity.js';

/** There is no such order, or it is not the viewer's: both look the same. */
export class OrderNotFound extends Problem {
  readonly code = 'ORDER_NOT_FOUND';
  readonly message = 'There is no such order. Find it with orders or order(by:).';
}

/**
 * The order, if the viewer may reach it. Locked, where asked: every use case on an order takes this lock first, so two of
 * them wait for each other instead of acting on the same lines (rule 19).
 */
export async function findOrder(em: Em, viewer: Viewer, id: string, lock = false): Promise<Order | null> {
  if (lock) await em.findOne(Order, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
  const order = await em.findOne(Order, { id }, { populate: ['customer'] });
  return order && reaches(viewer, order.customer) ? order : null;
}
