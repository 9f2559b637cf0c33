import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { reachable } from '../../auth/access-rule.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { inLockOrder } from '../../database/lock-order.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId } from '../../domain/ids.js';
import { Problem } from '../../domain/problem.js';
import { withIdempotency } from '../access/idempotency.js';
import { supportRequestAccess } from './support-request.access.js';
import { SupportNote, SupportRequest, SupportRequestStatus, supportRequestMoves } from './support-request.entity.js';

/** Most notes of one request. */
export const MAXIMUM_NOTES = 100;

/** There is no such request, or it is not the viewer's: both look the same. */
export class SupportRequestNotFound extends Problem {
  readonly code = 'SUPPORT_REQUEST_NOT_FOUND';
  readonly message = 'There is no such support request. Find it with supportRequests.';
}

/** A request goes from one state to some others only. */
export class SupportStatusNotReachable extends Problem {
  readonly code = 'SUPPORT_STATUS_NOT_REACHABLE';
  readonly message: string;
  constructor(
    readonly status: SupportRequestStatus,
    readonly reachable: readonly SupportRequestStatus[],
  ) {
    super();
    this.message = `The request is ${status}. From there it can become ${reachable.join(' or ')}.`;
  }
}

/** The request has as many notes as it may have. */
export class TooManyNotes extends Problem {
  readonly code = 'TOO_MANY_NOTES';
  readonly message = `A support request has at most ${MAXIMUM_NOTES} notes. Submit a new one that names it.`;
}

export interface UpdateSupportRequest {
  idempotencyKey: string;
  /** Id of the request's row. */
  supportRequestId: string;
  /** Null: it stays as it is. */
  status: SupportRequestStatus | null;
  note: string | null;
}

/**
 * Changes the state of a support request, adds a note to it, or both (rule 21). Answers the request's id,
 * SupportRequestNotFound, SupportStatusNotReachable, TooManyNotes, IdempotencyKeyReused or RequestInProgress.
 */
export function updateSupportRequest(
  unit: UnitOfWork,
  input: UpdateSupportRequest,
): Promise<{ supportRequestId: string } | Problem> {
  const { idempotencyKey, ...asked } = input;
  return withIdempotency(unit, asked, async () => {
    const { em, viewer, now, correlationId } = unit;
    const reached = reachable(supportRequestAccess['Mutation.updateSupportRequest'], viewer);
    const request = reached && (await em.findOne(SupportRequest, { id: input.supportRequestId, ...reached }));
    if (!request) return new SupportRequestNotFound();
    await em.refresh(request, { lockMode: inLockOrder(em, 'SUPPORT_REQUEST') });
    const before = request.status;
    const moves = supportRequestMoves[before];
    if (input.status && !moves.includes(input.status)) return new SupportStatusNotReachable(before, moves);
    if (input.note !== null) {
      if ((await em.count(SupportNote, { supportRequest: request })) >= MAXIMUM_NOTES) return new TooManyNotes();
      em.persist(
        em.create(SupportNote, {
          id: newId(),
          supportRequest: request,
          text: input.note,
          createdAt: now,
          createdBy: viewer.userPrincipalName,
        }),
      );
    }
    request.status = input.status ?? before;
    recordActivity(em, {
      action: 'SUPPORT_REQUEST_UPDATED',
      outcome: 'SUCCEEDED',
      actor: actorOf(viewer),
      customerId: request.customer.id,
      orderId: request.order?.id ?? null,
      resource: { type: 'SUPPORT_REQUEST', id: toGlobalId('SupportRequest', request.id), label: request.number },
      correlationId,
      detail: {
        supportRequestNumber: request.number,
        statusBefore: before,
        status: request.status,
        noteAdded: input.note !== null,
      },
    });
    return { supportRequestId: request.id };
  });
}
