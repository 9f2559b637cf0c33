import type { ApolloServerPlugin } from '@apollo/server';
import { type DocumentNode, type GraphQLError, parse } from 'graphql';
import type { Context } from '../../context/context.js';
import { isRefusal, type OperationRules } from '../../execution/prepare.js';
import { withStatus } from './refusal.js';

/** Stands for a document that is refused: Apollo parses and validates only where there is no document yet. */
const REFUSED = parse('{ __typename }');

/** Whether a document stands for one that is refused. */
export const isRefusedDocument = (document: DocumentNode): boolean => document === REFUSED;

/**
 * Hands Apollo documents that are checked as on the other transports, once, and tells what was wrong with them. Apollo
 * takes one error before it runs anything; the others are added to its answer.
 */
export function checkedDocuments({ check }: Pick<OperationRules, 'check'>): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async () => {
      let refusal: readonly GraphQLError[] = [];
      return {
        didResolveSource: async (request) => {
          const checked = check(request.source, request.contextValue);
          if (isRefusal(checked)) refusal = checked;
          (request as { document?: DocumentNode }).document = isRefusal(checked) ? REFUSED : checked;
        },
        didResolveOperation: async () => {
          const [first] = refusal;
          if (first) throw withStatus(first);
        },
        willSendResponse: async ({ response: { body } }) => {
          if (refusal.length > 0 && body.kind === 'single')
            body.singleResult.errors = refusal.map((error) => error.toJSON());
        },
      };
    },
  };
}
