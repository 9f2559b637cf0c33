import type { ServerResponse } from 'node:http';
import { Departure } from '../../lib/abort-flag.js';

/** The departure of the client of a response: before it has the whole answer. */
export function departureOf(response: ServerResponse): Departure {
  const departure = new Departure();
  response.once('close', () => {
    if (!response.writableFinished) departure.leave();
  });
  return departure;
}
