import { createHash } from 'node:crypto';
import type { UnitOfWork } from '../../context/transaction.js';
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
  unit: UnitOfWork,
  operation: string,
  key: string,
  input: object,
  work: () => Promise<Success | Problem>,
): Promise<Success | Problem> {
  const { em, viewer, now } = unit;
  if (!viewer.identity) throw new Error(`${operation} was let in without a token`);
  const caller = viewer.identity.key;
  const [lock] = await em.execute<[{ taken: boolean }]>(
    'select pg_try_advisory_xact_lock(hashtextextended(?, 0)) as "taken"',
    [JSON.stringify([caller, operation, key])],
  );
  if (!lock.taken) return new RequestInProgress();
  const fingerprint = createHash('sha256').update(canonical(input)).digest('hex');
  const known = await em.findOne(IdempotencyKey, { caller, operation, key, expiresAt: { $gt: now } });
  if (known) return known.fingerprint === fingerprint ? (known.answer as Success) : new IdempotencyKeyReused();
  const result = await work();
  if (isProblem(result)) return result;
  // A few that have expired leave with each that comes: the table keeps its size without a job of its own.
  await em.execute(
    'delete from "idempotency_keys" where ctid in (select ctid from "idempotency_keys" where "expires_at" < ? limit 5 for update skip locked)',
    [now],
  );
  // In the place of an expired one, if there is one.
  await em.upsert(IdempotencyKey, {
    caller,
    operation,
    key,
    fingerprint,
    answer: result as Record<string, unknown>,
    createdAt: now,
    expiresAt: new Date(now.getTime() + KEPT_DAYS * 86_400_000),
  });
  return result;
}

/** JSON with its keys in order, so that equal inputs have equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
