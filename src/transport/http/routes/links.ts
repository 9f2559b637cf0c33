import type { FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import type { Services } from '../../../context/context.js';
import type { Release } from '../../bounds.js';
import { abortOnClose } from '../abort-on-close.js';
import { onceClosed } from '../once-closed.js';

/** Seconds after which to try again what had to wait too long. */
const RETRY_AFTER = 5;

/** A refusal in the form of the addresses that open by a link. */
export function refuseLink(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ code, message });
}

/**
 * Begins an attempt of the request's address at a link: refused, unless what is answered is called before its end.
 * @returns null where the address has none left, and is told so
 */
export async function attemptLink(
  { costs }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Release | null> {
  try {
    const end = await costs.links.begin(`link ${request.network}`);
    onceClosed(reply.raw, () => void end(true));
    return () => void end(false);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { code, retryAfter } = error.extensions;
    refuseLink(reply.header('retry-after', String(retryAfter)), 429, String(code), error.message);
    return null;
  }
}

/**
 * Does what a link asks of the database when the link's turn comes, whoever has it.
 * @param link whose turn it is: the link, or whoever made it
 * @param cost points of what it asks
 * @returns null where it would have to wait too long, which the client is told
 */
export async function inTurnOf<Result>(
  { lanes }: Services,
  link: string,
  reply: FastifyReply,
  work: () => Promise<Result>,
  cost = 0,
): Promise<Result | null> {
  const turn = { users: [`link ${link}`], cost, abort: abortOnClose(reply.raw) };
  let hasBegun = false;
  try {
    return await lanes.run(turn, () => {
      hasBegun = true;
      return work();
    });
  } catch (error) {
    if (hasBegun || !(error instanceof GraphQLError)) throw error;
    const { code } = error.extensions;
    refuseLink(reply.header('retry-after', String(RETRY_AFTER)), 503, String(code), error.message);
    return null;
  }
}
