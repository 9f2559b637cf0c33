import type { ApolloServerPlugin, GraphQLResponse } from '@apollo/server';
import type { Context } from '../../context/context.js';
import { admitOperation, confirmOperation, costTold, refundRefused, variablesFit } from '../../execution/admission.js';
import { ErrorCode } from '../../graphql/errors.js';
import { isRefusedDocument } from './apollo-checked-documents.js';
import { httpOf, withStatus } from './refusal.js';

/** Judges what operations cost before Apollo runs them, and tells it to who asks. */
export const judgeCost: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ schema, document, operation, request, contextValue }) => {
      // Apollo comes here also where the document names no operation to run, or is refused.
      if (!operation || isRefusedDocument(document) || operation.operation === 'subscription') return;
      const { variables } = request;
      const isRunnable = variablesFit(schema, operation, variables);
      const refusal =
        admitOperation(contextValue, document, operation, variables, isRunnable) ??
        (await confirmOperation(contextValue));
      if (refusal) throw withStatus(refusal);
    },
    willSendResponse: async ({ operation, response, contextValue }) => {
      if (operation?.operation === 'mutation') {
        tellLimited(response);
        if (response.body.kind === 'single') refundRefused(contextValue, response.body.singleResult.data);
      }
      const told = costTold(contextValue);
      if (!told || response.body.kind !== 'single') return;
      response.body.singleResult.extensions = { ...response.body.singleResult.extensions, ...told };
    },
  }),
};

/** A mutation of which nothing was done, as its user has no attempts left, is answered like one beyond the budget. */
function tellLimited({ body, http }: GraphQLResponse): void {
  if (body.kind !== 'single') return;
  const { data, errors = [] } = body.singleResult;
  const limited = errors.find(({ extensions }) => extensions?.['code'] === ErrorCode.RATE_LIMITED);
  if (!limited || errors.length > 1 || Object.values(data ?? {}).some((value) => value !== null)) return;
  const { status, headers } = httpOf(limited.extensions ?? {});
  http.status = status;
  for (const [name, value] of headers) http.headers.set(name, value);
}
