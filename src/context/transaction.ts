import { setTimeout } from 'node:timers/promises';
import type { Viewer } from '../auth/viewer.js';
import type { Em } from '../database/orm.js';
import { hasMetAnother, isHeldTooLong } from '../database/sql-state.js';
import { codedError, ErrorCode } from '../graphql/errors.js';
import { WaitedTooLong } from '../lib/one-at-a-time.js';
import { admit, type Once, type TakenKey } from './admission.js';
import type { Context, Services } from './context.js';

/** What a use case gets: an entity manager inside a transaction, who acts, and when. It knows nothing of GraphQL. */
export interface UnitOfWork {
  em: Em;
  viewer: Viewer;
  correlationId: string;
  /** The database's clock, once the viewer was admitted: the one instant by which the use case judges. */
  now: Date;
  /** The key of a request that is done once; null where it is none. */
  key: TakenKey | null;
}

/** Points of an operation that goes through many lines: ten of a purchase, or several quotes. It waits among the dear ones. */
const MANY_LINES = 1_000;

/** How often a transaction is begun that meets others, in all. */
const ATTEMPTS = 5;
/** The longest pause before the second attempt; it doubles with each. How long it is, chance says: those that met part. */
const PAUSE_MS = 20;

/** How a use case runs. */
export interface TransactionOptions {
  /** Goes first in the transaction. */
  before?: (em: Em) => Promise<void>;
  /** What the request is known by when it is sent again (`withIdempotency`). */
  once?: Once;
  /**
   * Names the row that its viewer waits for. Use cases on one row go one after the other, and those that wait have no
   * connection: however many want a row that somebody holds, nobody else waits for them.
   */
  row?: string;
}

/**
 * Runs a use case in one transaction; all of it is committed or none. Where it meets others it is run again, a few
 * times: it must do nothing that is not the transaction's. Notifies the feed afterwards.
 * @throws UNAUTHENTICATED where the viewer's access was revoked meanwhile, UNAVAILABLE where the client was gone before it
 *   began, somebody else holds what it needs for too long, or others are met again and again: nothing was done then
 */
export async function inTransaction<Result>(
  { services, viewer, user, correlationId, cost, abort }: Context,
  useCase: (unit: UnitOfWork) => Promise<Result>,
  { before, row, once }: TransactionOptions = {},
): Promise<Result> {
  const unit = () =>
    inOwnTransaction(services, async (em) => {
      await before?.(em);
      const { now, key } = await admit(em, viewer, services.clock, once);
      return useCase({ em, viewer, correlationId, now, key });
    });
  // What is done for a person at a screen never waits behind what is dear, as many lines at once do.
  const judged = cost && cost.asked >= MANY_LINES ? cost.asked : 0;
  const users = [user];
  const inTurn = () =>
    services.writeLanes.run({ users, cost: 0, abort }, () => services.lanes.run({ users, cost: judged, abort }, unit));
  try {
    return row === undefined ? await inTurn() : await services.rows.run(row, inTurn);
  } catch (error) {
    if (isHeldTooLong(error) || error instanceof WaitedTooLong) {
      services.refusals.note(LOCK_TIME);
      throw heldTooLong(services.rows.longestWaitMs);
    }
    throw hasMetAnother(error) ? metOthers() : error;
  }
}

/**
 * The same without a viewer: for what the gateway does by itself.
 * @param attempts 1: what the work takes cannot be taken twice
 */
export async function inOwnTransaction<Result>(
  { orm, feed, jobs }: Pick<Services, 'orm' | 'feed' | 'jobs'>,
  work: (em: Em) => Promise<Result>,
  attempts = ATTEMPTS,
): Promise<Result> {
  let used: Em | undefined;
  const result = await again(attempts, () =>
    orm.em.fork().transactional((em) => {
      used = em;
      return work(em);
    }),
  );
  feed.notify();
  if (used) jobs.committed(used);
  return result;
}

/** Does work that may meet others until it does not, so many times at most. */
async function again<Result>(attempts: number, work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts || !hasMetAnother(error)) throw error;
      await setTimeout(Math.random() * PAUSE_MS * 2 ** (attempt - 1));
    }
  }
}

/** The bound of waiting for a lock, as `/metrics` names it. */
const LOCK_TIME = 'lockTime';
const RETRY_AFTER = 1;

const heldTooLong = (ms: number) =>
  codedError(
    ErrorCode.UNAVAILABLE,
    `Somebody else has held what this needs for ${ms / 1_000} s. Nothing was done; send the same again in a moment.`,
    { extensions: { retryAfter: RETRY_AFTER } },
  );

const metOthers = () =>
  codedError(
    ErrorCode.UNAVAILABLE,
    `Others changed the same at the same time, ${ATTEMPTS} times in a row. Nothing was done; send the same again in a moment.`,
    { extensions: { retryAfter: RETRY_AFTER } },
  );
