/*
 * The states of a subscriber:
 *
 *                      goLive
 *   ──▶ catching-up ◀─────────▶ live        catching-up: reads the log at its own cursor and pace
 *            │        fallBehind  │         live:        the shared subscription writes to it
 *            │                    │         leaving:     hears one last message, FeedDraining or AccessChanged
 *            ├─────────┬──────────┤         ended:       nothing is written to it any more, and nothing held for it
 *            ▼         │          ▼
 *         leaving ─────┴──────▶ ended
 */
/** Where a subscriber is. */
export type SubscriberState = 'catching-up' | 'live' | 'leaving' | 'ended';

/** Which state may follow which. */
export const moves: Record<SubscriberState, readonly SubscriberState[]> = {
  'catching-up': ['live', 'leaving', 'ended'],
  live: ['catching-up', 'leaving', 'ended'],
  leaving: ['ended'],
  ended: [],
};
