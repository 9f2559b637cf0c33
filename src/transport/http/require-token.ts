import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLError } from 'graphql';
import { ACCESS_REVOKED } from '../../auth/revocations.js';
import type { Authenticate } from '../../auth/tokens.js';
import type { Viewer } from '../../auth/viewer.js';
import type { Services } from '../../context/context.js';
import { ErrorCode } from '../../graphql/errors.js';
import { refusalBody } from './refusal.js';

/** What a challenge says of the token that came (RFC 6750, 3.1). */
type TokenError = 'invalid_token' | 'insufficient_scope';

/** The challenge where no token came: it names no error. */
export const CHALLENGE = 'Bearer realm="csp-graph"';

/** The challenge of a refused token. @param why nothing of the token's own: it stands in a header */
export function challengeFor(error: TokenError, why: string): string {
  return `${CHALLENGE}, error="${error}", error_description="${why.replace(/"/g, "'").replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}"`;
}

/**
 * Tells who asks. A bad token is refused with 401, other than none at all: that is the anonymous viewer. One that cannot
 * be checked now is answered with 503.
 */
export function requireValidToken({ revocations }: Pick<Services, 'revocations'>, authenticate: Authenticate) {
  const accept = (request: FastifyRequest, viewer: Viewer): undefined => {
    request.viewer = viewer;
    const refusal = revocations.refusal(viewer);
    if (refusal) throw refusal;
  };
  /** @returns the answer where the caller is refused, at once where their token is known */
  return (
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply | undefined | Promise<FastifyReply | undefined> => {
    const { authorization } = request.headers;
    try {
      const viewer = authenticate(authorization);
      if (!(viewer instanceof Promise)) return accept(request, viewer);
      return viewer
        .then((known) => accept(request, known))
        .catch((error: unknown) => refuseToken(reply, authorization, error));
    } catch (error) {
      return refuseToken(reply, authorization, error);
    }
  };
}

/** Answers why a token is not taken. @throws what is no refusal */
function refuseToken(reply: FastifyReply, authorization: string | undefined, error: unknown): FastifyReply {
  const { message, extensions = {} } = error as GraphQLError;
  const { code, expired, retryAfter = 2 } = extensions;
  if (code === ErrorCode.UNAUTHENTICATED) {
    // Beside the sentence: whether a new token will do.
    const shown = { message, extensions: { code, ...(expired ? { expired } : {}) } };
    // Clients of event streams see no more of a refusal than status and headers.
    const challenge = challengeOf(authorization, expired ? 'expired' : message);
    return reply
      .code(401)
      .header('www-authenticate', challenge)
      .send({ errors: [shown] });
  }
  if (code !== ErrorCode.UNAVAILABLE) throw error;
  const shown = { message, extensions: { code, retryAfter } };
  return reply
    .code(503)
    .header('retry-after', String(retryAfter))
    .send({ errors: [shown] });
}

/** Who sends something other than a token is told what to send, and of no error in it. */
function challengeOf(authorization: string | undefined, why: string): string {
  return /^Bearer\b/i.test(authorization ?? '') ? challengeFor('invalid_token', why) : CHALLENGE;
}

/** What was read for somebody who was revoked meanwhile does not leave: they are answered as if they had asked now. */
export function withheldFromRevoked({ revocations }: Pick<Services, 'revocations'>) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    if (!revocations.covers(request.viewer)) return payload;
    for (const name of ['etag', 'content-length', 'content-encoding']) reply.removeHeader(name);
    reply.code(401).type('application/json; charset=utf-8');
    reply.header('cache-control', 'no-store').header('www-authenticate', challengeFor('invalid_token', ACCESS_REVOKED));
    return JSON.stringify(refusalBody(ErrorCode.UNAUTHENTICATED, ACCESS_REVOKED));
  };
}
