import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { DatabaseConfig } from '../config/config.js';
import { type Repeated, repeat } from '../lib/repeat.js';
import type { Pool } from './cancellable-pool.js';
import { createExecute, type Execute, poolOf } from './execute.js';
import { type Orm, type OrmOptions, openOrm } from './orm.js';
import { Replica } from './replica.js';

/** How often to look how far the replica is. */
const REPLICA_MS = 1_000;

/** Connections for the gateway's own work: feed, relay, seals, revocations, health. */
const INTERNAL_POOL_SIZE = 5;

/** The connections that reads run on, by whom they are for. */
export interface Connections {
  /** Reads of operations whose viewer waits. */
  interactive: Execute;
  /** Reads of analysts, which must never take the interactive ones' turns; embedded, where there is one connection, the same. */
  analysts: Execute;
  /** The gateway's own work, feed and health among it: no flood of operations makes it wait. */
  internal: Kysely<unknown>;
  /** Long reads that are no operation, such as exports: from the primary, and not on interactive connections. */
  batch: Kysely<unknown>;
  /** The pools by name, for the metrics; none embedded. */
  pools: ReadonlyMap<string, Pool>;
  /** The replica; null without one. */
  replica: Replica | null;
  close(): Promise<void>;
}

/** What `openConnections` needs. */
export interface ConnectionsOptions extends Pick<OrmOptions, 'entities'> {
  database: DatabaseConfig;
  /** The ORM whose pool serves interactive reads and all writes. */
  orm: Orm;
  log: Logger;
}

/** Opens what reads need beside the ORM's own connections. @throws {NotAReplica} */
export async function openConnections({ database, orm, entities, log }: ConnectionsOptions): Promise<Connections> {
  const interactive = await createExecute(orm);
  if (database.kind === 'embedded') {
    const only = kyselyOf(orm);
    return {
      interactive,
      analysts: interactive,
      internal: only,
      batch: only,
      pools: new Map(),
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
  const pools = new Map([['interactive', await poolOf(orm)]]);
  const open = async (name: string, settings: object) => {
    const one = await openOrm({ ...database, ...settings }, { entities });
    opened.push(one);
    pools.set(name, await poolOf(one));
    return one;
  };
  try {
    const internal = kyselyOf(await open('internal', { poolSize: INTERNAL_POOL_SIZE }));
    const common = { interactive, internal, pools, close };
    const { analysts: limits, replica: copy } = database;
    if (!limits) return { ...common, analysts: interactive, batch: kyselyOf(orm), replica: null };
    const analystOrm = await open('analysts', limits);
    const onPrimary = await createExecute(analystOrm);
    const batch = kyselyOf(analystOrm);
    if (!copy) return { ...common, analysts: onPrimary, batch, replica: null };
    const replicaOrm = await open('replica', { ...limits, url: copy.url });
    const replica = new Replica(internal, kyselyOf(replicaOrm), copy.maxLagMs, log);
    await replica.check();
    looking = repeat(Math.min(REPLICA_MS, copy.maxLagMs / 2), 'looking at the replica', () => replica.check(), log);
    const analysts = replica.execute(await createExecute(replicaOrm), onPrimary);
    return { ...common, analysts, batch, replica };
  } catch (error) {
    await close();
    throw error;
  }
}

const kyselyOf = (orm: Orm) => orm.em.fork().getKysely() as unknown as Kysely<unknown>;
