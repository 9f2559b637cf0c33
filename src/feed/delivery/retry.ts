import { codedError, ErrorCode } from '../../graphql/errors.js';

/** How long to wait before reading again what could not be read. */
export const RETRY_MS = 500;

/** What a subscription selects of one entry cannot be read, in time or in size: trying again would be in vain. */
export class EntryTooExpensive extends Error {
  override name = 'EntryTooExpensive';
  constructor(
    message: string,
    /** The limit that is exceeded; absent: the time of a statement. */
    readonly limit?: string,
  ) {
    super(message);
  }
}

/** What subscribers are told whose selection of one entry cannot be read. */
export function tooExpensive({ limit }: EntryTooExpensive): Error {
  const advice = 'Select less of it, and come back with your last cursor.';
  return limit === undefined
    ? codedError(
        ErrorCode.TIMEOUT,
        `What the subscription selects of one entry takes longer than a statement may. ${advice}`,
      )
    : codedError(
        ErrorCode.LIMIT_EXCEEDED,
        `What the subscription selects of one entry is larger than an answer may be. ${advice}`,
        { extensions: { limit } },
      );
}
