import type { Viewer } from '../auth/viewer.js';
import type { Em } from '../database/orm.js';
import { admit } from './admission.js';
import type { Context, Services } from './context.js';

/** What a use case gets: an entity manager inside a transaction, who acts, and when. It knows nothing of GraphQL. */
export interface UnitOfWork {
  em: Em;
  viewer: Viewer;
  correlationId: string;
  now: Date;
}

/** Points of an operation that goes through many lines: ten of a purchase, or several quotes. It waits among the dear ones. */
const MANY_LINES = 1_000;

/**
 * Runs a use case in one transaction; all of it is committed or none. Notifies the feed afterwards.
 * @param before goes first in the transaction
 * @throws UNAUTHENTICATED where the viewer's access was revoked meanwhile
 */
export async function inTransaction<Result>(
  { services, viewer, user, correlationId, cost }: Context,
  useCase: (unit: UnitOfWork) => Promise<Result>,
  before?: (em: Em) => Promise<void>,
): Promise<Result> {
  const unit = () =>
    inOwnTransaction(services, async (em) => {
      await before?.(em);
      await admit(em, viewer);
      return useCase({ em, viewer, correlationId, now: services.now() });
    });
  // What is done for a person at a screen never waits behind what is dear, as many lines at once do.
  const judged = cost && cost.asked >= MANY_LINES ? cost.asked : 0;
  return services.lanes.run({ users: [user], cost: judged }, unit);
}

/** The same without a viewer: for what the gateway does by itself. */
export async function inOwnTransaction<Result>(
  { orm, feed, jobs }: Pick<Services, 'orm' | 'feed' | 'jobs'>,
  work: (em: Em) => Promise<Result>,
): Promise<Result> {
  let used: Em | undefined;
  const result = await orm.em.fork().transactional((em) => {
    used = em;
    return work(em);
  });
  feed.notify();
  if (used) jobs.committed(used);
  return result;
}
