import type { EncryptionKey } from '../../modules/entitlements/product-key.js';
import type { ActivityWriter } from './activity-writer.js';
import type { RowTarget } from './insert-rows.js';
import type { InvoiceWriter } from './invoice-writer.js';
import type { PricedSku } from './prices.js';
import type { SeededRandom } from './random.js';

/** What everything that makes demonstration rows needs. */
export interface Demo extends RowTarget {
  /** The instant up to which the story is told; nothing asks the clock. */
  now: Date;
  random: SeededRandom;
  skus: readonly PricedSku[];
  encryption: EncryptionKey;
  activity: ActivityWriter;
  invoices: InvoiceWriter;
  /** How many support requests there are already; the next one's place. */
  supportRequests: number;
}
