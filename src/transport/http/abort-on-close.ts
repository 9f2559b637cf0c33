import type { ServerResponse } from 'node:http';
import { AbortFlag } from '../../lib/abort-flag.js';
import { onceClosed } from './once-closed.js';

/** A flag that is set when the client of a response goes away before it has the whole answer. */
export function abortOnClose(response: ServerResponse): AbortFlag {
  const abort = new AbortFlag();
  onceClosed(response, () => {
    if (!response.writableFinished) abort.abort();
  });
  return abort;
}
