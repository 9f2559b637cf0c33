import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { every, type Repeated } from '../lib/repeat.js';
import type { Pool } from './cancellable-pool.js';
import { createExecute, type Execute, poolOf } from './execute.js';
import { type Orm, openOrm } from './orm.js';
import { Replica } from './replica.js';

/** How often to look how far the replica is. */
const REPLICA_MS = 1_000;

/** Connections for the gateway's own work: feed, relay, seals, revocations, health. */
const OWN_POOL_SIZE = 5;

/** The connections that reads run on, by whom they are for. */
export interface Connections {
  front: Execute;
  /** For reads of analysts, which must never take the front end's; embedded, where there is one connection, the same. */
  analysts: Execute;
  /** For the gateway's own work, feed and health among it: no flood of operations makes it wait. */
  own: Kysely<unknown>;
  /** For what is long and not an operation, such as exports: of the primary, and not the front end's. */
  long: Kysely<unknown>;
  /** By name, for the metrics; none embedded. */
  pools: ReadonlyMap<string, Pool>;
  /** Of the replica; null without one. */
  replica: Replica | null;
  close(): Promise<void>;
}

/** Opens what reads need beside the ORM's own connections. @throws {NotAReplica} */
export async function openConnections({ database }: Config, orm: Orm, log: Logger): Promise<Connections> {
  const front = await createExecute(orm);
  if (database.kind === 'embedded') {
    const only = kyselyOf(orm);
    return {
      front,
      analysts: front,
      own: only,
      long: only,
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
  const pools = new Map([['front', await poolOf(orm)]]);
  const open = async (name: string, settings: object) => {
    const one = await openOrm({ ...database, ...settings });
    opened.push(one);
    pools.set(name, await poolOf(one));
    return one;
  };
  try {
    const own = kyselyOf(await open('own', { poolSize: OWN_POOL_SIZE }));
    const common = { front, own, pools, close };
    const { analysts: limits, replica: copy } = database;
    if (!limits) return { ...common, analysts: front, long: kyselyOf(orm), replica: null };
    const analystOrm = await open('analysts', limits);
    const onPrimary = await createExecute(analystOrm);
    const long = kyselyOf(analystOrm);
    if (!copy) return { ...common, analysts: onPrimary, long, replica: null };
    const replicaOrm = await open('replica', { ...limits, url: copy.url });
    const replica = new Replica(own, kyselyOf(replicaOrm), copy.maxLagMs, log);
    await replica.look();
    looking = every(Math.min(REPLICA_MS, copy.maxLagMs / 2), 'looking at the replica', () => replica.look(), log);
    const analysts = replica.execute(await createExecute(replicaOrm), onPrimary);
    return { ...common, analysts, long, replica };
  } catch (error) {
    await close();
    throw error;
  }
}

const kyselyOf = (orm: Orm) => orm.em.fork().getKysely() as unknown as Kysely<unknown>;
