import type { JobQueue } from '../../jobs/job-queue.js';

/** What the provider answers: confirmed, or refused with the reason, which those who asked can read. */
export type FulfilmentAnswer = 'confirmed' | { refused: string };

/** A cancellation as the provider is told of it. */
export interface CancellationRequest {
  /** Names the request: the same in every attempt. */
  cancellationId: string;
  orderNumber: string;
  lineNumbers: number[];
}

/** A purchase as the provider is told of it. */
export interface PurchaseRequest {
  /** Names the request: the same in every attempt. */
  orderId: string;
  orderNumber: string;
  /** The customer's tenant. */
  tenantId: string;
  lines: { lineNumber: number; productId: string; skuId: string; quantity: number }[];
}

/**
 * Who fulfils. It is asked outside of any transaction, by one process at a time. Where that one dies after asking, or the
 * answer does not come in time, it is asked again: it must know a request by its id, and answer it as it did before. What
 * it throws, or answers too late, is an attempt that failed.
 */
export interface FulfilmentProvider {
  /**
   * Asked for each purchase; null: purchases are confirmed without asking, in their own transaction.
   * @param signal set when nobody waits for the answer any more
   */
  purchase: ((purchase: PurchaseRequest, signal: AbortSignal) => Promise<FulfilmentAnswer>) | null;
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
}
