import type { GraphQLError } from 'graphql';
import { CloseCode } from 'graphql-ws';
import type { Logger } from 'pino';
import { codedError, ErrorCode } from '../../graphql/errors.js';
import type { Refusals } from '../../graphql/refusals.js';

/** RFC 6455's registry: clients of graphql-ws come back after it, later each time. */
export const TRY_AGAIN_LATER = 1013;
const MAXIMUM_OPERATIONS_PER_SOCKET = 50;
/** Characters of an operation's id: every message of the operation repeats it. */
const MAXIMUM_ID = 128;
/** Characters of a subscription: it is kept for as long as the stream is open. */
const MAXIMUM_SUBSCRIPTION = 64 * 1024;
/** Characters of a message that is no operation: a ping's payload comes back with its pong. */
const MAXIMUM_MESSAGE = 4 * 1024;
/** Characters of `connection_init`, as many as the headers of a request may have: nobody has said yet who asks. */
const MAXIMUM_INTRODUCTION = 16 * 1024;
const MAXIMUM_REASON_BYTES = 123;

/**
 * How a socket is closed whose token was not accepted. Clients stay away after 4401: trying again with the same token is
 * in vain. After 4403 they come back with a new one, after 1013 with the same.
 */
export function closingFor(error: unknown, log: Logger): { code: number; reason: string } {
  const { message, extensions = {} } = error as GraphQLError;
  const { code, expired } = extensions;
  if (code === ErrorCode.UNAVAILABLE) return { code: TRY_AGAIN_LATER, reason: shortened(message) };
  if (code !== ErrorCode.UNAUTHENTICATED) {
    log.error({ err: error }, 'a token could not be checked');
    return { code: TRY_AGAIN_LATER, reason: 'The token could not be checked. Try again.' };
  }
  return { code: expired ? CloseCode.Forbidden : CloseCode.Unauthorized, reason: shortened(message) };
}

/** A reason as a close frame can hold it: RFC 6455 allows 123 bytes. */
export function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  return bytes.length <= MAXIMUM_REASON_BYTES
    ? reason
    : `${bytes
        .subarray(0, MAXIMUM_REASON_BYTES - 3)
        .toString('utf8')
        .replace(/\uFFFD{1,3}$/, '')}…`;
}

/** Why an operation of a socket is refused before it is looked at. */
export function beyondLimits(id: string, running: number, refusals: Refusals): GraphQLError | null {
  if (running > MAXIMUM_OPERATIONS_PER_SOCKET)
    return beyond(
      'operationsPerSocket',
      `A socket may have ${MAXIMUM_OPERATIONS_PER_SOCKET} operations at once.`,
      refusals,
    );
  if (id.length > MAXIMUM_ID)
    return beyond('operationId', `An operation id may have ${MAXIMUM_ID} characters.`, refusals);
  return null;
}

/** Why a subscription is refused for its size. */
export function beyondSize(characters: number, refusals: Refusals): GraphQLError | null {
  return characters > MAXIMUM_SUBSCRIPTION
    ? beyond('subscriptionSize', `A subscription may have ${MAXIMUM_SUBSCRIPTION} characters.`, refusals)
    : null;
}

/** Why a ping, a pong or a `complete` is refused for its size, as a reason to close for. */
export function beyondMessage(characters: number, refusals: Refusals): string | null {
  if (characters <= MAXIMUM_MESSAGE) return null;
  refusals.note('messageSize');
  return `A message that is no operation may have ${MAXIMUM_MESSAGE} characters.`;
}

/** Why what comes before a socket is acknowledged is refused for its size, as a reason to close for: it bears a token, no more. */
export function beyondIntroduction(characters: number, refusals: Refusals): string | null {
  if (characters <= MAXIMUM_INTRODUCTION) return null;
  refusals.note('messageSize');
  return `connection_init may have ${MAXIMUM_INTRODUCTION} characters.`;
}

function beyond(limit: string, message: string, refusals: Refusals): GraphQLError {
  refusals.note(limit);
  return codedError(ErrorCode.LIMIT_EXCEEDED, message, { extensions: { limit } });
}
