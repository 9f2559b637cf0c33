/** Codes of GraphQL errors that trying again does not mend. */
const FATAL_CODES = [
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'CURSOR_EXPIRED',
  'DOCUMENT_NOT_TRUSTED',
  'PERSISTED_QUERY_NOT_FOUND',
  'GRAPHQL_VALIDATION_FAILED',
  'GRAPHQL_PARSE_FAILED',
];
/** Codes of closed sockets that mean "stay away". */
const FATAL_CLOSE_CODES = [4400, 4401, 4406];
/** Statuses of refused event streams. */
const FATAL_STATUSES = [400, 401, 403, 406, 413, 415];

interface Cause {
  /** GraphQL errors: of a result, of Apollo Client. */
  errors?: readonly unknown[];
  /** The same, of urql. */
  graphQLErrors?: readonly unknown[];
  /** What broke, of urql. */
  networkError?: unknown;
  /** The close code of a socket. */
  code?: unknown;
  reason?: unknown;
  /** The response that graphql-sse hands on. */
  response?: { status?: number; headers?: { get?(name: string): string | null } };
  /** Apollo Client tells a closed socket in words. */
  message?: unknown;
}

/** The gateway refused: trying again with the same token, document and cursor is in vain. */
export class FeedRefused extends Error {
  override name = 'FeedRefused';

  /** @param cause what your client told: GraphQL errors, a closed socket, a refused response */
  constructor(cause: unknown) {
    super(`The gateway refused the feed: ${wordsOf(cause)}`, { cause });
  }
}

function wordsOf(cause: unknown): string {
  const { errors, graphQLErrors, networkError, code, reason, message } = (cause ?? {}) as Cause;
  const told = Array.isArray(cause) ? cause : [...(errors ?? []), ...(graphQLErrors ?? [])];
  if (told.length > 0) return told.map((error) => (error as { message?: unknown }).message).join(' ');
  if (typeof code === 'number') return `socket closed with ${code} ${reason ?? ''}`.trim();
  return networkError ? wordsOf(networkError) : String(message ?? cause);
}

/** Whether the gateway refused, as graphql-ws, graphql-sse, Apollo Client and urql tell it. An expired token is none. */
export function isRefusal(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null) return false;
  if (cause instanceof FeedRefused) return true;
  const { errors, graphQLErrors, networkError, code, response, message }: Cause = cause;
  const told = Array.isArray(cause) ? cause : [...(errors ?? []), ...(graphQLErrors ?? [])];
  if (told.some(isFatal)) return true;
  if (FATAL_STATUSES.includes(response?.status ?? 0)) return !isExpired(response);
  const closedWith = code ?? /^Socket closed with event (\d{4})/.exec(String(message))?.[1];
  return FATAL_CLOSE_CODES.includes(Number(closedWith)) || isRefusal(networkError);
}

/** Whether a refused response says that the token, or its key, is past its time: a new one will do. */
function isExpired(response: Cause['response']): boolean {
  return response?.headers?.get?.('www-authenticate')?.includes('"expired"') ?? false;
}

function isFatal(error: unknown): boolean {
  const { code, expired } = (error as { extensions?: { code?: string; expired?: boolean } } | null)?.extensions ?? {};
  return code !== undefined && FATAL_CODES.includes(code) && expired !== true;
}
