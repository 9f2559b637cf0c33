import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';

/** The address that a request comes from, over whichever transport. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * Tells addresses: of the connection, or, where that is a trusted proxy's, of whom the proxy says that it asks for
 * (`X-Forwarded-For`). Anybody may send that header: of nobody else is it believed.
 */
export function clientAddress(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return (request) => {
    const told = proxyAddr(request, isTrusted);
    if (isIP(told)) return told;
    return request.socket.remoteAddress ?? 'unknown';
  };
}
