import { sql } from 'kysely';
import { tenantScope, type Viewer } from '../auth/viewer.js';
import type { Services } from '../context.js';
import { activityEntryRead } from '../modules/activity/activity.read.js';
import { decodeCursor, encodeCursor, feedTag } from '../read/cursor.js';
import type { SortKey } from '../read/model.js';
import type { FeedEntry, FeedFilter } from './feed-entry.js';
import { comparePositions, type Position } from './position.js';

/** What a stream says (product.md section 4). Every message but the last of a revoked user carries where to resume. */
export type FeedMessage =
  | { type: 'entry'; cursor: string; entry: FeedEntry }
  | { type: 'FeedCaughtUp'; cursor: string }
  | { type: 'FeedCheckpoint'; cursor: string }
  | { type: 'FeedDraining'; cursor: string }
  | { type: 'AccessChanged' };

const feedKeys = activityEntryRead.listing?.orders['COMMITTED'] as SortKey[];

/**
 * Everything after a cursor, then live: the caller's own pace decides, nothing is buffered for them. At least once on
 * the wire, exactly once by cursor. Without a cursor it begins now. Ends when the gateway drains or the viewer's access
 * is revoked.
 * @throws BAD_USER_INPUT or CURSOR_EXPIRED for a cursor that does not hold
 */
export async function openActivityStream(
  services: Services,
  viewer: Viewer,
  after: string | null,
  filter: FeedFilter,
): Promise<AsyncIterableIterator<FeedMessage>> {
  const { feed, readSource } = services;
  const tag = feedTag(readSource.incarnation);
  const start = after === null ? feed.position : positionOf(decodeCursor(after, tag, feedKeys, 'after').values);
  const scoped = { ...filter, ...(await ownCustomerScope(services, viewer)) };
  return abortable((signal) => messages(services, viewer, start, scoped, tag, signal));
}

async function* messages(
  services: Services,
  viewer: Viewer,
  start: Position,
  filter: FeedFilter,
  tag: string,
  signal: AbortSignal,
): AsyncGenerator<FeedMessage> {
  const { feed, revocations, config } = services;
  const cursorAt = (position: Position) => encodeCursor({ tag, values: [String(position.xid), String(position.seq)] });
  let position = start;
  let caughtUp = false;
  let lastSaid = Date.now();
  while (!signal.aborted) {
    const next = await feed.after(position, filter);
    for (const entry of next.entries) {
      if (revocations.covers(viewer)) return yield { type: 'AccessChanged' };
      yield { type: 'entry', cursor: cursorAt(entry), entry };
      lastSaid = Date.now();
    }
    const moved = comparePositions(next.position, position) > 0;
    position = next.position;
    if (revocations.covers(viewer)) return yield { type: 'AccessChanged' };
    if (feed.isDraining) {
      yield { type: 'FeedDraining', cursor: cursorAt(position) };
      // A stream that completed would let a client close by itself and stay away; 1012 tells it to come back.
      return await untilAborted(signal);
    }
    if (moved && comparePositions(position, feed.position) < 0) continue;
    if (!caughtUp) {
      caughtUp = true;
      yield { type: 'FeedCaughtUp', cursor: cursorAt(position) };
      lastSaid = Date.now();
      continue;
    }
    const quietFor = Date.now() - lastSaid;
    if (quietFor >= config.feedCheckpointMs) {
      yield { type: 'FeedCheckpoint', cursor: cursorAt(position) };
      lastSaid = Date.now();
    } else if (comparePositions(position, feed.position) >= 0) {
      await feed.changed(signal, config.feedCheckpointMs - quietFor);
    }
  }
}

function positionOf([xid = '0', seq = '0']: string[]): Position {
  return { xid: BigInt(xid), seq: BigInt(seq) };
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
