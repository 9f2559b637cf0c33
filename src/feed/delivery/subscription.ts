import { sql } from 'kysely';
import { type FeedEntry } from '../../activity-log/entry.js';
import { type FeedFilter } from '../../activity-log/entry-filter.js';
import { cursorExpired } from '../../activity-log/feed-cursors.js';
import { comparePositions, type Position } from '../../activity-log/position.js';
import { tenantScope, type Viewer } from '../../auth/viewer.js';
import type { Services } from '../../context/context.js';

/** What a stream says (product.md section 4). Every message but the last of a revoked user carries where to resume. */
export type FeedMessage =
  | { type: 'entry'; cursor: string; entry: FeedEntry }
  | { type: 'FeedCaughtUp'; cursor: string }
  | { type: 'FeedCheckpoint'; cursor: string }
  | { type: 'FeedDraining'; cursor: string }
  | { type: 'AccessChanged' };

/**
 * Everything after a cursor, then live: at least once on the wire, exactly once by cursor. Iterated, it is pulled at the
 * caller's own pace, and nothing is buffered for them; `fan-out.ts` delivers many that ask for the same together.
 */
export class ActivityStream implements AsyncIterable<FeedMessage> {
  constructor(
    private readonly services: Services,
    readonly viewer: Viewer,
    /** Everything after it. */
    readonly start: Position,
    /** Narrowed to what the viewer may reach. */
    readonly filter: FeedFilter,
    /** Of the feed when it was opened. */
    readonly generation: number,
  ) {}

  [Symbol.asyncIterator](): AsyncIterableIterator<FeedMessage> {
    return abortable((signal) => this.messages(signal));
  }

  /** Ends when the gateway drains or the viewer's access is revoked. */
  private async *messages(signal: AbortSignal): AsyncGenerator<FeedMessage> {
    const { feed, feedCursors, revocations, config } = this.services;
    let position = this.start;
    let caughtUp = false;
    let lastSaid = Date.now();
    while (!signal.aborted) {
      if (this.generation !== feed.generation) throw cursorExpired('after');
      const next = await feed.after(position, this.filter);
      for (const entry of next.entries) {
        if (revocations.covers(this.viewer)) return yield { type: 'AccessChanged' };
        yield { type: 'entry', cursor: feedCursors.seal(entry), entry };
        lastSaid = Date.now();
      }
      const moved = comparePositions(next.position, position) > 0;
      position = next.position;
      if (revocations.covers(this.viewer)) return yield { type: 'AccessChanged' };
      if (feed.isDraining) {
        yield { type: 'FeedDraining', cursor: feedCursors.seal(position) };
        // A stream that completed would let a client close by itself and stay away; 1012 tells it to come back.
        return await untilAborted(signal);
      }
      if (moved && comparePositions(position, feed.position) < 0) continue;
      if (!caughtUp) {
        caughtUp = true;
        yield { type: 'FeedCaughtUp', cursor: feedCursors.seal(position) };
        lastSaid = Date.now();
        continue;
      }
      const quietFor = Date.now() - lastSaid;
      if (quietFor >= config.feedCheckpointMs) {
        yield { type: 'FeedCheckpoint', cursor: feedCursors.seal(position) };
        lastSaid = Date.now();
      } else if (comparePositions(position, feed.position) >= 0) {
        await feed.changed(signal, config.feedCheckpointMs - quietFor);
      }
    }
  }
}

/**
 * Opens a stream after a cursor; without one it begins now.
 * @throws BAD_USER_INPUT for a cursor that does not hold, CURSOR_EXPIRED for one that is not of this log
 */
export async function openActivityStream(
  services: Services,
  viewer: Viewer,
  after: string | null,
  filter: FeedFilter,
): Promise<ActivityStream> {
  const { feed, feedCursors } = services;
  const { generation } = feed;
  const start = after === null ? feed.position : feedCursors.open(after, 'after');
  // It bears our signature, and yet no entry is there: the log was put back to a time before it.
  if (after !== null && !(await feed.isKnown(start))) throw cursorExpired('after');
  const scoped = { ...filter, ...(await ownCustomerScope(services, viewer)) };
  return new ActivityStream(services, viewer, start, scoped, generation);
}

/** What narrows the log to the rows that a CUSTOMER_ADMIN may reach; nothing for the partner's people. */
export async function ownCustomerScope(services: Services, viewer: Viewer): Promise<Pick<FeedFilter, 'ownCustomerId'>> {
  const tenantId = tenantScope(viewer);
  if (tenantId === null) return {};
  const { rows } = await sql<{
    id: string;
  }>`select "id" from "customers" where "tenant_id" = ${tenantId}::uuid`.execute(services.kysely);
  return { ownCustomerId: rows[0]?.id ?? null };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}

/** An iterator whose `return` also wakes a generator that waits: else a dropped socket would hold it until the next event. */
function abortable<Value>(make: (signal: AbortSignal) => AsyncGenerator<Value>): AsyncIterableIterator<Value> {
  const controller = new AbortController();
  const generator = make(controller.signal);
  return {
    next: () => generator.next(),
    return: () => {
      controller.abort();
      return generator.return(undefined);
    },
    throw: (error) => {
      controller.abort();
      return generator.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
