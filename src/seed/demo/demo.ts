import type { Actor } from '../../activity-log/record-activity.js';
import type { EncryptionKey } from '../../modules/entitlements/product-key.js';
import type { OrderLineStatus } from '../../modules/orders/order-status.js';
import type { ActivityWriter } from './activity-writer.js';
import type { DatedTerm } from './calendar.js';
import type { DemoCustomer } from './customers.js';
import type { Batch } from './insert-rows.js';
import type { InvoiceWriter } from './invoice-writer.js';
import type { PricedSku } from './prices.js';
import type { SeededRandom } from './random.js';

/** What everything that makes demonstration rows needs. */
export interface Demo {
  seed: number;
  /** The instant up to which the story is told; nothing asks the clock. */
  now: Date;
  random: SeededRandom;
  skus: readonly PricedSku[];
  encryption: EncryptionKey;
  /** Where rows go until they are inserted. */
  batch: Batch;
  activity: ActivityWriter;
  invoices: InvoiceWriter;
  /** How many support requests there are already; the next one's place. */
  supportRequests: number;
}

/** A line of a demonstration order. */
export interface DemoLine {
  id: string;
  lineNumber: number;
  sku: PricedSku;
  quantity: number;
  unitPrice: string;
  total: string;
  cancellableUntil: Date | null;
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
