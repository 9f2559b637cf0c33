import { type AccessRule, reachable } from '../../auth/access-rule.js';
import type { Viewer } from '../../auth/viewer.js';
import type { Em } from '../../database/orm.js';
import { Problem } from '../../domain/problem.js';
import { Customer } from './customer.entity.js';

/** There is no such customer, or it is not the viewer's: both look the same. */
export class CustomerNotFound extends Problem {
  readonly code = 'CUSTOMER_NOT_FOUND';
  readonly message = 'There is no such customer. Find it with customers or customer(by:).';
}

/** The customer, if the viewer may use the rule's field on its behalf. */
export async function findCustomer(em: Em, viewer: Viewer, id: string, rule: AccessRule): Promise<Customer | null> {
  const reached = reachable(rule, viewer);
  return reached && em.findOne(Customer, { id, ...reached });
}
