import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Identity } from '../../auth/identity.js';
import type { KnownTokens } from '../../auth/token-cache.js';
import type { ClientAddress } from '../../lib/client-address.js';
import { FairQueue } from '../../lib/fair-queue.js';
import { networkOf } from '../../lib/network.js';

/** Addresses of operators. */
export const WATCHED = /^\/(health|metrics)\b/;

/** Begins a request when its caller's turn comes. */
export type InTurn = (request: IncomingMessage, begin: () => void) => void;

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Lets requests begin in turns, whatever they ask for and however they are answered: whoever sends hundreds at once, of
 * which each is cheap or refused, has others wait for a few of them. A caller is who the token says where it is known,
 * else the address: nothing is checked before the turn.
 */
export class Callers {
  private readonly queue = new FairQueue();

  constructor(
    private readonly tokens: KnownTokens,
    private readonly addressOf: ClientAddress,
  ) {}

  /** Who sends a request, where their token came before. */
  identityOf({ headers: { authorization } }: IncomingMessage): Identity | undefined {
    return authorization === undefined ? undefined : (this.tokens.known(authorization)?.identity ?? undefined);
  }

  readonly inTurn: InTurn = (request, begin) => this.queue.enter(this.keyOf(request), begin);

  /** Lets handshakes of WebSockets begin in turn too; their listeners are there already. */
  queueUpgrades(server: Server): void {
    const listeners = server.listeners('upgrade') as Upgrade[];
    server.removeAllListeners('upgrade');
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Nobody else listens before its turn: a connection that is lost meanwhile is no failure of the process.
      const lost = () => socket.destroy();
      socket.on('error', lost);
      this.inTurn(request, () => {
        socket.off('error', lost);
        if (socket.destroyed) return;
        for (const listener of listeners) listener.call(server, request, socket, head);
      });
    });
  }

  /** Lets new connections of an address be read in turn: what comes first with each of them is read at once. */
  readInTurn(socket: Socket, wait: Promise<unknown> | null): void {
    let [isBegun, isPaused] = [false, false];
    const begin = () => {
      isBegun = true;
      if (isPaused) socket.resume();
    };
    const enter = () => this.queue.enter(`connection ${networkOf(socket.remoteAddress ?? 'gone')}`, begin);
    if (wait) void wait.then(enter);
    else enter();
    if (isBegun) return;
    isPaused = true;
    socket.pause();
  }

  private keyOf(request: IncomingMessage): string {
    // Who watches the gateway waits for nobody else at the same address.
    if (WATCHED.test(request.url ?? '')) return 'operators';
    return this.identityOf(request)?.key ?? `address ${networkOf(this.addressOf(request))}`;
  }
}
