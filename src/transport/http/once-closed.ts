import type { ServerResponse } from 'node:http';

/** What is to be done once a response is closed: on one listener, as Node warns of a leak from eleven on. */
const waiting = new WeakMap<ServerResponse, (() => void)[]>();

/** Calls `then` once a response is closed, answered or not; at once where it is closed already, as it says so no more. */
export function onceClosed(response: ServerResponse, then: () => void): void {
  const known = waiting.get(response);
  if (response.closed) then();
  else if (known) known.push(then);
  else {
    const all = [then];
    waiting.set(response, all);
    response.once('close', () => {
      for (const one of all) one();
    });
  }
}
