import type { ApolloServerPlugin, HTTPGraphQLRequest } from '@apollo/server';
import { GraphQLError } from 'graphql';
import type { Context } from '../../context/context.js';
import { noted, persistedHash, type TrustedDocuments } from '../../execution/trusted-documents.js';

/** Stands for what is refused: Apollo tells a refusal only of a document that it has read. */
const NOTHING = '{ __typename }';

/**
 * Understands `documentId` and refuses who is bound what is not trusted, before Apollo looks at its text: neither what is
 * wrong with it nor whether others have sent it is told.
 */
export function trustedDocuments(trusted: TrustedDocuments): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async ({ request, contextValue }) => {
      const { query, extensions } = request;
      const asked = { query, hash: persistedHash(extensions), documentId: documentIdOf(request.http) };
      const resolved = trusted.resolve(asked, contextValue.viewer);
      // Apollo says what is missing, and looks among the hashes that it has been sent.
      if (resolved === undefined || resolved === query) return {};
      const { persistedQuery: _hash, ...others } = extensions ?? {};
      request.extensions = others;
      if (!(resolved instanceof GraphQLError)) {
        request.query = resolved;
        return {};
      }
      request.query = NOTHING;
      request.operationName = undefined;
      return {
        didResolveOperation: async () => {
          throw noted(resolved, contextValue);
        },
      };
    },
  };
}

function documentIdOf(http: HTTPGraphQLRequest | undefined): unknown {
  if (http?.method !== 'GET') return (http?.body as { documentId?: unknown } | undefined)?.documentId;
  const [id, ...others] = new URLSearchParams(http.search).getAll('documentId');
  // Several are none: what is no text is refused.
  return others.length > 0 ? [id, ...others] : id;
}
