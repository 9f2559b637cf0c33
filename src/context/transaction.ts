import type { Viewer } from '../auth/viewer.js';
import type { Em } from '../database/orm.js';
import type { Context, Services } from './context.js';

/** What a use case gets: a unit of work inside a transaction, who acts, and when. It knows nothing of GraphQL. */
export interface Deed {
  em: Em;
  viewer: Viewer;
  correlationId: string;
  now: Date;
}

/** Runs a use case in one transaction; all of it is committed or none. Wakes the feed afterwards. */
export async function transact<Result>(context: Context, useCase: (deed: Deed) => Promise<Result>): Promise<Result> {
  const { services, viewer, correlationId } = context;
  return committing(services, (em) => useCase({ em, viewer, correlationId, now: services.now() }));
}

/** The same without a viewer: for what the gateway does by itself. */
export async function committing<Result>(services: Services, work: (em: Em) => Promise<Result>): Promise<Result> {
  const result = await services.orm.em.fork().transactional((em) => work(em));
  services.feed.poke();
  return result;
}
