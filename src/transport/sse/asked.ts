import type { FastifyRequest } from 'fastify';

/** Whether a request takes event streams. */
export function acceptsEvents(accept: string | undefined): boolean {
  return accept === undefined || /text\/event-stream|text\/\*|\*\/\*/i.test(accept);
}

/** Whether what a request asks names its document by something else than its text, which graphql-sse wants there. */
export function lacksQuery(asked: unknown): asked is Record<string, unknown> {
  if (typeof asked !== 'object' || asked === null) return false;
  return !('query' in asked) && ('documentId' in asked || 'extensions' in asked);
}

/** Whether a request asks for anything. */
export const namesDocument = (asked: unknown): boolean =>
  typeof asked === 'object' && asked !== null && ('query' in asked || lacksQuery(asked));

/** Names a trusted document in the place of its text. */
export const documentIdOf = ({ method, query, body }: FastifyRequest): unknown =>
  ((method === 'POST' ? body : query) as { documentId?: unknown } | null | undefined)?.documentId;

/** Where the client resumes a stream. */
export function lastEventId({ headers }: FastifyRequest): string | null {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}
