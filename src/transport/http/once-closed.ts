import type { ServerResponse } from 'node:http';

/** Calls `then` once a response is closed, answered or not; at once where it is closed already, as it says so no more. */
export function onceClosed(response: ServerResponse, then: () => void): void {
  if (response.closed) then();
  else response.once('close', then);
}
