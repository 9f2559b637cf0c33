import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { FeedCursors } from '../activity-log/feed-cursors.js';
import type { Access, AccessTable } from '../auth/access-table.js';
import type { AccessWatch } from '../auth/access-watch.js';
import { Denials } from '../auth/denials.js';
import type { Revocations } from '../auth/revocations.js';
import type { Sessions } from '../auth/sessions.js';
import { isAnalyst, type Viewer } from '../auth/viewer.js';
import type { Config } from '../config/config.js';
import { accountOf, type CostControl } from '../cost/cost-control.js';
import type { Cost } from '../cost/overspent.js';
import type { Lanes } from '../database/lanes.js';
import type { Orm } from '../database/orm.js';
import type { UpstreamAccount } from '../domain/upstream.js';
import type { Feed } from '../feed/feed.js';
import type { Refusals } from '../graphql/refusals.js';
import type { JobQueue } from '../jobs/job-queue.js';
import type { AbortFlag } from '../lib/abort-flag.js';
import type { ClientAddress } from '../lib/client-address.js';
import type { OneAtATime } from '../lib/one-at-a-time.js';
import type { Signer } from '../lib/signing.js';
import type { Turns } from '../lib/turns.js';
import type { ReadSource } from '../read/read-source.js';
import { Reader } from '../read/reader.js';
import type { Clock } from './clock.js';

/** What the whole process shares. */
export interface Services {
  config: Config;
  orm: Orm;
  /** For the gateway's own work: no flood of operations makes it wait. */
  kysely: Kysely<unknown>;
  readSource: ReadSource;
  /** The same over the analysts' own connections; embedded there is one connection for all. */
  analystReadSource: ReadSource;
  /** Long reads that are no operation, such as exports: they must not take interactive connections. */
  batchReads: Kysely<unknown>;
  /** Lets them run in turn. */
  batchLanes: Lanes;
  accessTable: AccessTable;
  revocations: Revocations;
  accessWatch: AccessWatch;
  /** What stays open, here and on every process. */
  sessions: Sessions;
  signer: Signer;
  feed: Feed;
  /** Cursors of the database as it is now. */
  feedCursors: FeedCursors;
  log: Logger;
  /** Lets what users ask of the database run in turn. */
  lanes: Lanes;
  /** Before that, lets few of a user's transactions run at once. */
  writeLanes: Lanes;
  /** What operations cost, and what users have left. */
  costs: CostControl;
  /** What was refused since the start because it was beyond a bound. */
  refusals: Refusals;
  /** Lets use cases on one row go one after the other, and no longer wait than for a lock. */
  rows: OneAtATime;
  /** Who may next have a document parsed and validated. */
  turns: Turns;
  /** Queries over HTTP since the start, by how they were answered: by reads alone, or executed field by field. */
  queries: { compiled: number; executed: number };
  /** The time by which use cases judge. */
  clock: Clock;
  /** The time of the process, for what is no use case's: what it signs and prints. */
  now: () => Date;
  /** Address under which clients reach the gateway: `http://127.0.0.1:4000`. */
  publicUrl: () => string;
  /** Where a request comes from, for sessions and limits by address. */
  addressOf: ClientAddress;
  /** Says that a file waits to be judged. */
  fileAttached: () => void;
  /** Work that waits for somebody. */
  jobs: JobQueue;
  /** Whether the provider is asked for purchases; else they are confirmed in their own transaction. */
  asksForPurchases: boolean;
  /** Whether what it is asked for is written down as an intent. */
  keepsIntents: boolean;
  /** The way to the upstream; null where there is none. */
  upstream: UpstreamAccount | null;
}

/** What one request, socket operation or feed event has of its own: made fresh for each by `createContext`. */
export interface Context {
  services: Services;
  viewer: Viewer;
  /** Key of the account that pays for it: the identity, or the address of those without a token. */
  user: string;
  /** What the operation costs; null before it is judged, and for what is none. */
  cost: Cost | null;
  /** Whether the caller wants to be told what it costs. */
  tellsCost: boolean;
  access: Access;
  denials: Denials;
  read: Reader;
  /** The same in every activity entry of one cause. */
  correlationId: string;
  /** Set when whoever waits for the answer has gone, where the transport hears of it. */
  abort?: AbortFlag | undefined;
  /** Where the client's transport resumes a stream (`Last-Event-ID`): it goes before `after`. */
  resumeAfter?: string | null;
}

/** What a context is made for. */
export interface ContextOptions {
  viewer: Viewer;
  /** A new one where there is none. */
  correlationId?: string;
  /** Set when the client has gone: what it reads is cancelled then, never what it writes. */
  abort?: AbortFlag | undefined;
  /** What it comes by: those without a token are told apart by its address. */
  request?: IncomingMessage;
  /** Whose turn its reads take, where that is not the viewer's. */
  user?: string;
  tellsCost?: boolean;
}

/** A fresh context. */
export function createContext(services: Services, options: ContextOptions): Context {
  const { viewer, correlationId = randomUUID(), abort, request, tellsCost = false } = options;
  const { user = accountOf(viewer, () => request && services.addressOf(request)) } = options;
  const source = isAnalyst(viewer) ? services.analystReadSource : services.readSource;
  const access = services.accessTable.for(viewer.roles);
  const denials = new Denials(viewer);
  const read = new Reader({ source, viewer, user, access, denials, abort });
  return { services, viewer, user, cost: null, tellsCost, access, denials, correlationId, abort, read };
}
