import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLErrorOptions, Kind } from 'graphql';
import { isOutOfReach } from '../lib/connection-errors.js';
import { withShortEchoes } from './echoes.js';

/** The closed list of `extensions.code`: failures that are not part of a mutation's result. No other code leaves. */
export const ErrorCode = {
  /** No token, or none that holds, where one is needed. */
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  /** The token ended while the operation ran: whether a mutation was done is not said. */
  TOKEN_EXPIRED: 'TOKEN_EXPIRED',
  /** The viewer's roles may not read the field or do what was asked. */
  FORBIDDEN: 'FORBIDDEN',
  /** An argument or a variable is not of the form asked for. */
  BAD_USER_INPUT: 'BAD_USER_INPUT',
  /** The document or the request is larger than the limits allow. */
  LIMIT_EXCEEDED: 'LIMIT_EXCEEDED',
  /** The user has spent what a user may spend in a while. */
  RATE_LIMITED: 'RATE_LIMITED',
  /** A feed cursor from another database, or from one since restored. */
  CURSOR_EXPIRED: 'CURSOR_EXPIRED',
  /** The document is not GraphQL. */
  GRAPHQL_PARSE_FAILED: 'GRAPHQL_PARSE_FAILED',
  /** The document does not fit the schema. */
  GRAPHQL_VALIDATION_FAILED: 'GRAPHQL_VALIDATION_FAILED',
  /** Which operation of the document to run is not said, or not there. */
  OPERATION_RESOLUTION_FAILURE: 'OPERATION_RESOLUTION_FAILURE',
  /** The request is not GraphQL over HTTP. */
  BAD_REQUEST: 'BAD_REQUEST',
  /** The viewer's roles run only documents that the gateway trusts, and this is none of them. */
  DOCUMENT_NOT_TRUSTED: 'DOCUMENT_NOT_TRUSTED',
  PERSISTED_QUERY_NOT_FOUND: 'PERSISTED_QUERY_NOT_FOUND',
  PERSISTED_QUERY_NOT_SUPPORTED: 'PERSISTED_QUERY_NOT_SUPPORTED',
  /** The statement took longer than the role's limit. */
  TIMEOUT: 'TIMEOUT',
  /**
   * The gateway is stopping, its database or the identity provider is out of reach, or somebody else holds what is
   * needed: try again, perhaps on another one.
   */
  UNAVAILABLE: 'UNAVAILABLE',
  /** Ours to mend. The id in the message is in the log. */
  INTERNAL_SERVER_ERROR: 'INTERNAL_SERVER_ERROR',
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** Errors that are told of one document, or of the variables of one operation. */
export const MAXIMUM_ERRORS = 10;

/** An error with one of the codes, safe to show. */
export function codedError(code: ErrorCode, message: string, options: GraphQLErrorOptions = {}): GraphQLError {
  return new GraphQLError(withShortEchoes(message), { ...options, extensions: { ...options.extensions, code } });
}

/** A value at the door that is not what it should be. `field` is the path to it, such as `input.lines.0.quantity`. */
export function badUserInput(field: string, rightForm: string): GraphQLError {
  return codedError(ErrorCode.BAD_USER_INPUT, `${field}: ${rightForm}`, { extensions: { field } });
}

/** Whatever was thrown, as graphql-js wraps what a resolver throws. */
export function asGraphQLError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

const codes = new Set<string>(Object.values(ErrorCode));

/** Who is told of an error that nobody foresaw. */
export type ReportInternalError = (id: string, error: unknown) => void;

/**
 * What the client sees of an error: foreseen ones as they are, any other masked, with an id that is in the log.
 * Both transports use it.
 */
export function maskError(error: GraphQLError, report: ReportInternalError): GraphQLError {
  const { nodes, path } = error;
  const code = error.extensions['code'];
  const cause = error.originalError;
  // What graphql-js itself raises has no code: a variable that does not fit, told with its definition and the scalar's
  // own error, or another mistake in the request, told without a cause.
  const isOfVariable = nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION;
  if (code === undefined && (isOfVariable || cause === undefined || cause === null || isOfArgument(cause)))
    return forClients(error, ErrorCode.BAD_USER_INPUT);
  if (typeof code === 'string' && codes.has(code) && code !== ErrorCode.INTERNAL_SERVER_ERROR)
    return forClients(error, code);
  if (isStatementTimeout(cause)) {
    return codedError(
      ErrorCode.TIMEOUT,
      'The statement took longer than allowed. Ask for less: a smaller page, a narrower filter.',
      { nodes, path },
    );
  }
  const id = randomUUID();
  report(id, cause ?? error);
  if (isOutOfReach(cause)) {
    return codedError(
      ErrorCode.UNAVAILABLE,
      `The database is out of reach. Try again in a few seconds; a mutation with the same idempotencyKey, as it may have been done. Support finds it by this id: ${id}`,
      { nodes, path, extensions: { id } },
    );
  }
  return codedError(ErrorCode.INTERNAL_SERVER_ERROR, `Something went wrong on our side. Tell support this id: ${id}`, {
    nodes,
    path,
    extensions: { id },
  });
}

/** The same without what is Apollo's own business: the stack, and the status that the error asked for. */
function forClients(error: GraphQLError, code: string): GraphQLError {
  const { nodes, source, positions, path } = error;
  const { stacktrace: _stacktrace, http: _http, ...extensions } = error.extensions;
  return new GraphQLError(withShortEchoes(error.message), {
    nodes,
    source,
    positions,
    path,
    extensions: { ...extensions, code },
  });
}

/**
 * An argument that graphql-js could not coerce, of a field or a directive, such as a variable sent as null where it
 * must not be. Told of its value or its directive; what a resolver answered wrongly is told of its field, or of nothing.
 */
function isOfArgument(cause: unknown): boolean {
  if (!(cause instanceof GraphQLError) || cause.extensions['code'] !== undefined) return false;
  const kind = cause.nodes?.[0]?.kind;
  return kind !== undefined && kind !== Kind.FIELD;
}

function isStatementTimeout(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && (cause as { code?: string }).code === '57014';
}
