import type { Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import { RefusalPace } from '../../cost/refusal-pace.js';
import { networkOf } from '../../lib/network.js';

/**
 * Addresses whose connections were cut off for what they sent, or brought many requests at once. What comes with a
 * connection is read before anybody knows who sends it: whoever does so again and again has new connections read later,
 * fifty a second.
 */
export class Cuts {
  private readonly pace = new RefusalPace();
  private readonly isTrusted: ReturnType<typeof proxyAddr.compile>;

  constructor(trustedProxies: readonly string[]) {
    this.isTrusted = proxyAddr.compile([...trustedProxies]);
  }

  /** Notes that a connection is cut off, or brings more at once. */
  note(socket: Socket): void {
    const address = this.addressOf(socket);
    if (address !== null) this.pace.note(address);
  }

  /** How long a new connection waits before it is read; null: not at all. */
  wait(socket: Socket): Promise<unknown> | null {
    const address = this.addressOf(socket);
    return address === null ? null : this.pace.wait(address);
  }

  /** Null: a proxy's, which are those of many. */
  private addressOf({ remoteAddress }: Socket): string | null {
    return remoteAddress === undefined || this.isTrusted(remoteAddress, 0) ? null : networkOf(remoteAddress);
  }
}
