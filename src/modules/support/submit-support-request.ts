import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId, newSupportRequestNumber } from '../../domain/ids.js';
import { formatAmount, type Money } from '../../domain/money.js';
import type { Problem } from '../../domain/problem.js';
import { withIdempotency } from '../access/idempotency.js';
import { CustomerNotFound, findCustomer } from '../customers/find-customer.js';
import { findOrder, OrderNotFound } from '../orders/find-order.js';
import { orderAccess } from '../orders/order.access.js';
import { supportRequestAccess } from './support-request.access.js';
import { type SupportImpact, SupportRequest } from './support-request.entity.js';

export interface SubmitSupportRequest {
  idempotencyKey: string;
  /** Ids of rows. */
  customerId: string;
  orderId: string | null;
  topic: string;
  impact: SupportImpact;
  title: string;
  description: string;
  refundReason: string | null;
  amount: Money | null;
  contact: { name: string; email: string; phone: string };
  /** The telephone number of the contact as it is understood in a country; throws where it is none there. */
  phoneIn: (country: string) => string;
}

/** Asks support on behalf of a customer (rule 21). Answers the request's id, CustomerNotFound, OrderNotFound, IdempotencyKeyReused or RequestInProgress. */
export function submitSupportRequest(
  unit: UnitOfWork,
  input: SubmitSupportRequest,
): Promise<{ supportRequestId: string } | Problem> {
  const { idempotencyKey, phoneIn, ...asked } = input;
  return withIdempotency(unit, asked, async () => {
    const { em, viewer, now, correlationId } = unit;
    const rule = supportRequestAccess['Mutation.submitSupportRequest'];
    const customer = await findCustomer(em, viewer, input.customerId, rule);
    if (!customer) return new CustomerNotFound();
    const order = input.orderId ? await findOrder(em, viewer, input.orderId, orderAccess.Order) : null;
    if (input.orderId && order?.customer.id !== customer.id) return new OrderNotFound();
    const request = em.create(SupportRequest, {
      id: newId(),
      number: newSupportRequestNumber(),
      customer,
      order: order?.id,
      topic: input.topic,
      impact: input.impact,
      title: input.title,
      description: input.description,
      refundReason: input.refundReason,
      amount: input.amount && formatAmount(input.amount.amount, input.amount.currency),
      currency: input.amount?.currency,
      contactName: input.contact.name,
      contactEmail: input.contact.email,
      contactPhone: phoneIn(customer.market.code),
      status: 'OPEN',
      submittedAt: now,
      submittedBy: viewer.userPrincipalName,
    });
    em.persist(request);
    recordActivity(em, {
      action: 'SUPPORT_REQUEST_SUBMITTED',
      outcome: 'SUCCEEDED',
      actor: actorOf(viewer),
      customerId: customer.id,
      orderId: order?.id ?? null,
      resource: { type: 'SUPPORT_REQUEST', id: toGlobalId('SupportRequest', request.id), label: request.number },
      correlationId,
      detail: { supportRequestNumber: request.number, topic: request.topic, impact: request.impact },
    });
    return { supportRequestId: request.id };
  });
}
