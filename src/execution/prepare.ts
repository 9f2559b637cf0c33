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
import type { Context } from '../context/context.js';
import { codedError, ErrorCode, maskError, type ReportInternalError } from '../graphql/errors.js';
import { limitRules, limits, refusalBehind } from '../graphql/limits.js';
import type { DocumentCache } from './documents.js';

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
  toClientResult(result: ExecutionResult, context: Context): ExecutionResult;
}

/** What the rules are for. */
export interface OperationRulesOptions {
  schema: GraphQLSchema;
  documents: DocumentCache;
  report: ReportInternalError;
}

/** The rules for operations on a schema. */
export function operationRules({ schema, documents, report }: OperationRulesOptions): OperationRules {
  const mask = (errors: readonly GraphQLError[]) => errors.map((error) => maskError(error, report));
  return {
    mask,
    toClientResult: (result, context) => {
      const errors = [...mask(result.errors ?? []), ...context.denials.errors];
      return { ...result, errors: errors.length > 0 ? errors : undefined };
    },
    prepare: ({ query, operationName, variables }, context) => {
      const cached = documents.find(query);
      const document = cached?.document ?? validated(schema, query);
      if (isRefusal(document)) return document;
      if (!cached) documents.add(query, document);
      if (!getOperationAST(document, operationName))
        return [codedError(ErrorCode.OPERATION_RESOLUTION_FAILURE, 'Say in operationName which operation to run.')];
      return { schema, document, operationName, variableValues: variables, contextValue: context() };
    },
  };
}

const rules = [...specifiedRules, ...limitRules];

/** A document that holds, else what is wrong with it. */
function validated(schema: GraphQLSchema, query: string): DocumentNode | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: limits.tokens });
  } catch (error) {
    return [toClientError(ErrorCode.GRAPHQL_PARSE_FAILED, error as GraphQLError)];
  }
  const errors = validate(schema, document, rules);
  return errors.length > 0
    ? errors.map((error) => toClientError(ErrorCode.GRAPHQL_VALIDATION_FAILED, error))
    : document;
}

/** Whether there is nothing to run, but errors to tell. */
export function isRefusal(prepared: object): prepared is readonly GraphQLError[] {
  return Array.isArray(prepared);
}

/** An error of parsing or validating with its code, and its place in the document. */
function toClientError(code: ErrorCode, error: GraphQLError): GraphQLError {
  const { message, nodes, source, positions } = error;
  return refusalBehind(error) ?? codedError(code, message, { nodes, source, positions });
}
