import type { ApolloServerPlugin } from '@apollo/server';
import { type DocumentNode, GraphQLError, parse } from 'graphql';
import type { Context } from '../../context/context.js';
import { isRefusal, type OperationRules } from '../../execution/prepare.js';
import { ErrorCode } from '../../graphql/errors.js';
import { limits } from '../../graphql/limits.js';

/**
 * Hands Apollo documents that are checked, as the other transports do: what graphql-js throws while it validates would
 * otherwise be an internal error. Apollo parses and validates only where there is no document yet; it does so to tell
 * what is wrong in its own order, where that is more than one thing.
 */
export function checkedDocuments({ check }: Pick<OperationRules, 'check'>): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async () => {
      let refusal: GraphQLError | undefined;
      return {
        didResolveSource: async (request) => {
          const checked = check(request.source, request.contextValue.viewer);
          const changing = request as { document?: DocumentNode };
          if (!isRefusal(checked)) {
            changing.document = checked;
            return;
          }
          const parsed = parsedOrNull(request.source);
          if (checked.length !== 1 || !parsed) return;
          refusal = checked[0];
          changing.document = parsed;
        },
        didResolveOperation: async () => {
          if (refusal) throw withStatus(refusal);
        },
      };
    },
  };
}

function parsedOrNull(text: string): DocumentNode | null {
  try {
    return parse(text, { maxTokens: limits.tokens });
  } catch {
    return null;
  }
}

/** The refusal with the status that Apollo is to answer it with. */
function withStatus(refusal: GraphQLError): GraphQLError {
  const status = refusal.extensions['code'] === ErrorCode.INTERNAL_SERVER_ERROR ? 500 : 400;
  const { nodes, source, positions } = refusal;
  const extensions = { ...refusal.extensions, http: { status } };
  return new GraphQLError(refusal.message, { nodes, source, positions, extensions });
}
