import type { GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Refusals } from '../graphql/refusals.js';
import type { Budgets } from './budgets.js';

const KIBIBYTE = 1024;

/**
 * Bounds what one user may have stored in a day. Points bound it by the minute alone: what is spent for ever, such as
 * room on a disk, would grow as fast as minutes pass.
 */
export class UploadBudget {
  constructor(
    private readonly budgets: Budgets,
    /** MiB of one user while the window runs. */
    private readonly allowed: number,
    private readonly refusals: Refusals,
  ) {}

  /**
   * Takes bytes that are about to be stored.
   * @param user key of the account of who made the upload address
   * @returns how to give them back where they are not; RATE_LIMITED where fewer are left
   */
  take(user: string, bytes: number): (() => void) | GraphQLError {
    const [key, limit, amount] = [`upload ${user}`, this.allowed * KIBIBYTE, Math.ceil(bytes / KIBIBYTE)];
    const spent = this.budgets.spend(key, limit, amount);
    if ('left' in spent) return () => this.budgets.refund(key, limit, amount);
    this.refusals.note('uploadBudget');
    return codedError(
      ErrorCode.RATE_LIMITED,
      `A user may upload ${this.allowed} MiB in a day, and of yours ${Math.floor(this.budgets.left(key, limit) / KIBIBYTE)} MiB are left. Try again in ${spent.retryAfter} s.`,
      { extensions: { limit: 'uploadBudget', retryAfter: spent.retryAfter } },
    );
  }
}
