import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import type { SchemaViews } from '../auth/schema-views.js';
import type { Viewer } from '../auth/viewer.js';
import type { Context } from '../context/context.js';
import { points } from '../cost/points.js';
import { clientGone } from '../database/cancellable-pool.js';
import { FeedSubscription } from '../feed/delivery/subscription.js';
import {
  asGraphQLError,
  codedError,
  ErrorCode,
  MAXIMUM_ERRORS,
  maskError,
  type ReportInternalError,
} from '../graphql/errors.js';
import type { Refusals } from '../graphql/refusals.js';
import type { AbortFlag } from '../lib/abort-flag.js';
import type { Turns } from '../lib/turns.js';
import { admitOperation, confirmOperation, costTold, refundRefused, tellsCost, variablesFit } from './admission.js';
import type { DocumentCache } from './documents.js';
import { executeIntrospection, introspectionRefused, isIntrospective } from './introspection.js';
import { messagesFor } from './messages.js';
import { hashNotFound, noted, persistedHash, type TrustedDocuments } from './trusted-documents.js';
import { type Checked, misplacedNulls, validDocument } from './valid-document.js';

/** An operation as clients send it, whichever protocol it came by. */
export interface OperationRequest {
  query?: string | null | undefined;
  /** Names a trusted document, in the place of `query`. */
  documentId?: unknown;
  extensions?: Record<string, unknown> | null | undefined;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

/**
 * What the transports do alike with operations: the same limits, the same masking. None of it throws: what graphql-js or
 * a library throws instead of answering becomes the operation's answer, and ends nothing beside it.
 */
export interface OperationRules {
  /** Waits for a caller's turn to have a text parsed and validated, where that has not been done already and somebody waits. */
  waitFor(text: string | null | undefined, caller: string, turns: Turns, abort: AbortFlag): Promise<void>;
  /**
   * The document of a text: parsed, validated, within the limits; else what is wrong with it. Whoever is the first to
   * send one pays for that by its size.
   */
  check(text: string, context: Context): Checked;
  /** Parsed, validated, within the limits: ready to run; else why not. */
  prepare(request: OperationRequest, context: () => Context): ExecutionArgs | readonly GraphQLError[];
  /** Runs what is prepared and no subscription, unless its client has gone meanwhile. What it asks of the schema is answered as far as its caller may use it. */
  execute(args: ExecutionArgs): Promise<ExecutionResult>;
  /** Opens the source of a prepared subscription; else why it does not begin, with errors as clients may see them. */
  subscribe(args: ExecutionArgs): Promise<FeedSubscription | { errors: GraphQLError[] }>;
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
  trusted: TrustedDocuments;
  report: ReportInternalError;
}

/** The rules for operations on a schema. */
export function operationRules({ schema, views, documents, trusted, report }: OperationRulesOptions): OperationRules {
  const tell = (viewer: Viewer) => (errors: readonly GraphQLError[], document: DocumentNode) =>
    messagesFor(errors, document, views.usable(viewer), views.of(viewer) !== null);
  const mask = (errors: readonly GraphQLError[]) => errors.map((error) => maskError(error, report));
  const check: OperationRules['check'] = (text, context) =>
    orRefusal(() => {
      const cached = documents.find(text);
      if (cached) return cached.document;
      const { services, viewer } = context;
      const overBudget = services.costs.read(context, text.length);
      if (overBudget) return mask([overBudget]);
      const checked = validDocument(schema, text, tell(viewer));
      if (isRefusal(checked)) {
        noteLimits(checked, services.refusals);
        return checked;
      }
      services.costs.refund(context, points.operation);
      documents.add(text, checked);
      return checked;
    }, mask);
  return {
    mask,
    waitFor: async (text, caller, turns, abort) => {
      const isKnown = () => documents.find(text ?? undefined) !== undefined;
      if (!isKnown()) await (text ? turns.takeOnce(caller, text, isKnown, abort) : turns.take(caller, abort));
    },
    check,
    toClientResult: (result, context) => {
      const { denials } = context;
      const errors = [...denials.others(mask(result.errors ?? [])), ...denials.errors];
      const told = costTold(context);
      return {
        ...result,
        errors: errors.length > 0 ? errors : undefined,
        ...(told && { extensions: { ...result.extensions, ...told } }),
      };
    },
    prepare: ({ operationName, variables, ...asked }, context) =>
      orRefusal(() => {
        const contextValue = context();
        contextValue.tellsCost ||= tellsCost(undefined, asked.extensions);
        const { viewer } = contextValue;
        const hash = persistedHash(asked.extensions);
        const query = trusted.resolve({ ...asked, hash }, viewer) ?? (hash === undefined ? '' : hashNotFound());
        if (query instanceof GraphQLError) return [noted(query, contextValue)];
        const document = check(query, contextValue);
        if (isRefusal(document)) return document;
        const operation = getOperationAST(document, operationName);
        if (!operation)
          return [codedError(ErrorCode.OPERATION_RESOLUTION_FAILURE, 'Say in operationName which operation to run.')];
        if (isIntrospective(document, operation) && !views.of(viewer))
          return [introspectionRefused(document, operation, viewer)];
        if (operation.operation === 'subscription') {
          const misplaced = misplacedNulls(schema, document, operation, variables);
          if (misplaced.length > 0) return misplaced;
        }
        const isRunnable = variablesFit(schema, operation, variables);
        const refusal = admitOperation(contextValue, document, operation, variables, isRunnable);
        if (refusal) return mask([refusal]);
        // What a variable's value may have been meant for is not said: the whole schema would say it.
        return {
          schema,
          document,
          operationName,
          variableValues: variables,
          contextValue,
          hideSuggestions: true,
          options: { maxCoercionErrors: MAXIMUM_ERRORS },
        };
      }, mask),
    execute: async (args) => {
      const operation = getOperationAST(args.document, args.operationName) as OperationDefinitionNode;
      const context = args.contextValue as Context;
      const { viewer } = context;
      try {
        const refusal = await confirmOperation(context);
        if (refusal) return { errors: [refusal] };
        if (context.abort?.aborted) return { errors: [clientGone()] };
        const view = isIntrospective(args.document, operation) && views.of(viewer);
        const result = await (view ? executeIntrospection(args, operation, view) : execute(args));
        refundRefused(context, result.data);
        // It was not begun: a variable does not fit.
        if (result.data !== undefined || !result.errors) return result;
        const messages = tell(viewer)(result.errors, args.document);
        const errors = result.errors.map((error, index) => new GraphQLError(messages[index] as string, error));
        return { ...result, errors };
      } catch (error) {
        return { data: null, errors: [asGraphQLError(error)] };
      }
    },
    subscribe: async (args) => {
      try {
        const source = await createSourceEventStream(args);
        // Nobody would end its delivery.
        if ((args.contextValue as Context).abort?.aborted) return { errors: [clientGone()] };
        return source instanceof FeedSubscription ? source : { errors: mask((source as ExecutionResult).errors ?? []) };
      } catch (error) {
        return { errors: mask([asGraphQLError(error)]) };
      }
    },
  };
}

/** Counts the limits that a document is beyond, on whichever transport it came: each once. */
function noteLimits(errors: readonly GraphQLError[], refusals: Refusals): void {
  const names = errors.flatMap(({ extensions }) => (extensions['limit'] === undefined ? [] : [extensions['limit']]));
  for (const name of new Set(names)) refusals.note(String(name));
}

/** What `work` answers; what it throws, masked, as a refusal. */
function orRefusal<Answer>(
  work: () => Answer | readonly GraphQLError[],
  mask: OperationRules['mask'],
): Answer | readonly GraphQLError[] {
  try {
    return work();
  } catch (error) {
    return mask([asGraphQLError(error)]);
  }
}

/** Whether there is nothing to run, but errors to tell. */
export function isRefusal(prepared: object): prepared is readonly GraphQLError[] {
  return Array.isArray(prepared);
}
