import { type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import type { Context } from '../../context/context.js';
import { answerCompiled } from '../../execution/compiled-query.js';
import { EXPLAIN_HEADER, explain } from '../../execution/explain.js';
import type { ReportInternalError } from '../../graphql/errors.js';

/**
 * Answers queries by reads where they can be; any other operation is executed as usual, and answers the same.
 */
export function compiledQueries(report: ReportInternalError): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async () => {
      const began = performance.now();
      let isCompiled = false;
      return {
        responseForOperation: async ({ schema, document, operation, request, contextValue }) => {
          const result = await answerCompiled({
            context: contextValue,
            schema,
            document,
            operation,
            variables: request.variables,
            report,
          });
          if (!result) return null;
          isCompiled = true;
          return {
            http: { headers: new HeaderMap() },
            body: { kind: 'single', singleResult: result as { data: Record<string, unknown> } },
          };
        },
        executionDidStart: async ({ operation, contextValue }) => {
          // Apollo comes here also where the document names no operation to run.
          if ((operation as typeof operation | undefined)?.operation === 'query')
            contextValue.services.queries.executed += 1;
        },
        willSendResponse: async ({ request, response, contextValue }) => {
          if (response.body.kind !== 'single') return;
          const header = request.http?.headers.get(EXPLAIN_HEADER);
          const told = explain(header, contextValue, isCompiled ? 'compiled' : 'executed', 'new', began);
          if (told) response.body.singleResult.extensions = { ...response.body.singleResult.extensions, ...told };
        },
      };
    },
  };
}
