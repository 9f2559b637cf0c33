import { codedError, ErrorCode } from '../../graphql/errors.js';

/** How long to wait before reading again what could not be read. */
export const RETRY_MS = 500;

/** What a subscription selects of one entry cannot be read in time: trying again would be in vain. */
export class EntryTooExpensive extends Error {
  override name = 'EntryTooExpensive';
}

/** What subscribers are told whose selection cannot be read in time. */
export const tooExpensive = () =>
  codedError(
    ErrorCode.TIMEOUT,
    'What the subscription selects of one entry takes longer than a statement may. Select less of it, and come back with your last cursor.',
  );
