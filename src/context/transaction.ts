import type { Viewer } from '../auth/viewer.js';
import type { Em } from '../database/orm.js';
import type { Context, Services } from './context.js';

/** What a use case gets: an entity manager inside a transaction, who acts, and when. It knows nothing of GraphQL. */
export interface UnitOfWork {
  em: Em;
  viewer: Viewer;
  correlationId: string;
  now: Date;
}

/** Runs a use case in one transaction; all of it is committed or none. Notifies the feed afterwards. */
export async function inTransaction<Result>(
  { services, viewer, correlationId }: Context,
  useCase: (unit: UnitOfWork) => Promise<Result>,
): Promise<Result> {
  return inOwnTransaction(services, (em) => useCase({ em, viewer, correlationId, now: services.now() }));
}

/** The same without a viewer: for what the gateway does by itself. */
export async function inOwnTransaction<Result>(
  { orm, feed }: Pick<Services, 'orm' | 'feed'>,
  work: (em: Em) => Promise<Result>,
): Promise<Result> {
  const result = await orm.em.fork().transactional((em) => work(em));
  feed.notify();
  return result;
}
