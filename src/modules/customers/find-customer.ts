import { tenantScope, type Viewer } from '../../auth/viewer.js';
import type { Em } from '../../database/orm.js';
import { Problem } from '../../domain/problem.js';
import { Customer } from './customer.entity.js';

/** There is no such customer, or it is not the viewer's: both look the same. */
export class CustomerNotFound extends Problem {
  readonly code = 'CUSTOMER_NOT_FOUND';
  readonly message = 'There is no such customer. Find it with customers or customer(by:).';
}

/** Whether the viewer may reach a customer's rows. */
export function reaches(viewer: Viewer, customer: Pick<Customer, 'tenantId'>): boolean {
  const tenantId = tenantScope(viewer);
  return tenantId === null || customer.tenantId === tenantId;
}

/** The customer, if the viewer may reach it. */
export async function findCustomer(em: Em, viewer: Viewer, id: string): Promise<Customer | null> {
  const customer = await em.findOne(Customer, { id });
  return customer && reaches(viewer, customer) ? customer : null;
}
