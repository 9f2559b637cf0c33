import type { Viewer } from '../auth/viewer.js';

/** What a client is told that must come back with a new token. */
export const TOKEN_EXPIRED = 'Token expired';
/** Node keeps a timer at most this long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `expired` when the viewer's token does. @returns how to call it off */
export function atExpiry({ expiresAt }: Viewer, expired: () => void): () => void {
  if (expiresAt === null) return () => undefined;
  const timer = setTimeout(expired, Math.min(expiresAt - Date.now(), LONGEST_TIMER_MS));
  timer.unref();
  return () => clearTimeout(timer);
}
