import type { Kysely } from 'kysely';
import type { PartnerCenterConfig } from '../../config/partner-center-config.js';
import type { EncryptionKey } from '../../lib/encrypted-text.js';
import { CallBudget, type CallCounter, ownCounter } from './call-budget.js';
import { Client, type ClientOptions } from './client.js';
import { PartnerCenter } from './partner-center.js';
import { SignIn } from './sign-in.js';
import { Tokens } from './tokens.js';

/** What Partner Center is reached with. */
export interface OpenOptions {
  config: PartnerCenterConfig;
  kysely: Kysely<unknown>;
  /** What the sign-in is encrypted with, the key for new ones first. */
  keys: readonly EncryptionKey[];
  /** Counts the calls of all processes; null: this one is alone. */
  counter: CallCounter | null;
  pause?: ClientOptions['pause'];
}

/** Partner Center, reached. */
export interface OpenedPartnerCenter {
  partnerCenter: PartnerCenter;
  tokens: Tokens;
  signIn: SignIn;
  budget: CallBudget;
}

/** Makes what Partner Center is asked with; asks nothing yet. */
export function openPartnerCenter({ config, kysely, keys, counter, pause }: OpenOptions): OpenedPartnerCenter {
  const signIn = new SignIn(kysely, keys);
  const tokens = new Tokens(config, signIn);
  const budget = new CallBudget(config.callsPerMinute, counter ?? ownCounter(), pause);
  return { partnerCenter: new PartnerCenter(new Client({ config, tokens, budget, pause })), tokens, signIn, budget };
}
