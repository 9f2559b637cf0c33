import type { GraphQLSchema } from 'graphql';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { Budgets } from '../cost/budgets.js';
import { CostControl } from '../cost/cost-control.js';
import type { SharedCounters } from '../cost/shared-counters.js';
import { TableSizes } from '../cost/table-sizes.js';
import { Scales } from '../cost/weigh.js';
import type { Orm } from '../database/orm.js';
import type { Connections } from '../database/pools.js';
import type { Refusals } from '../graphql/refusals.js';
import { readModel, rootReads } from '../schema/read-model.js';
import type { Lifecycle } from './lifecycle.js';

/** Budgets are of a minute. */
const BUDGET_MS = 60_000;
/** Refused attempts are counted over ten. */
const ATTEMPTS_MS = 600_000;
/** What is stored is counted over a day. */
const STORED_MS = 86_400_000;

/** What cost control is started with. */
export interface StartCostControlOptions {
  config: Config;
  orm: Orm;
  connections: Connections;
  counters: SharedCounters;
  schema: GraphQLSchema;
  refusals: Refusals;
  log: Logger;
  lifecycle: Lifecycle;
}

/** Starts to judge what operations cost, by the tables as they are, and to keep budgets with the other processes. */
export async function startCostControl(options: StartCostControlOptions): Promise<CostControl> {
  const { config, orm, connections, counters, schema, refusals, log, lifecycle } = options;
  const sizes = new TableSizes(connections.internal, readModel, orm.getMetadata());
  await sizes.start(log);
  lifecycle.onClose('sizes of tables', () => sizes.stop());
  /** @param name of the counter that processes share, @param what is counted, for the log */
  const countedOver = (windowMs: number, name: string, what: string) => {
    const budgets = new Budgets({ windowMs, counter: counters.counter(name, windowMs), what, log });
    lifecycle.onClose('budgets', () => budgets.stop());
    return budgets;
  };
  const budgets = countedOver(BUDGET_MS, 'cost', 'points spent');
  const attempts = countedOver(ATTEMPTS_MS, 'attempts', 'refused attempts');
  const stored = countedOver(STORED_MS, 'stored', 'bytes stored');
  const scales = new Scales(schema, readModel, rootReads);
  return new CostControl({ config: config.cost, scales, sizes, budgets, attempts, stored, refusals });
}
