import type { Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import { RefusalPace } from '../../cost/refusal-pace.js';
import { networkOf } from '../../lib/network.js';

/**
 * Addresses whose connections were cut off for what they sent. What comes with a connection is read before anybody knows
 * who sends it: whoever is cut off again and again has new connections read later, fifty a second.
 */
export class Cuts {
  private readonly pace = new RefusalPace();
  private readonly isTrusted: ReturnType<typeof proxyAddr.compile>;

  constructor(trustedProxies: readonly string[]) {
    this.isTrusted = proxyAddr.compile([...trustedProxies]);
  }

  /** Notes that a connection is cut off. */
  note(socket: Socket): void {
    const address = this.addressOf(socket);
    if (address !== null) this.pace.note(address);
  }

  /** Lets a new connection wait before it is read, where its address was cut off lately. */
  delay(socket: Socket): void {
    const address = this.addressOf(socket);
    const wait = address === null ? null : this.pace.wait(address);
    if (!wait) return;
    socket.pause();
    void wait.then(() => socket.resume());
  }

  /** Null: a proxy's, which are those of many. */
  private addressOf({ remoteAddress }: Socket): string | null {
    return remoteAddress === undefined || this.isTrusted(remoteAddress, 0) ? null : networkOf(remoteAddress);
  }
}
