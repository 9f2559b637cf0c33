import type { GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Refusals } from '../graphql/refusals.js';
import type { Budgets } from './budgets.js';

/**
 * Lets addresses try download links and upload addresses, which open without any other token: whoever tries dead or
 * false ones pays for nothing, so that each address has a budget of refused attempts.
 */
export class LinkAttempts {
  constructor(
    private readonly budgets: Budgets,
    /** Refused attempts of one address while the window runs. */
    private readonly allowed: number,
    private readonly refusals: Refusals,
  ) {}

  /**
   * Takes one attempt of an address.
   * @param address of IPv6 the network
   * @returns how to give it back where the link was good; RATE_LIMITED where none is left, before anything is looked at
   */
  take(address: string): (() => void) | GraphQLError {
    const key = `link ${address}`;
    const spent = this.budgets.spend(key, this.allowed, 1);
    if ('left' in spent) return () => this.budgets.refund(key, this.allowed, 1);
    const limit = 'refusedLinks';
    this.refusals.note(limit);
    return codedError(
      ErrorCode.RATE_LIMITED,
      `Of the links that your address has tried ${this.allowed} were dead or false lately: no more are looked at for ${spent.retryAfter} s.`,
      { extensions: { limit, retryAfter: spent.retryAfter } },
    );
  }
}
