import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { ErrorCode } from '../../graphql/errors.js';
import type { Origins } from '../origins.js';
import { answerPreflight, isPreflight } from './cors.js';
import { refuse } from './refusal.js';

/**
 * Notes which methods every address takes. Once all are there, call what it answers: then OPTIONS says them, and any
 * other method is refused with 405 rather than as an address that is not there.
 */
export function answerOtherMethods(app: FastifyInstance, origins: Origins): () => void {
  const byAddress = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = byAddress.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    byAddress.set(url, methods);
  });
  return () => {
    // CONNECT asks for a tunnel, which Node refuses itself.
    const known = METHODS.filter((method) => method !== 'CONNECT');
    for (const method of known) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
    for (const [url, taken] of [...byAddress]) {
      const allowed = [...taken, 'OPTIONS'].toSorted().join(', ');
      app.route({
        url,
        method: known.filter((method) => !taken.has(method)) as never,
        exposeHeadRoute: false,
        // Before a body is read.
        onRequest: async (request, reply) => {
          reply.header('allow', allowed);
          if (isPreflight(request)) return answerPreflight(request, reply, origins, allowed);
          if (request.method === 'OPTIONS') return reply.code(204).send();
          const message = `This address takes ${allowed}, not ${request.method}.`;
          return refuse(reply, 405, ErrorCode.BAD_REQUEST, message);
        },
        handler: () => undefined,
      });
    }
  };
}
