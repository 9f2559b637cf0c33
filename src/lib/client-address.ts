import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';

/** The address that a request comes from, over whichever transport. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * Tells addresses: of the connection, or, where that is a trusted proxy's, of whom the proxy says that it asks for
 * (`X-Forwarded-For`), without the port that some proxies add. Anybody may send that header: of nobody else is it believed.
 */
export function clientAddress(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return ({ headers, socket }) => {
    let address = socket.remoteAddress ?? 'unknown';
    const told = headers['x-forwarded-for'];
    if (told === undefined || !isTrusted(address, 0)) return address;
    // Each hop has added whom it was asked by, the last one at the end.
    for (const hop of String(told).split(',').reverse()) {
      const before = withoutPort(hop.trim());
      if (isIP(before) === 0) break;
      address = before;
      if (!isTrusted(address, 0)) break;
    }
    return address;
  };
}

/** `203.0.113.7:51432` and `[2001:db8::7]:51432` without the port. */
function withoutPort(hop: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(hop) ?? [];
  return bracketed ?? plain ?? hop;
}
