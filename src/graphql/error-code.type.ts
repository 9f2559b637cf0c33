import { GraphQLEnumType } from 'graphql';
import { ErrorCode } from './errors.js';

/** What each code asks of a client. A new code does not compile without its sentence. */
const meanings: Record<ErrorCode, string> = {
  UNAUTHENTICATED:
    'No token was sent where one is needed, or the token does not hold. Where `extensions.expired` is true the token, or the key that signed it, is past its time, and a fresh token mends it.',
  TOKEN_EXPIRED:
    'The token ended while the operation ran. Come back with a new one; send a mutation again with the same `idempotencyKey`, because it may have been done.',
  FORBIDDEN: 'The roles of the token do not allow the field. `extensions.coordinate` names it.',
  BAD_USER_INPUT:
    'An argument or a variable has the wrong form. `extensions.field` is the path to it, where it is known.',
  LIMIT_EXCEEDED:
    'The request, its answer or the number of requests is larger than the gateway allows. `extensions.limit` names the limit, where it has a name; of the limit `cost`, `extensions.cost` says what was asked, allowed and left.',
  RATE_LIMITED:
    'You have spent what you may spend in a while. Try again after `extensions.retryAfter` seconds; a stream goes on after its last cursor. `extensions.cost` says what was asked, allowed and left.',
  CURSOR_EXPIRED:
    'The cursor was given by another database, or by this one before it was restored. Read the list from its start.',
  GRAPHQL_PARSE_FAILED: 'The document is not well-formed GraphQL; `locations` says where it breaks.',
  GRAPHQL_VALIDATION_FAILED: 'The document does not fit the schema, as when it selects a field that does not exist.',
  OPERATION_RESOLUTION_FAILURE:
    'The document holds several operations and `operationName` names none of them, or it holds none.',
  BAD_REQUEST: 'The request is not GraphQL over HTTP, or its address does not exist.',
  DOCUMENT_NOT_TRUSTED: 'The roles of the token run only documents that the gateway trusts, and this is none of them.',
  PERSISTED_QUERY_NOT_FOUND:
    'The gateway does not know a document with this hash or `documentId`. Send it once more with its full text.',
  PERSISTED_QUERY_NOT_SUPPORTED: 'The gateway takes no hashes in the place of documents. Send the full text.',
  TIMEOUT: 'The statement took longer than the role allows. Ask for a smaller page, or with a narrower filter.',
  UNAVAILABLE:
    'The gateway is stopping, its database or the identity provider is out of reach, or somebody else holds what the operation needs. Try again in a few seconds, or after `extensions.retryAfter` seconds where it is there; a mutation with the same `idempotencyKey`, because it may have been done.',
  INTERNAL_SERVER_ERROR:
    'Something went wrong inside the gateway. `extensions.id` finds it in the log: tell it to support.',
};

/** The enum of `extensions.code`. No field has it as its type: the schema lists it, so that clients can generate from it. */
export const ErrorCodeEnum = new GraphQLEnumType({
  name: 'ErrorCode',
  description:
    'Every value of `extensions.code` in the `errors` of an answer, whichever transport it came by. Errors are failures that are no part of a result; refusals that a caller can act on are a `Problem` instead. No field returns this enum.',
  values: Object.fromEntries(Object.values(ErrorCode).map((code) => [code, { description: meanings[code] }])),
});
