import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { connection, type Report } from './connection';
import { post } from './gateway-http';
import { connectSocket, subscribe } from './gateway-socket';

/** The gateway as one caller sees it, over HTTP and WebSocket. */
export interface Gateway {
  fetcher: Fetcher;
  /** Closes the socket, which ends what is subscribed, and reports nothing any more. */
  dispose(): void;
}

/**
 * Connects as the holder of a token (null: anonymous), which is asked for each time, as it may be renewed. The socket
 * opens when the first subscription needs it.
 */
export function connectGateway(tokenOf: () => string | null): Gateway {
  let isCurrent = true;
  const report: Report = {
    http: (status) => isCurrent && connection.http.set(status),
    socket: (status) => isCurrent && connection.socket.set(status),
  };
  report.http({ state: 'checking' });
  report.socket({ state: 'idle' });
  const socket = connectSocket(tokenOf, report);
  return {
    fetcher(params) {
      const operation = operationOf(params);
      const request = { ...params, operationName: operation?.name?.value };
      return operation?.operation === 'subscription' ? subscribe(socket, request) : post(request, tokenOf(), report);
    },
    dispose() {
      isCurrent = false;
      void socket.dispose();
    },
  };
}

/**
 * The operation to run. Right after a change of tab GraphiQL still names the one of the tab before, so a name that is
 * not in the document gives way to the only operation there is. What does not parse is left to the gateway to judge.
 */
function operationOf({ query, operationName }: FetcherParams): OperationDefinitionNode | null {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document) ?? null;
  } catch {
    return null;
  }
}
