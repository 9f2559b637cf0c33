import type { ApolloServerPlugin } from '@apollo/server';
import type { Context } from '../../context/context.js';
import { admitOperation, confirmOperation, costTold } from '../../execution/admission.js';
import { isRefusedDocument } from './apollo-checked-documents.js';

/** Judges what operations cost before Apollo runs them, and tells it to who asks. */
export const judgeCost: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ document, operation, request, contextValue }) => {
      // Apollo comes here also where the document names no operation to run, or is refused.
      if (!operation || isRefusedDocument(document) || operation.operation === 'subscription') return;
      const refusal =
        admitOperation(contextValue, document, operation, request.variables) ?? (await confirmOperation(contextValue));
      if (refusal) throw refusal;
    },
    willSendResponse: async ({ response, contextValue }) => {
      const told = costTold(contextValue);
      if (!told || response.body.kind !== 'single') return;
      response.body.singleResult.extensions = { ...response.body.singleResult.extensions, ...told };
    },
  }),
};
