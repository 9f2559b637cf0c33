import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../../lib/loopback.js';

/** Headers by which proxies say that they ask for somebody else. */
const OF_PROXIES = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Whether a request comes from this very machine, and knows it: also the host that it asks for must be loopback. A page
 * of another site whose name was made to lead here (DNS rebinding) sends that name.
 */
export function isLoopbackRequest({ socket, headers }: FastifyRequest): boolean {
  if (OF_PROXIES.some((name) => headers[name] !== undefined)) return false;
  const host = (headers.host ?? '').replace(/:\d+$/, '');
  return isLoopback(socket.remoteAddress ?? '') && isLoopback(host);
}
