import type { MetadataStorage } from '@mikro-orm/core';
import type { Kysely } from 'kysely';
import type { Execute } from '../database/execute.js';
import type { Statement } from '../database/statement.js';
import type { Lru } from '../lib/lru.js';
import type { CursorCodec, RootReads } from './model.js';
import type { ReadModel } from './operation.js';
import type { PlanCache } from './plan.js';
import type { PointReadBatcher } from './point-read-batcher.js';

/** What every reader of the process shares. */
export interface ReadSource {
  kysely: Kysely<unknown>;
  model: ReadModel;
  roots: RootReads;
  metadata: MetadataStorage;
  /** Codecs of cursors by the names that listings give them. */
  cursorCodecs: ReadonlyMap<string, CursorCodec>;
  plans: PlanCache;
  /** Statements of several plans together, by the plans' names. */
  joined: Lru<string, Statement>;
  execute: Execute;
  /** Whether statements that read many rows look at the clock themselves: nothing else ends them. */
  areSelfLimiting: boolean;
  /** Runs what reads single rows. */
  pointReads: PointReadBatcher;
}
