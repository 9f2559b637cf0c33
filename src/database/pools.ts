import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { DatabaseConfig } from '../config/config.js';
import type { Refusals } from '../graphql/refusals.js';
import { type Repeated, repeat } from '../lib/repeat.js';
import type { Pool } from './cancellable-pool.js';
import { createExecute, type Execute, poolOf } from './execute.js';
import { Lanes } from './lanes.js';
import { type Orm, type OrmOptions, openOrm } from './orm.js';
import { Replica } from './replica.js';

/** How often to look how far the replica is. */
const REPLICA_MS = 1_000;

/** Connections for the gateway's own work: feed, relay, seals, revocations, health. */
const INTERNAL_POOL_SIZE = 5;

/** Transactions of one user at once, and of all: the lanes of the connections bound those further. */
const WRITES_PER_USER = 2;
const MAXIMUM_WRITES = 1_000;

/** How busy a pool is. What waits has a place in its lanes, or waits for a connection itself. */
export type PoolFigures = Pick<Pool, 'totalCount' | 'idleCount' | 'waitingCount'>;

/** The connections that reads run on, by whom they are for. */
export interface Connections {
  /** Whether statements must look at the clock themselves (`embedded-limit.ts`). */
  areSelfLimiting: boolean;
  /** Reads of operations whose viewer waits. */
  interactive: Execute;
  /** Reads of analysts, which must never take the interactive ones' turns; embedded, where there is one connection, the same. */
  analysts: Execute;
  /** Lets what users ask of the interactive connections run in turn, reads and writes. */
  lanes: Lanes;
  /** Before that, lets few of a user's transactions run at once: each keeps the process busy for milliseconds. */
  writeLanes: Lanes;
  /** The gateway's own work, feed and health among it: no flood of operations makes it wait. */
  internal: Kysely<unknown>;
  /** Long reads that are no operation, such as exports and old entries of streams: from the primary, and not on interactive connections. */
  batch: Kysely<unknown>;
  /** Lets them run in turn with what else runs on their connections. */
  batchLanes: Lanes;
  /** Runs those that answer one JSON text, in those lanes, until their client has gone. */
  batchExecute: Execute;
  /** The pools by name, for the metrics; none embedded. */
  pools: ReadonlyMap<string, PoolFigures>;
  /** The pool of the gateway's own work, for libraries that take one; none embedded. */
  internalPool: Pool | undefined;
  /** The replica; null without one. */
  replica: Replica | null;
  close(): Promise<void>;
}

/** What `openConnections` needs. */
export interface ConnectionsOptions extends Pick<OrmOptions, 'entities'> {
  database: DatabaseConfig;
  /** The ORM whose pool serves interactive reads and all writes. */
  orm: Orm;
  /** Hears of reads that waited too long. */
  refusals: Refusals;
  log: Logger;
}

/** Opens what reads need beside the ORM's own connections. @throws {NotAReplica} */
export async function openConnections({
  database,
  orm,
  entities,
  refusals,
  log,
}: ConnectionsOptions): Promise<Connections> {
  const { statementTimeoutMs: longestMs = 0 } = database;
  const lanes = lanesOf(database.kind === 'embedded' ? 1 : database.poolSize, longestMs, refusals);
  const interactive = await createExecute(orm, { lanes, statementTimeoutMs: longestMs, refusals });
  const writes = { size: MAXIMUM_WRITES, perUser: WRITES_PER_USER, dear: MAXIMUM_WRITES };
  const writeLanes = new Lanes({ ...writes, maximumWaitMs: longestMs, refusals });
  if (database.kind === 'embedded') {
    const only = kyselyOf(orm);
    return {
      areSelfLimiting: longestMs > 0,
      interactive,
      analysts: interactive,
      lanes,
      writeLanes,
      internal: only,
      batch: only,
      batchLanes: lanes,
      batchExecute: interactive,
      pools: new Map(),
      internalPool: undefined,
      replica: null,
      close: async () => undefined,
    };
  }
  const opened: Orm[] = [];
  let looking: Repeated | undefined;
  const close = async () => {
    await looking?.stop();
    await Promise.all(opened.map((one) => one.close(true)));
  };
  const pools = new Map<string, PoolFigures>([['interactive', withLanes(await poolOf(orm), lanes)]]);
  const open = async (name: string, settings: object, inFront?: Lanes) => {
    const one = await openOrm({ ...database, ...settings }, { entities });
    opened.push(one);
    const pool = await poolOf(one);
    pools.set(name, inFront ? withLanes(pool, inFront) : pool);
    return one;
  };
  try {
    const internalOrm = await open('internal', { poolSize: INTERNAL_POOL_SIZE });
    const internal = kyselyOf(internalOrm);
    const internalPool = await poolOf(internalOrm);
    const common = { areSelfLimiting: false, interactive, lanes, writeLanes, internal, internalPool, pools, close };
    const { analysts: limits, replica: copy } = database;
    if (!limits) {
      const batchOnes = { batch: kyselyOf(orm), batchLanes: lanes, batchExecute: interactive };
      return { ...common, ...batchOnes, analysts: interactive, replica: null };
    }
    const { poolSize, statementTimeoutMs } = limits;
    const analystLanes = lanesOf(poolSize, statementTimeoutMs, refusals);
    const analystOrm = await open('analysts', limits, analystLanes);
    const onPrimary = await createExecute(analystOrm, { lanes: analystLanes, statementTimeoutMs, refusals });
    const batch = kyselyOf(analystOrm);
    const batchOnes = { batch, batchLanes: analystLanes, batchExecute: onPrimary };
    if (!copy) return { ...common, ...batchOnes, analysts: onPrimary, replica: null };
    const replicaLanes = lanesOf(poolSize, statementTimeoutMs, refusals);
    const replicaOrm = await open('replica', { ...limits, url: copy.url }, replicaLanes);
    const replica = new Replica(internal, kyselyOf(replicaOrm), copy.maxLagMs, log);
    await replica.check();
    looking = repeat(Math.min(REPLICA_MS, copy.maxLagMs / 2), 'looking at the replica', () => replica.check(), log);
    const onReplica = await createExecute(replicaOrm, { lanes: replicaLanes, statementTimeoutMs, refusals });
    const analysts = replica.execute(onReplica, onPrimary);
    return { ...common, ...batchOnes, analysts, replica };
  } catch (error) {
    await close();
    throw error;
  }
}

function withLanes(pool: Pool, lanes: Lanes): PoolFigures {
  return {
    get totalCount() {
      return pool.totalCount;
    },
    get idleCount() {
      return pool.idleCount;
    },
    get waitingCount() {
      return pool.waitingCount + lanes.waiting;
    },
  };
}

/** Half of the connections are one user's at most, and a fifth of them are for what is dear. */
function lanesOf(size: number, maximumWaitMs: number, refusals: Refusals): Lanes {
  const share = (part: number) => Math.max(1, Math.floor(size / part));
  return new Lanes({ size, perUser: share(2), dear: share(5), maximumWaitMs, refusals });
}

const kyselyOf = (orm: Orm) => orm.em.fork().getKysely() as unknown as Kysely<unknown>;
