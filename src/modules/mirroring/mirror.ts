import type { Clock } from '../../context/clock.js';
import type { Em } from '../../database/orm.js';
import type { Upstream } from '../../domain/upstream.js';

/** What the mirror is kept with. */
export interface Mirror {
  upstream: Upstream;
  inTransaction: <Result>(work: (em: Em) => Promise<Result>) => Promise<Result>;
  /** What reads outside of any transaction. */
  reads: () => Em;
  clock: Clock;
  /** Set when it is to stop where it is. */
  signal?: AbortSignal | undefined;
}

/** What keeping what the upstream told has changed. */
export interface Changes {
  customers: number;
  orders: number;
  lines: number;
  cancelled: number;
  /** What the upstream has no more. */
  gone: number;
  /** Customers and orders of which nothing could be made, with the reason of one. */
  left: number;
  firstLeft: string | null;
}

export const noChanges = (): Changes => ({
  customers: 0,
  orders: 0,
  lines: 0,
  cancelled: 0,
  gone: 0,
  left: 0,
  firstLeft: null,
});

/** Adds what was changed to a sum. */
export function addChanges(sum: Changes, more: Changes): void {
  for (const name of ['customers', 'orders', 'lines', 'cancelled', 'gone', 'left'] as const) sum[name] += more[name];
  sum.firstLeft ??= more.firstLeft;
}

/** A customer whose orders are kept. */
export interface Holder {
  customerId: string;
  market: string;
}
