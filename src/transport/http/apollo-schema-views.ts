import { type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import type { SchemaViews } from '../../auth/schema-views.js';
import type { Context } from '../../context/context.js';
import { executeIntrospection, introspectionRefused, isIntrospective } from '../../execution/introspection.js';
import { messagesFor } from '../../execution/messages.js';
import { few } from '../../graphql/echoes.js';
import { ErrorCode, MAXIMUM_ERRORS, maskError, type ReportInternalError } from '../../graphql/errors.js';

/**
 * Answers introspection as far as its caller may use the schema, and lets errors about variables name what is
 * in that part alone.
 */
export function schemaViews(views: SchemaViews, report: ReportInternalError): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ document, operation, contextValue: { viewer } }) => {
        if (operation && isIntrospective(document, operation) && !views.of(viewer))
          throw introspectionRefused(document, operation, viewer);
      },
      responseForOperation: async ({ schema, document, operation, request, contextValue }) => {
        const view = operation && isIntrospective(document, operation) && views.of(contextValue.viewer);
        if (!view) return null;
        const { variables: variableValues, operationName } = request;
        const args = { schema, document, operationName, variableValues, contextValue, hideSuggestions: true };
        const { data, errors } = await executeIntrospection(args, operation, view);
        contextValue.services.queries.executed += 1;
        const told = errors?.map((error) => maskError(error, report).toJSON());
        return {
          http: { status: data === undefined ? 400 : undefined, headers: new HeaderMap() },
          body: {
            kind: 'single',
            singleResult: { ...(told && { errors: told }), ...(data !== undefined && { data }) },
          },
        };
      },
      willSendResponse: async ({ document, contextValue, response: { body } }) => {
        if (body.kind !== 'single' || !document || !body.singleResult.errors) return;
        const { errors } = body.singleResult;
        const { viewer } = contextValue;
        const isOfVariables = ({ path, extensions }: (typeof errors)[number]) =>
          path === undefined && extensions?.['code'] === ErrorCode.BAD_USER_INPUT;
        if (!errors.some(isOfVariables)) return;
        const messages = messagesFor(errors, document, views.usable(viewer), views.of(viewer) !== null);
        const told = errors.map((error, index) =>
          isOfVariables(error) ? { ...error, message: messages[index] as string } : error,
        );
        body.singleResult.errors = body.singleResult.data === undefined ? few(told, MAXIMUM_ERRORS) : told;
      },
    }),
  };
}
