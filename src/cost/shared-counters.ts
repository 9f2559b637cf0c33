import { createClient } from '@redis/client';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import { RateLimiterPostgres, RateLimiterRedis } from 'rate-limiter-flexible';
import type { LimiterConfig } from '../config/cost-config.js';
import { repeat } from '../lib/repeat.js';
import type { SharedCounter } from './budgets.js';

/** How often rows of windows that are over are deleted. */
const CLEAR_MS = 60_000;
/** How long they are over by the database's clock: those of processes whose clocks go apart from it by less still count. */
const OVER_FOR_MS = 3_600_000;

/** Makes counters that all processes share. */
export interface SharedCounters {
  /** @param name of what is counted, @param windowMs over which time */
  counter(name: string, windowMs: number): SharedCounter | null;
  close(): Promise<void>;
}

/** What is needed for counters. */
export interface SharedCountersOptions {
  limiter: LimiterConfig;
  /** The pool of node-postgres for the gateway's own work; undefined: embedded, where one process counts for itself. */
  pool: unknown;
  kysely: Kysely<unknown>;
  log: Logger;
}

/** Counters in Redis where there is one, else in PostgreSQL, else none. */
export function openSharedCounters({ limiter, pool, kysely, log }: SharedCountersOptions): SharedCounters {
  if (limiter.kind === 'redis') return redisCounters(limiter.url, log);
  if (!pool) return { counter: () => null, close: async () => undefined };
  // Each process does so: one statement, which finds nothing where another one was first, is less than a job's three.
  const clearing = repeat(
    CLEAR_MS,
    'deleting old rate limits',
    async () =>
      void (await sql`
        delete from "rate_limits" where "expire" < extract(epoch from now()) * 1000 - ${OVER_FOR_MS}::int`.execute(
        kysely,
      )),
    log,
  );
  return {
    counter: (name, windowMs) =>
      new RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true,
        clearExpiredByTimeout: false,
        keyPrefix: name,
        points: 1,
        duration: windowMs / 1_000,
      }),
    close: () => clearing.stop(),
  };
}

/** Redis may be away, also at the start: nobody waits for it, each process counts alone meanwhile. */
function redisCounters(url: string, log: Logger): SharedCounters {
  const client = createClient({ url, disableOfflineQueue: true, socket: { connectTimeout: 2_000 } });
  // It connects again by itself; the budgets tell once that they count alone.
  client.on('error', (error: Error) => log.debug({ err: error }, 'Redis is out of reach'));
  void client.connect().catch((error) => log.debug({ err: error }, 'Redis is out of reach'));
  return {
    counter: (name, windowMs) =>
      new RateLimiterRedis({
        storeClient: client,
        useRedisPackage: true,
        rejectIfRedisNotReady: true,
        keyPrefix: `csp-graph:${name}`,
        points: 1,
        duration: windowMs / 1_000,
      }),
    close: async () => {
      client.destroy();
    },
  };
}
