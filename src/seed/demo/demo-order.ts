import type { Actor } from '../../activity-log/record-activity.js';
import type { SoldRefundOption } from '../../domain/refund-option.js';
import type { OrderLineStatus } from '../../modules/orders/order-status.js';
import type { DatedTerm } from './calendar.js';
import type { DemoCustomer } from './customers.js';
import type { PricedSku } from './prices.js';

/** A line of a demonstration order. */
export interface DemoLine {
  id: string;
  lineNumber: number;
  sku: PricedSku;
  quantity: number;
  unitPrice: string;
  total: string;
  refundOptions: SoldRefundOption[];
  /** The end of the last option; null where there is none. */
  cancellableUntil: Date | null;
  supportRequestRequired: boolean;
  term: DatedTerm | null;
  status: OrderLineStatus;
  entitlementId: string;
  /** When its cancellation was asked for, confirmed or not yet; nothing is done with the line from then on. */
  leftAt: Date | null;
  /** When its cancellation was confirmed. */
  revokedAt: Date | null;
}

/** A demonstration order with what happened to it. */
export interface DemoOrder {
  index: number;
  id: string;
  number: string;
  customer: DemoCustomer;
  currency: string;
  placedAt: Date;
  placedBy: Actor;
  correlationId: string;
  lines: DemoLine[];
  total: string;
  cancellations: number;
}
