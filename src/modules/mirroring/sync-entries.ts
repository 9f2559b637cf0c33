import { randomUUID } from 'node:crypto';
import { recordActivity } from '../../activity-log/record-activity.js';
import type { Em } from '../../database/orm.js';
import type { SyncKind } from '../../domain/sync-kind.js';
import { upstreamActor } from './cancel-lines.js';
import type { Mirror } from './mirror.js';
import { noteFailure, noteSuccess } from './sync-states.js';

/** Longest text of a failure that an entry has. */
const TEXT_LENGTH = 500;

/** Notes that something was read, and tells it where nothing could be before. */
export async function succeeded(em: Em, kind: SyncKind): Promise<void> {
  if (await noteSuccess(em, kind)) tell(em, 'UPSTREAM_HEALED', kind, null);
}

/** Notes that nothing could be read, and tells it once, when that has happened several times in a row. */
export async function failed({ inTransaction }: Mirror, kind: SyncKind, message: string, times = 1): Promise<void> {
  await inTransaction(async (em) => {
    if (await noteFailure(em, kind, message, times)) tell(em, 'UPSTREAM_BROKEN', kind, message.slice(0, TEXT_LENGTH));
  });
}

function tell(em: Em, action: 'UPSTREAM_BROKEN' | 'UPSTREAM_HEALED', syncKind: SyncKind, problem: string | null): void {
  recordActivity(em, {
    action,
    outcome: action === 'UPSTREAM_BROKEN' ? 'FAILED' : 'SUCCEEDED',
    actor: upstreamActor,
    customerId: null,
    resource: { type: 'UPSTREAM', id: syncKind, label: syncKind },
    correlationId: randomUUID(),
    detail: { syncKind, syncProblem: problem },
  });
}
