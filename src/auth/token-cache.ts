import type { Authenticate } from './tokens.js';
import type { Viewer } from './viewer.js';

/** How long a checked token is believed before it is checked again: a key that the provider withdraws counts so long. */
const BELIEVED_MS = 60_000;
const MAXIMUM_TOKENS = 1_000;

/**
 * Checks a token once a minute instead of once a request. Only tokens that hold are remembered, never for longer than
 * they count; revocations are asked at each request, elsewhere.
 */
export function rememberTokens(authenticate: Authenticate, now: () => number = Date.now): Authenticate {
  const known = new Map<string, { viewer: Viewer; until: number }>();
  const check = async (authorization: string): Promise<Viewer> => {
    known.delete(authorization);
    const viewer = await authenticate(authorization);
    const until = Math.min(now() + BELIEVED_MS, viewer.validUntil ?? 0);
    known.set(authorization, { viewer, until });
    // A Map keeps the order of insertion: the first one is the oldest.
    if (known.size > MAXIMUM_TOKENS) known.delete(known.keys().next().value as string);
    return viewer;
  };
  return (authorization) => {
    if (authorization === undefined) return authenticate(authorization);
    const found = known.get(authorization);
    return found && now() < found.until ? found.viewer : check(authorization);
  };
}
