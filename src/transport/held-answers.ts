import type { GraphQLError } from 'graphql';
import type { Bounds } from '../config/bounds.js';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Refusals } from '../graphql/refusals.js';
import type { Caller, Release } from './bounds.js';
import { HeldBytes } from './held-bytes.js';

/** Smaller answers are not counted: as many as a caller may have at once are a few MiB. */
const LARGE_BYTES = 64 * 1024;

/** Whether an answer is counted at all. */
export const isLarge = (bytes: number): boolean => bytes > LARGE_BYTES;

/**
 * The large answers that wait for their clients, of all and of each caller: whoever asks for much and takes it slowly has
 * it in our memory until then.
 */
export class HeldAnswers {
  private readonly held: HeldBytes;

  constructor(
    { answerBytes, answerBytesPerUser }: Bounds,
    private readonly refusals: Refusals,
  ) {
    this.held = new HeldBytes(answerBytes, answerBytesPerUser, Math.max(answerBytesPerUser, answerBytes / 2));
  }

  /** Counts an answer until it is taken. @returns how to give it back; null where nothing is to be; else why it is not sent */
  hold(caller: Caller, bytes: number): Release | GraphQLError | null {
    if (!isLarge(bytes)) return null;
    const answer = this.held.open(caller);
    const full = answer.take(bytes);
    return full ? this.refuse() : answer.release;
  }

  /** Counts an answer that is sent whatever waits already. @returns how to give it back; null where nothing is to be */
  keep(caller: Caller | undefined, bytes: number): Release | null {
    if (!caller || !isLarge(bytes)) return null;
    const answer = this.held.open(caller);
    answer.add(bytes);
    return answer.release;
  }

  /** What `run` answers, unless too much waits for its caller: before it, or by then, as others may have been answered. */
  async unlessFull<Answer>(caller: Caller, run: () => Promise<Answer>): Promise<Answer | { errors: GraphQLError[] }> {
    const isFull = () => this.held.open(caller).isFull();
    if (isFull()) return { errors: [this.refuse()] };
    const answer = await run();
    return isFull() ? { errors: [this.refuse()] } : answer;
  }

  private refuse(): GraphQLError {
    this.refusals.note('answerBytes');
    return codedError(
      ErrorCode.LIMIT_EXCEEDED,
      'Too much waits for you to be taken: read the answers that you have asked for, or ask for less at once.',
      { extensions: { limit: 'answerBytes' } },
    );
  }
}
