import { ProductKind } from '../../domain/product-kind.js';
import { REFUND_TOPIC, supportTopics } from '../../domain/support-topics.js';
import { SupportImpact, SupportRequestStatus } from '../../modules/support/support-request.entity.js';
import type { Demo } from './demo.js';
import type { DemoOrder } from './demo-order.js';
import { demoId, supportRequestNumberAt } from './numbers.js';
import { supporters } from './people.js';

const DAY_MS = 86_400_000;
/** Requests are answered after that long. */
const ANSWERED_AFTER_MS = 14 * DAY_MS;

/** Asks Microsoft's support about an order, some days after it was placed and before now. */
export function askSupport(demo: Demo, order: DemoOrder): void {
  const { random } = demo;
  const span = Math.min(demo.now.getTime() - order.placedAt.getTime(), 60 * DAY_MS) - 3_600_000;
  const at = new Date(order.placedAt.getTime() + 3_600_000 + Math.floor(random.fraction() * span));
  const actor = random.pick(supporters);
  const line = order.lines.find(({ supportRequestRequired }) => supportRequestRequired);
  const wantsMoney = line !== undefined || random.chance(0.4);
  const topic = wantsMoney ? REFUND_TOPIC : random.pick(supportTopics.slice(1));
  const number = supportRequestNumberAt(demo.supportRequests);
  const id = demoId(demo.seed, `support/${demo.supportRequests}`);
  const impact = random.weighted(Object.values(SupportImpact), (one) => (one === SupportImpact.CRITICAL ? 1 : 4));
  const wish = wantsMoney ? 'Please refund what is named below.' : 'Please call the contact below.';
  demo.supportRequests += 1;
  demo.batch.add('support_requests', {
    id,
    number,
    customer_id: order.customer.id,
    order_id: order.id,
    topic,
    impact,
    title: wantsMoney ? `Refund for order ${order.number}` : `Question about order ${order.number}`,
    description: `Tenant ${order.customer.domain}, order ${order.number}. ${wish}`,
    refund_reason: wantsMoney
      ? line?.sku.kind === ProductKind.AZURE_RESERVATION
        ? 'The reservation is for the wrong region'
        : 'Bought by mistake'
      : null,
    amount: wantsMoney ? (line?.total ?? order.total) : null,
    currency: wantsMoney ? order.currency : null,
    contact_name: order.customer.contactName,
    contact_email: order.customer.contactEmail,
    contact_phone: order.customer.contactPhone,
    status:
      at.getTime() > demo.now.getTime() - ANSWERED_AFTER_MS ? SupportRequestStatus.OPEN : SupportRequestStatus.CLOSED,
    submitted_at: at.toISOString(),
    submitted_by: actor.userPrincipalName,
  });
  demo.activity.write(demo, at, {
    action: 'SUPPORT_REQUEST_SUBMITTED',
    outcome: 'SUCCEEDED',
    actor,
    customerId: order.customer.id,
    orderId: order.id,
    resource: { type: 'SUPPORT_REQUEST', id, label: number },
    correlationId: demo.activity.nextCorrelationId(demo),
    detail: { supportRequestNumber: number, topic, impact },
  });
}
