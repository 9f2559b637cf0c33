import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { Viewer } from '../auth/viewer.js';
import type { Context } from '../context/context.js';
import { codedError, ErrorCode, maskError, type ReportInternalError } from '../graphql/errors.js';
import { limitRules, limits, refusalBehind } from '../graphql/limits.js';
import { Lru } from '../lib/lru.js';

/** What a stream is told when its client must come back with a new token. */
export const TOKEN_EXPIRED = 'Token expired';
/** What a stream is told when its client should stay away. */
export const ACCESS_REVOKED = 'Access revoked';
/** A timer of Node holds at most this long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Documents that are not parsed and validated again, and their characters together. */
const MAXIMUM_DOCUMENTS = 1_000;
const MAXIMUM_CHARACTERS = 1_000_000;

/** An operation as clients send it, whichever protocol it came by. */
export interface OperationRequest {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

/** What WebSockets and event streams do alike with operations: the same limits, the same masking. */
export interface OperationRules {
  /** Parsed, validated, within the limits: ready to run; else why not. The context is made only then. */
  prepare(request: OperationRequest, context: () => Context): ExecutionArgs | readonly GraphQLError[];
  /** Errors as clients may see them; what they may not is in the log. */
  mask(errors: readonly GraphQLError[]): GraphQLError[];
  /** A result as clients may see it: errors masked, one more for each denied field. */
  finished(result: ExecutionResult, context: Context): ExecutionResult;
}

/** The rules for operations on a schema. */
export function operationRules(schema: GraphQLSchema, report: ReportInternalError): OperationRules {
  const rules = [...specifiedRules, ...limitRules];
  /** Valid documents by text: when a gateway ends, thousands come back with the same few. */
  const valid = new Lru<string, DocumentNode>(MAXIMUM_DOCUMENTS, MAXIMUM_CHARACTERS);
  const mask = (errors: readonly GraphQLError[]) => errors.map((error) => maskError(error, report));
  return {
    mask,
    finished: (result, context) => {
      const errors = [...mask(result.errors ?? []), ...context.denials.errors];
      return { ...result, errors: errors.length > 0 ? errors : undefined };
    },
    prepare: ({ query, operationName, variables }, context) => {
      let document = valid.get(query);
      if (!document) {
        try {
          document = parse(query, { maxTokens: limits.tokens });
        } catch (error) {
          return [told(ErrorCode.GRAPHQL_PARSE_FAILED, error as GraphQLError)];
        }
        const errors = validate(schema, document, rules);
        if (errors.length > 0) return errors.map((error) => told(ErrorCode.GRAPHQL_VALIDATION_FAILED, error));
        valid.set(query, document, query.length);
      }
      if (!getOperationAST(document, operationName))
        return [codedError(ErrorCode.OPERATION_RESOLUTION_FAILURE, 'Say in operationName which operation to run.')];
      return { schema, document, operationName, variableValues: variables, contextValue: context() };
    },
  };
}

/** An error of parsing or validating with its code, and its place in the document. */
function told(code: ErrorCode, error: GraphQLError): GraphQLError {
  const { message, nodes, source, positions } = error;
  return refusalBehind(error) ?? codedError(code, message, { nodes, source, positions });
}

/** Runs `expired` when the viewer's token does. @returns how to call it off */
export function atExpiry({ expiresAt }: Viewer, expired: () => void): () => void {
  if (expiresAt === null) return () => undefined;
  const timer = setTimeout(expired, Math.min(expiresAt - Date.now(), LONGEST_TIMER_MS));
  timer.unref();
  return () => clearTimeout(timer);
}

/** A stream of results out of a stream of events; ending it ends its source. */
export function mapped<Event, Result>(
  source: AsyncIterable<Event>,
  map: (event: Event) => Promise<Result>,
): AsyncIterableIterator<Result> {
  const iterator = source[Symbol.asyncIterator]();
  const ended: IteratorReturnResult<undefined> = { value: undefined, done: true };
  return {
    next: async () => {
      const { value, done } = await iterator.next();
      return done ? ended : { value: await map(value), done: false };
    },
    return: async () => {
      await iterator.return?.();
      return ended;
    },
    // graphql-sse ends only what has all three.
    throw: async (error) => {
      await iterator.return?.();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
