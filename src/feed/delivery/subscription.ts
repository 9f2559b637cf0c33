import type { EntryFilter } from '../../activity-log/entry-filter.js';
import { cursorExpired } from '../../activity-log/feed-cursors.js';
import type { Position } from '../../activity-log/position.js';
import { tenantScope, type Viewer } from '../../auth/viewer.js';
import type { Turn } from '../../database/execute.js';
import type { AbortFlag } from '../../lib/abort-flag.js';
import type { FeedServices } from '../feed-services.js';
import type { FeedMessage } from './feed-message.js';

/**
 * What one client asked the feed for: from where, which entries, and who asks. graphql-js wants an async iterable of
 * whatever a subscription's field answers; nobody iterates this one, the fan-out delivers it.
 */
export class FeedSubscription implements AsyncIterable<FeedMessage> {
  constructor(
    readonly viewer: Viewer,
    /** Key of their account: whose turn it takes what is read for them. */
    readonly user: string,
    /** Everything after it is delivered. */
    readonly start: Position,
    /** Narrowed to what the viewer may reach. */
    readonly filter: EntryFilter,
    /** The feed's generation when it was opened: on another database it cannot go on. */
    readonly generation: number,
  ) {}

  [Symbol.asyncIterator](): never {
    throw new Error('a feed subscription is delivered by the fan-out, not iterated');
  }
}

/**
 * Opens a subscription after a cursor; without one it begins now.
 * @throws BAD_USER_INPUT for a cursor that does not hold, CURSOR_EXPIRED for one that is not of this log
 */
export async function openFeedSubscription(
  services: Pick<FeedServices, 'feed' | 'feedCursors'>,
  { viewer, user, abort }: { viewer: Viewer; user: string; abort?: AbortFlag | undefined },
  after: string | null,
  filter: EntryFilter,
): Promise<FeedSubscription> {
  const { feed, feedCursors } = services;
  const { generation } = feed;
  const turn = { users: [user], cost: 0, abort };
  const start = after === null ? feed.position : feedCursors.decode(after, 'after');
  // It bears our signature, and yet no entry is there: the log was put back to a time before it.
  if (after !== null && !(await feed.isKnown(start, turn))) throw cursorExpired('after');
  const scope = await ownTenantScope(services, viewer, turn);
  return new FeedSubscription(viewer, user, start, { ...filter, ...scope }, generation);
}

/** What narrows the log to the rows that a CUSTOMER_ADMIN may reach; nothing for the partner's people. */
export async function ownTenantScope(
  { feed }: Pick<FeedServices, 'feed'>,
  viewer: Viewer,
  turn: Turn,
): Promise<Pick<EntryFilter, 'own'>> {
  const tenantId = tenantScope(viewer);
  return tenantId === null ? {} : { own: { tenantId, customerId: await feed.table.customerOf(tenantId, turn) } };
}
