import type { ServerResponse } from 'node:http';

/** What is to be done once a response is closed: on one listener, as Node warns of a leak from eleven on. */
const WAITING = Symbol('waiting');

/** A response with what waits for it. A property, not a WeakMap: of a key for each request the collector makes much work. */
type Awaited = ServerResponse & { [WAITING]?: (() => void)[] };

/** Calls `then` once a response is closed, answered or not; at once where it is closed already, as it says so no more. */
export function onceClosed(response: Awaited, then: () => void): void {
  const known = response[WAITING];
  if (response.closed || response.destroyed) then();
  else if (known) known.push(then);
  else {
    const all = [then];
    response[WAITING] = all;
    response.once('close', () => {
      for (const one of all) one();
    });
  }
}
