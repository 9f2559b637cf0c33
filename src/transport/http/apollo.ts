import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { unwrapResolverError } from '@apollo/server/errors';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Context } from '../../context/context.js';
import { stringifyResult, withDenials } from '../../execution/compiled-query.js';
import { withoutSuggestion } from '../../execution/messages.js';
import { type OperationRulesOptions, operationRules } from '../../execution/prepare.js';
import { codedError, ErrorCode, maskError, type ReportInternalError } from '../../graphql/errors.js';
import { refusalBehind } from '../../graphql/limits.js';
import { checkedDocuments } from './apollo-checked-documents.js';
import { compiledQueries } from './apollo-compiled-queries.js';
import { judgeCost } from './apollo-cost.js';
import { schemaViews } from './apollo-schema-views.js';
import { trustedDocuments } from './apollo-trusted-documents.js';

/** Apollo Server over the graph: it speaks HTTP and executes; documents are checked, and errors told, by our own rules. */
export function createApollo(options: OperationRulesOptions): ApolloServer<Context> {
  const { schema, views, report, trusted } = options;
  return new ApolloServer<Context>({
    schema,
    // Who may see what of the schema the plugin says.
    introspection: true,
    // Documents are kept in one cache for all transports.
    documentStore: null,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: false,
    // The server around it stops it, after the sockets have been told.
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => toClientError(formatted, error, report),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      trustedDocuments(trusted),
      checkedDocuments(operationRules(options)),
      refuseSubscriptions,
      judgeCost,
      schemaViews(views, report),
      tellDenials,
      compiledQueries(report),
    ],
    stringifyResult: stringifyResult as never,
  });
}

/** Executed like a query a subscription would fail somewhere inside: it is told at the door where streams are. */
const refuseSubscriptions: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation }) => {
      if (operation?.operation !== 'subscription') return;
      throw codedError(
        ErrorCode.BAD_REQUEST,
        'Subscriptions run over WebSocket at the same address, by the protocol graphql-transport-ws, or as event streams at /graphql/stream.',
        { extensions: { http: { status: 400 } } },
      );
    },
  }),
};

/** Adds the refusals of the operation. */
const tellDenials: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    willSendResponse: async ({ contextValue, response }) => {
      if (response.body.kind !== 'single') return;
      const result = response.body.singleResult;
      result.errors = withDenials(result.errors, contextValue.denials);
    },
  }),
};

/** An error as clients may see it. */
function toClientError(
  formatted: GraphQLFormattedError,
  error: unknown,
  report: ReportInternalError,
): GraphQLFormattedError {
  // What was judged after the document was has its code already.
  const { cost, code } = formatted.extensions ?? {};
  const refused = cost === undefined && code !== ErrorCode.RATE_LIMITED ? refusalBehind(formatted) : null;
  if (refused) return { ...refused.toJSON(), locations: formatted.locations };
  const original = unwrapResolverError(error);
  const known =
    error instanceof GraphQLError
      ? error
      : new GraphQLError(formatted.message, { originalError: original as Error, extensions: formatted.extensions });
  const masked = maskError(known, report).toJSON();
  return {
    ...masked,
    message: withoutSuggestion(masked.message),
    locations: masked.locations ?? formatted.locations,
    path: masked.path ?? formatted.path,
  };
}
