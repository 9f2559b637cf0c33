import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { type DocumentNode, getOperationAST } from 'graphql';
import { connection, type Report } from './connection';
import { post } from './gateway-http';
import { connectSocket, subscribe } from './gateway-socket';

/** The gateway as one caller sees it, over HTTP and WebSocket. */
export interface Gateway {
  fetcher: Fetcher;
  /** Closes the socket, which ends what is subscribed, and reports nothing any more. */
  dispose(): void;
}

/** Connects as the holder of the token (null: anonymous). The socket opens when the first subscription needs it. */
export function connectGateway(token: string | null): Gateway {
  let isCurrent = true;
  const report: Report = {
    http: (status) => isCurrent && connection.http.set(status),
    socket: (status) => isCurrent && connection.socket.set(status),
  };
  report.http({ state: 'checking' });
  report.socket({ state: 'idle' });
  const socket = connectSocket(token, report);
  return {
    fetcher: (params, options) =>
      isSubscription(params, options?.documentAST) ? subscribe(socket, params) : post(params, token, report),
    dispose() {
      isCurrent = false;
      void socket.dispose();
    },
  };
}

function isSubscription({ operationName }: FetcherParams, document?: DocumentNode): boolean {
  return document ? getOperationAST(document, operationName)?.operation === 'subscription' : false;
}
