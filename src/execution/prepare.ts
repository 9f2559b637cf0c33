import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { SchemaViews } from '../auth/schema-views.js';
import type { Viewer } from '../auth/viewer.js';
import type { Context } from '../context/context.js';
import { codedError, ErrorCode, maskError, type ReportInternalError } from '../graphql/errors.js';
import { limitRules, limits, refusalBehind } from '../graphql/limits.js';
import type { DocumentCache } from './documents.js';
import { executeIntrospection, introspectionRefused, isIntrospective } from './introspection.js';
import { messagesFor } from './messages.js';

/** An operation as clients send it, whichever protocol it came by. */
export interface OperationRequest {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

/** What WebSockets and event streams do alike with operations: the same limits, the same masking. */
export interface OperationRules {
  /** Parsed, validated, within the limits: ready to run; else why not. */
  prepare(request: OperationRequest, context: () => Context): ExecutionArgs | readonly GraphQLError[];
  /** Runs what is prepared and no subscription. What it asks of the schema is answered as far as its caller may use it. */
  execute(args: ExecutionArgs): Promise<ExecutionResult>;
  /** Errors as clients may see them; what they may not is in the log. */
  mask(errors: readonly GraphQLError[]): GraphQLError[];
  /** A result as clients may see it: errors masked, one more for each denied field. */
  toClientResult(result: ExecutionResult, context: Context): ExecutionResult;
}

/** What the rules are for. */
export interface OperationRulesOptions {
  schema: GraphQLSchema;
  /** What callers may see of it. */
  views: SchemaViews;
  documents: DocumentCache;
  report: ReportInternalError;
}

/** The rules for operations on a schema. */
export function operationRules({ schema, views, documents, report }: OperationRulesOptions): OperationRules {
  const tell = (viewer: Viewer) => (errors: readonly GraphQLError[], document: DocumentNode) =>
    messagesFor(errors, document, views.usable(viewer), views.of(viewer) !== null);
  const mask = (errors: readonly GraphQLError[]) => errors.map((error) => maskError(error, report));
  return {
    mask,
    toClientResult: (result, context) => {
      const errors = [...mask(result.errors ?? []), ...context.denials.errors];
      return { ...result, errors: errors.length > 0 ? errors : undefined };
    },
    prepare: ({ query, operationName, variables }, context) => {
      const contextValue = context();
      const { viewer } = contextValue;
      const cached = documents.find(query);
      const document = cached?.document ?? validated(schema, query, tell(viewer));
      if (isRefusal(document)) return document;
      if (!cached) documents.add(query, document);
      const operation = getOperationAST(document, operationName);
      if (!operation)
        return [codedError(ErrorCode.OPERATION_RESOLUTION_FAILURE, 'Say in operationName which operation to run.')];
      if (isIntrospective(document, operation) && !views.of(viewer))
        return [introspectionRefused(document, operation, viewer)];
      // What a variable's value may have been meant for is not said: the whole schema would say it.
      return { schema, document, operationName, variableValues: variables, contextValue, hideSuggestions: true };
    },
    execute: async (args) => {
      const operation = getOperationAST(args.document, args.operationName) as OperationDefinitionNode;
      const { viewer } = args.contextValue as Context;
      const view = isIntrospective(args.document, operation) && views.of(viewer);
      const result = await (view ? executeIntrospection(args, operation, view) : execute(args));
      // It was not begun: a variable does not fit.
      if (result.data !== undefined || !result.errors) return result;
      const messages = tell(viewer)(result.errors, args.document);
      return {
        ...result,
        errors: result.errors.map((error, index) => new GraphQLError(messages[index] as string, error)),
      };
    },
  };
}

const rules = [...specifiedRules, ...limitRules];

/** A document that holds, else what is wrong with it. */
function validated(
  schema: GraphQLSchema,
  query: string,
  tell: (errors: readonly GraphQLError[], document: DocumentNode) => string[],
): DocumentNode | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: limits.tokens });
  } catch (error) {
    return [toClientError(ErrorCode.GRAPHQL_PARSE_FAILED, error as GraphQLError)];
  }
  const errors = validate(schema, document, rules, { hideSuggestions: true });
  if (errors.length === 0) return document;
  const messages = tell(errors, document);
  return errors.map((error, index) => toClientError(ErrorCode.GRAPHQL_VALIDATION_FAILED, error, messages[index]));
}

/** Whether there is nothing to run, but errors to tell. */
export function isRefusal(prepared: object): prepared is readonly GraphQLError[] {
  return Array.isArray(prepared);
}

/** An error of parsing or validating with its code, and its place in the document. */
function toClientError(code: ErrorCode, error: GraphQLError, message = error.message): GraphQLError {
  const { nodes, source, positions } = error;
  return refusalBehind(error) ?? codedError(code, message, { nodes, source, positions });
}
