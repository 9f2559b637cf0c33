import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { type Repeated, repeat } from '../lib/repeat.js';
import { withinTime } from '../lib/time-limit.js';

/** Counts points by key over a window that begins with the first of them; of `rate-limiter-flexible`. */
export interface SharedCounter {
  /** Adds points, whatever the sum, and says how many all processes have added, and when the window ends. */
  penalty(key: string, points: number): Promise<{ consumedPoints: number; msBeforeNext: number }>;
}

/** How often what was spent here is told to the others. */
const SETTLE_MS = 250;
/** Less than this part of a budget is told later, and nothing waits for it. */
const CHUNK = 0.02;
const SLOW_SETTLE_MS = 5_000;
/** Longest wait for the shared counter: somebody's operation may wait for it. */
const ANSWER_MS = 1_000;
/** How long a counter that was out of reach is not asked again. */
const ALONE_MS = 2_000;
/** Counters asked at once. */
const AT_ONCE = 4;

/** What a user may do now. */
export type Spent = { left: number } | { retryAfter: number };

/** What one user has spent in the window that runs: the sum of the first three. */
interface Account {
  /** What all processes had spent when the counter was last heard. */
  known: number;
  /** What is being told to it. */
  telling: number;
  /** What was spent here and is not told yet. */
  pending: number;
  /** Ends when what is being told is known. */
  told: Promise<void> | null;
  windowEndsAt: number;
  toldAt: number;
  limit: number;
}

/** What `Budgets` needs. */
export interface BudgetsOptions {
  windowMs: number;
  /** Null: this process is the only one. */
  counter: SharedCounter | null;
  log: Logger;
  /** What is counted, for the log. */
  what: string;
  now?: () => number;
}

/**
 * Budgets over time. What is spent is counted here at once, and told to the other processes behind the operations: a
 * round trip for each cheap one would cost more than the operation. Once more than a fiftieth of a budget is spent here
 * and not yet told, the next operation waits until it is (`mustTell`). So all processes together may overrun a budget by
 * a fiftieth for each. While the shared counter is out of reach each process counts alone; what it has spent meanwhile
 * is told when the counter is back.
 */
export class Budgets {
  private readonly accounts = new Map<string, Account>();
  private readonly settling: Repeated;
  private aloneUntil = 0;
  private isAlone = false;
  private readonly now: () => number;

  constructor(private readonly options: BudgetsOptions) {
    this.now = options.now ?? Date.now;
    this.settling = repeat(SETTLE_MS, `counting ${options.what}`, () => this.settleAll(), options.log);
  }

  /** Spends points of a user's budget where they are left. Nothing is spent where they are not. */
  spend(user: string, limit: number, points: number): Spent {
    const account = this.account(user, limit);
    if (spentOf(account) + points > limit) return { retryAfter: this.retryAfter(account) };
    account.pending += points;
    return this.spentFrom(account);
  }

  /** Notes what has been done already, whatever is left. */
  charge(user: string, limit: number, points: number): Spent {
    const account = this.account(user, limit);
    account.pending += points;
    return this.spentFrom(account);
  }

  /** What is left of a user's budget, as far as it is known here. */
  left(user: string, limit: number): number {
    return leftOf(this.account(user, limit));
  }

  /** Whether so much was spent here and not told that the others must hear of it before more is done. */
  mustTell(user: string, limit: number): boolean {
    const { telling, pending } = this.account(user, limit);
    return this.isShared() && telling + pending > limit * CHUNK;
  }

  /** Tells the others what a user has spent here, and hears of theirs. @returns what is left, or when, if it is overrun */
  async settle(user: string, limit: number): Promise<Spent> {
    const account = this.account(user, limit);
    await this.tell(user, account);
    return this.spentFrom(this.account(user, limit));
  }

  /** Gives back what was spent and not used. What was spent in a window that is over adds nothing to the next one. */
  refund(user: string, limit: number, points: number): void {
    const account = this.account(user, limit);
    account.pending = Math.max(account.pending - points, -(account.known + account.telling));
  }

  async stop(): Promise<void> {
    await this.settling.stop();
  }

  private account(user: string, limit: number): Account {
    const now = this.now();
    let account = this.accounts.get(user);
    // What is being told of a window that is over ends with its account.
    if (!account || now >= account.windowEndsAt) {
      const windowEndsAt = now + this.options.windowMs;
      account = { known: 0, telling: 0, pending: 0, told: null, windowEndsAt, toldAt: now, limit };
      this.accounts.set(user, account);
    }
    account.limit = limit;
    return account;
  }

  private spentFrom(account: Account): Spent {
    return spentOf(account) > account.limit ? { retryAfter: this.retryAfter(account) } : { left: leftOf(account) };
  }

  private retryAfter({ windowEndsAt }: Account): number {
    return Math.max(1, Math.ceil((windowEndsAt - this.now()) / 1_000));
  }

  private async settleAll(): Promise<void> {
    if (!this.isShared()) return this.forgetOld();
    const now = this.now();
    const due: [string, Account][] = [];
    for (const entry of this.accounts) {
      const [user, { windowEndsAt, pending, limit, toldAt }] = entry;
      if (now >= windowEndsAt) this.accounts.delete(user);
      else if (pending >= limit * CHUNK || (Math.abs(pending) >= 1 && now - toldAt >= SLOW_SETTLE_MS)) due.push(entry);
    }
    for (let at = 0; at < due.length && this.isShared(); at += AT_ONCE)
      await Promise.all(due.slice(at, at + AT_ONCE).map(([user, account]) => this.tell(user, account)));
  }

  private forgetOld(): void {
    const now = this.now();
    for (const [user, { windowEndsAt }] of this.accounts) if (now >= windowEndsAt) this.accounts.delete(user);
  }

  private isShared(): boolean {
    return this.options.counter !== null && this.now() >= this.aloneUntil;
  }

  /** Ends when all is told that was spent when it was called. Those who wait for the same account share one round trip. */
  private async tell(user: string, account: Account): Promise<void> {
    await account.told;
    account.told ??= this.tellNow(user, account).finally(() => {
      account.told = null;
    });
    await account.told;
  }

  private async tellNow(user: string, account: Account): Promise<void> {
    const { counter, log, what } = this.options;
    // A fraction waits until it is a whole point.
    const points = Math.trunc(account.pending);
    account.toldAt = this.now();
    if (!counter || points === 0 || !this.isShared()) return;
    account.pending -= points;
    account.telling = points;
    try {
      const { consumedPoints, msBeforeNext } = await withinTime(
        counter.penalty(keyOf(user), points),
        ANSWER_MS,
        `the counter of ${what}`,
      );
      account.known = consumedPoints;
      account.windowEndsAt = this.now() + Math.max(0, msBeforeNext);
      if (this.isAlone) log.info(`${what} are counted together with the other processes again`);
      this.isAlone = false;
    } catch (error) {
      // It is told when the counter is back.
      account.pending += points;
      this.aloneUntil = this.now() + ALONE_MS;
      if (!this.isAlone) log.warn({ err: error }, `the counter of ${what} is out of reach: this process counts alone`);
      this.isAlone = true;
    } finally {
      account.telling = 0;
    }
  }
}

const spentOf = ({ known, telling, pending }: Account): number => known + telling + pending;

const leftOf = (account: Account): number => Math.max(0, Math.floor(account.limit - spentOf(account)));

/** Short, and nothing that names anybody. */
function keyOf(user: string): string {
  return createHash('sha256').update(user).digest('base64url');
}
