import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KnownTokens } from '../../auth/token-cache.js';
import type { ClientAddress } from '../../lib/client-address.js';
import { FairQueue } from '../../lib/fair-queue.js';
import { networkOf } from '../../lib/network.js';
import { WATCHED } from './watched.js';

/** Begins a request when its caller's turn comes. */
export type InTurn = (request: IncomingMessage, begin: () => void) => void;

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Lets requests begin in turns, whatever they ask for and however they are answered: whoever sends hundreds at once, of
 * which each is cheap or refused, has others wait for a few of them. A caller is who the token says where it is known,
 * else the address: nothing is checked before the turn.
 */
export function requestsInTurn({ known }: KnownTokens, addressOf: ClientAddress): InTurn {
  const queue = new FairQueue();
  const callerOf = (request: IncomingMessage): string => {
    const { url = '', headers } = request;
    // Who watches the gateway waits for nobody else at the same address.
    if (WATCHED.test(url)) return 'operators';
    const { authorization } = headers;
    const identity = authorization === undefined ? undefined : known(authorization)?.identity;
    return identity?.key ?? `address ${networkOf(addressOf(request))}`;
  };
  return (request, begin) => queue.enter(callerOf(request), begin);
}

/** The same for the handshakes of WebSockets, whose listeners are there already. */
export function upgradesInTurn(server: Server, inTurn: InTurn): void {
  const listeners = server.listeners('upgrade') as Upgrade[];
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Nobody listens before its turn: a connection that is lost meanwhile is no failure of the process.
    const lost = () => socket.destroy();
    socket.on('error', lost);
    inTurn(request, () => {
      socket.off('error', lost);
      if (socket.destroyed) return;
      for (const listener of listeners) listener.call(server, request, socket, head);
    });
  });
}
