import { createHash } from 'node:crypto';
import type { UnitOfWork } from '../../context/transaction.js';
import { insert } from '../../database/writes.js';
import { isProblem, Problem } from '../../domain/problem.js';
import { IdempotencyKey } from './access.entity.js';

/** Rule 5: at least 40 days, so that a key outlasts the 30-day window. */
const KEPT_DAYS = 45;

/** Rule 5: the key was used before with another input. */
export class IdempotencyKeyReused extends Problem {
  readonly code = 'IDEMPOTENCY_KEY_REUSED';
  readonly message = 'This idempotencyKey was used before with another input. Make a new key for a new request.';
}

/** Rule 5: the first request with this key has not ended yet. */
export class RequestInProgress extends Problem {
  readonly code = 'REQUEST_IN_PROGRESS';
  readonly message = 'A request with this idempotencyKey is still in flight. Send the same again in a moment.';
}

/**
 * Does the work once per caller, operation and key (rule 5): the same key and input get the first success again. The
 * answer commits together with what was done. A refusal has no effect and stores nothing: the key stays free. A crash
 * leaves nothing in flight: the mark is a lock of the transaction.
 */
export async function withIdempotency<Success extends object>(
  { em, viewer, now, key: taken }: UnitOfWork,
  input: object,
  work: () => Promise<Success | Problem>,
): Promise<Success | Problem> {
  if (!viewer.identity || !taken) throw new Error('what is done once needs a token and its key');
  const { operation, key, isTaken, knownFingerprint, knownAnswer } = taken;
  if (!isTaken) return new RequestInProgress();
  const fingerprint = createHash('sha256').update(canonical(input)).digest('hex');
  if (knownFingerprint !== null)
    return knownFingerprint === fingerprint ? (knownAnswer as Success) : new IdempotencyKeyReused();
  const result = await work();
  if (isProblem(result)) return result;
  insert(em, IdempotencyKey, {
    caller: viewer.identity.key,
    operation,
    key,
    fingerprint,
    answer: result as Record<string, unknown>,
    createdAt: now,
    expiresAt: new Date(now.getTime() + KEPT_DAYS * 86_400_000),
  });
  return result;
}

/**
 * JSON with its keys in order, so that equal inputs have equal text. An optional field of an input means the same where it
 * is null as where it is left out, at every depth: clients that write it either way send the same.
 */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part)
            .filter(([, field]) => field !== null)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : part,
  );
}
