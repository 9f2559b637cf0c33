import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Caller, TestGateway } from './gateway.js';

/** What an operation answers, whichever way it went in. */
export interface Outcome {
  // biome-ignore lint/suspicious/noExplicitAny: untyped documents answer untyped data
  data?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  errors?: any[];
}

/** Runs one operation of a document. */
export type Run = (document: string, variables?: Record<string, unknown>, as?: Caller | null) => Promise<Outcome>;

/** The ways in: the same guards stand at each. */
export const transports = ['HTTP', 'WebSocket'] as const;
export type Transport = (typeof transports)[number];

/** How to run operations of one kind of transport. */
export function over(transport: Transport, gateway: TestGateway): Run {
  if (transport === 'HTTP') {
    return async (document, variables = {}, as = 'GLOBAL_ADMIN') => {
      const { data, errors } = await gateway.run(document, variables, as);
      return { data, errors };
    };
  }
  return async (query, variables = {}, as = 'GLOBAL_ADMIN') => {
    const token = as === null ? null : typeof as === 'string' ? await gateway.token(as) : as.token;
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: token ? { authorization: `Bearer ${token}` } : {},
      retryAttempts: 0,
    });
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        let outcome: Outcome | undefined;
        client.subscribe(
          { query, variables },
          {
            next: (result) => {
              outcome = result as Outcome;
            },
            // Refused before it ran: a list of errors, not a result with some.
            error: (refused) => (Array.isArray(refused) ? resolve({ errors: refused }) : reject(refused)),
            complete: () => resolve(outcome ?? {}),
          },
        );
      });
    } finally {
      await client.dispose();
    }
  };
}
