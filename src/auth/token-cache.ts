import type { Authenticate } from './tokens.js';
import type { Viewer } from './viewer.js';

/** How long a checked token is believed before it is checked again: a key that the provider withdraws counts so long. */
const BELIEVED_MS = 60_000;
const MAXIMUM_TOKENS = 1_000;

/** Tells who sends an `Authorization` value, and whether that is known already. */
export interface KnownTokens extends Authenticate {
  /** Who sends a value that was checked within the last minute; nothing is checked for it. */
  known(authorization: string): Viewer | undefined;
}

/**
 * Checks a token once a minute instead of once a request. Only tokens that hold are remembered, never for longer than
 * they count; revocations are asked at each request, elsewhere.
 */
export function rememberTokens(authenticate: Authenticate, now: () => number = Date.now): KnownTokens {
  const tokens = new Map<string, { viewer: Viewer; until: number }>();
  const check = async (authorization: string): Promise<Viewer> => {
    tokens.delete(authorization);
    const viewer = await authenticate(authorization);
    const until = Math.min(now() + BELIEVED_MS, viewer.validUntil ?? 0);
    tokens.set(authorization, { viewer, until });
    // A Map keeps the order of insertion: the first one is the oldest.
    if (tokens.size > MAXIMUM_TOKENS) tokens.delete(tokens.keys().next().value as string);
    return viewer;
  };
  const known = (authorization: string): Viewer | undefined => {
    const found = tokens.get(authorization);
    return found && now() < found.until ? found.viewer : undefined;
  };
  const remembering = (authorization: string | undefined) =>
    authorization === undefined ? authenticate(authorization) : (known(authorization) ?? check(authorization));
  return Object.assign(remembering, { known });
}
