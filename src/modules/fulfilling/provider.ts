import type { JobQueue } from '../../jobs/job-queue.js';

/** A line of a purchase that the provider refused, and why. */
export interface RefusedLine {
  lineNumber: number;
  reason: string;
}

/** What the provider answers: confirmed, or refused with the reason, which those who asked can read. */
export type FulfilmentAnswer = 'confirmed' | { refused: string };

/** The same of a purchase, of which it may refuse some lines and confirm the others. */
export type PurchaseAnswer = FulfilmentAnswer | { refusedLines: RefusedLine[] };

/** A cancellation as the provider is told of it. */
export interface CancellationRequest {
  /** Names the request: the same in every attempt. */
  cancellationId: string;
  orderId: string;
  orderNumber: string;
  /** The customer's tenant. */
  tenantId: string;
  lineNumbers: number[];
}

/** A purchase as the provider is told of it. */
export interface PurchaseRequest {
  /** Names the request: the same in every attempt. */
  orderId: string;
  orderNumber: string;
  /** The customer's tenant. */
  tenantId: string;
  lines: {
    lineNumber: number;
    productId: string;
    skuId: string;
    quantity: number;
    /** As an ISO 8601 duration; null for perpetual software. */
    termDuration: string | null;
    /** As Partner Center calls it: `one_time`, `monthly`, `annual`, `triennial`. */
    billingCycle: string;
  }[];
}

/**
 * Who fulfils. It is asked outside of any transaction, by one process at a time. Where that one dies after asking, or the
 * answer does not come in time, it is asked again: it must know a request by its id, and answer it as it did before. What
 * it throws, or answers too late, is an attempt that failed.
 */
export interface FulfilmentProvider {
  /** Whether what is asked of it is written down as an intent, by which it knows it again. */
  keepsIntents?: boolean;
  /**
   * Asked for each purchase; null: purchases are confirmed without asking, in their own transaction.
   * @param signal set when nobody waits for the answer any more
   */
  purchase: ((purchase: PurchaseRequest, signal: AbortSignal) => Promise<PurchaseAnswer>) | null;
  /** Asked for each cancellation. */
  cancel(cancellation: CancellationRequest, signal: AbortSignal): Promise<FulfilmentAnswer>;
}

/**
 * The provider of a gateway without a real one behind it: confirms everything.
 * @param purchaseDelayMs how long after a purchase it is asked; 0: not at all
 */
export const localProvider = (purchaseDelayMs: number): FulfilmentProvider => ({
  purchase: purchaseDelayMs === 0 ? null : async () => 'confirmed',
  cancel: async () => 'confirmed',
});

/** How a use case has the provider asked. */
export interface Asking {
  jobs: JobQueue;
  /** How long until it is asked. */
  delayMs: number;
  /** Whether it keeps intents: they are written in the transaction of what it is asked for. */
  keepsIntents: boolean;
}
