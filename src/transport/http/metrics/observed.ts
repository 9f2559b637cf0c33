import type { HorizonWatch } from '../../../activity-log/horizon.js';
import type { Sealer } from '../../../activity-log/seal/sealer.js';
import type { KeySets } from '../../../auth/key-sets.js';
import type { Services } from '../../../context/context.js';
import type { Connections } from '../../../database/pools.js';
import type { DocumentCache } from '../../../execution/documents.js';
import type { FanOut } from '../../../feed/delivery/fan-out.js';
import type { NatsSource } from '../../../feed/nats/nats-source.js';
import type { JobWorker } from '../../../jobs/job-worker.js';

/** The connections of a transport. */
export interface OpenConnections {
  readonly count: number;
  /** Bytes that wait for all of them. */
  readonly backlog: number;
}

/** What the metrics tell of. */
export interface Observed {
  services: Services;
  /** With the frames that had to wait for their turn. */
  sockets: OpenConnections & { readonly delayed: number };
  streams: OpenConnections;
  fanOut: FanOut;
  horizon: HorizonWatch;
  keySets: KeySets;
  nats: NatsSource | null;
  sealer: Sealer;
  worker: JobWorker;
  documents: DocumentCache;
  connections: Connections;
}

/** A metric that is read when it is asked for. The first name is its own; others it had before, kept for one release. */
export type Told = (names: string | [string, ...string[]], help: string, read: () => number) => void;
