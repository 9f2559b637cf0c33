import type { Viewer } from '../auth/viewer.js';
import { codedError, ErrorCode } from '../graphql/errors.js';

/** What a client is told that must come back with a new token. */
export const TOKEN_EXPIRED = 'Token expired';
/** What an operation is told that runs when the token ends. */
export const tokenExpired = () =>
  codedError(
    ErrorCode.TOKEN_EXPIRED,
    'Your token has ended. Come back with a new one; send a mutation again with the same idempotencyKey, as it may have been done.',
    { extensions: { expired: true } },
  );

/** Node keeps a timer at most this long: longer ones run at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `expired` when the viewer's token counts no longer, however far that is. @returns how to call it off */
export function atExpiry({ validUntil }: Viewer, expired: () => void): () => void {
  if (validUntil === null) return () => undefined;
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = validUntil - Date.now();
    timer = setTimeout(left > LONGEST_TIMER_MS ? wait : expired, Math.min(left, LONGEST_TIMER_MS));
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}

/** Whether the viewer's token has ended. */
export function isExpired({ validUntil }: Viewer): boolean {
  return validUntil !== null && Date.now() >= validUntil;
}

/** @throws TOKEN_EXPIRED where the viewer's token has ended */
export function requireUnexpired(viewer: Viewer): void {
  if (isExpired(viewer)) throw tokenExpired();
}
