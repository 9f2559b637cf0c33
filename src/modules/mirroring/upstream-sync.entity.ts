import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { SyncKind } from '../../domain/sync-kind.js';

/** How far the mirror is, by what it reads: whoever goes on after an interruption goes on from there. */
export const UpstreamSync = defineEntity({
  name: 'UpstreamSync',
  tableName: 'upstream_syncs',
  properties: {
    kind: p.enum(Object.values(SyncKind)).primary(),
    /** When the pass that is under way began; null between two. */
    startedAt: p.datetime(3).nullable(),
    /** Where it is, in words of the upstream or as a day; null: at the beginning. */
    position: p.text().nullable(),
    /** When a pass was last complete. */
    finishedAt: p.datetime(3).nullable(),
    /** When something of it was last read. */
    succeededAt: p.datetime(3).nullable(),
    /** What the pass has read so far, or the last one in all. */
    read: p.integer().default(0),
    /** Failures since something was last read, and what went wrong last. */
    failures: p.integer().default(0),
    failedAt: p.datetime(3).nullable(),
    lastError: p.text().nullable(),
    /** Since when it does not work, as the log has told. */
    brokenSince: p.datetime(3).nullable(),
  },
});
export type UpstreamSync = InferEntity<typeof UpstreamSync>;
