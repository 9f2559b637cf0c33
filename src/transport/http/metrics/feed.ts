import { Gauge, type Registry } from 'prom-client';
import type { NatsSource } from '../../../feed/nats/nats-source.js';
import type { Observed, Told } from './observed.js';

/** Tells how the feed is read and delivered. */
export function tellFeed({ services: { feed }, fanOut, horizon }: Observed, gauge: Told): void {
  gauge(
    'csp_graph_feed_subscribers',
    'Subscribers of the feed, over WebSocket and event streams.',
    () => fanOut.counts.subscribers,
  );
  gauge(
    'csp_graph_feed_subscribers_catching_up',
    'Those of them that read the log at their own pace: they have just come, or their connection is slow.',
    () => fanOut.counts.catchingUp,
  );
  gauge(
    ['csp_graph_feed_shared_subscriptions', 'csp_graph_feed_groups'],
    'Subscriptions that subscribers share: those of one get the same texts.',
    () => fanOut.counts.sharedSubscriptions,
  );
  gauge('csp_graph_feed_delivered', 'Entries delivered to live subscribers since the start.', () => fanOut.delivered);
  gauge('csp_graph_feed_waiters', 'Shared subscriptions that wait for the next entry.', () => feed.waiters);
  gauge(
    'csp_graph_feed_horizon_held_seconds',
    'Age of the oldest transaction that may still write: the feed waits for it. The log names it.',
    () => horizon.heldSeconds,
  );
  gauge('csp_graph_feed_position_seq', 'Sequence number of the last entry that the feed has read.', () =>
    Number(feed.position.seq),
  );
}

/** Metrics of the seals. @returns how to bring them up to date: it asks the database, so once for all three */
export function tellSeals({ sealer }: Observed, registry: Registry): () => Promise<void> {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  const number = gauge('csp_graph_seal_number', 'Number of the newest seal.');
  const age = gauge('csp_graph_seal_age_seconds', 'Age of the newest seal.');
  const unsealed = gauge('csp_graph_unsealed_entries', 'Entries after the newest seal, counted to 100000.');
  return async () => {
    // Where the database does not answer, the rest is still told.
    const state = await sealer.state().catch(() => ({ number: NaN, ageSeconds: NaN, unsealed: NaN }));
    number.set(state.number);
    age.set(state.ageSeconds);
    unsealed.set(state.unsealed);
  };
}

/** Tells of the feed over NATS. */
export function tellNats(nats: NatsSource, gauge: Told): void {
  gauge('csp_graph_feed_from_nats', 'Whether the feed follows NATS (1) or polls PostgreSQL (0).', () =>
    Number(nats.isFollowing),
  );
  gauge('csp_graph_feed_relays', 'Whether this process relays the log from PostgreSQL to NATS.', () =>
    Number(nats.relay.leads),
  );
  gauge('csp_graph_feed_relayed', 'Entries relayed since the start.', () => nats.relay.relayed);
  gauge(
    'csp_graph_feed_filled',
    'Entries read from PostgreSQL since the start because NATS had them no longer.',
    () => nats.filled,
  );
}
