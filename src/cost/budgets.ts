import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { type Repeated, repeat } from '../lib/repeat.js';

/** Counts points by key over a window that begins with the first of them; of `rate-limiter-flexible`. */
export interface SharedCounter {
  /** Adds points, whatever the sum, and says how many all processes have added, and when the window ends. */
  penalty(key: string, points: number): Promise<{ consumedPoints: number; msBeforeNext: number }>;
}

/** How often what was spent here is told to the others. */
const SETTLE_MS = 250;
/** What is less than this part of a budget is told at the end of the window's tenth at the latest. */
const CHUNK = 0.02;
const SLOW_SETTLE_MS = 5_000;
/** Counters asked at once. */
const AT_ONCE = 4;

/** What a user may do now. */
export type Spent = { left: number } | { retryAfter: number };

/** What one user has spent in the window that runs. */
interface Account {
  /** What all processes have spent, as last heard. */
  settled: number;
  /** What was spent here since. */
  pending: number;
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
 * round trip for each cheap one would cost more than the operation. So all processes together may overrun a budget by
 * a fiftieth for each process, and by what runs. While the shared counter is out of reach each process counts alone.
 */
export class Budgets {
  private readonly accounts = new Map<string, Account>();
  private readonly settling: Repeated;
  private isAlone = false;
  private readonly now: () => number;

  constructor(private readonly options: BudgetsOptions) {
    this.now = options.now ?? Date.now;
    this.settling = repeat(SETTLE_MS, `counting ${options.what}`, () => this.settleAll(), options.log);
  }

  /** Spends points of a user's budget where they are left. Nothing is spent where they are not. */
  spend(user: string, limit: number, points: number): Spent {
    const account = this.account(user, limit);
    if (account.settled + account.pending + points > limit) return { retryAfter: this.retryAfter(account) };
    account.pending += points;
    return { left: this.leftOf(account) };
  }

  /** Notes what has been done already, whatever is left. */
  charge(user: string, limit: number, points: number): Spent {
    const account = this.account(user, limit);
    account.pending += points;
    const isOver = account.settled + account.pending > limit;
    return isOver ? { retryAfter: this.retryAfter(account) } : { left: this.leftOf(account) };
  }

  /** What is left of a user's budget, as far as it is known here. */
  left(user: string, limit: number): number {
    return this.leftOf(this.account(user, limit));
  }

  /** Whether so many points are worth a round trip before they are spent for good. */
  isLarge(points: number, limit: number): boolean {
    return this.options.counter !== null && points > limit * CHUNK;
  }

  /** Tells the others what a user has spent here, and hears of theirs. @returns what is left; negative: overrun */
  async settle(user: string, limit: number): Promise<Spent> {
    const account = this.account(user, limit);
    await this.settleOne(user, account);
    const left = account.limit - account.settled - account.pending;
    return left < 0 ? { retryAfter: this.retryAfter(account) } : { left };
  }

  /** Gives back what was spent and not used. What was spent in a window that is over adds nothing to the next one. */
  refund(user: string, limit: number, points: number): void {
    const account = this.account(user, limit);
    account.pending = Math.max(account.pending - points, -account.settled);
  }

  async stop(): Promise<void> {
    await this.settling.stop();
  }

  private account(user: string, limit: number): Account {
    const now = this.now();
    let account = this.accounts.get(user);
    if (!account) {
      account = { settled: 0, pending: 0, windowEndsAt: 0, toldAt: now, limit };
      this.accounts.set(user, account);
    }
    account.limit = limit;
    if (now >= account.windowEndsAt)
      Object.assign(account, { settled: 0, pending: 0, windowEndsAt: now + this.options.windowMs });
    return account;
  }

  private leftOf({ limit, settled, pending }: Account): number {
    return Math.max(0, Math.floor(limit - settled - pending));
  }

  private retryAfter({ windowEndsAt }: Account): number {
    return Math.max(1, Math.ceil((windowEndsAt - this.now()) / 1_000));
  }

  private async settleAll(): Promise<void> {
    const now = this.now();
    const due: [string, Account][] = [];
    for (const entry of this.accounts) {
      const [user, { windowEndsAt, pending, limit, toldAt }] = entry;
      if (now >= windowEndsAt) this.accounts.delete(user);
      else if (pending >= limit * CHUNK || (pending >= 1 && now - toldAt >= SLOW_SETTLE_MS)) due.push(entry);
    }
    for (let at = 0; at < due.length; at += AT_ONCE)
      await Promise.all(due.slice(at, at + AT_ONCE).map(([user, account]) => this.settleOne(user, account)));
  }

  private async settleOne(user: string, account: Account): Promise<void> {
    const { counter, log, what } = this.options;
    // A fraction waits until it is a whole point.
    const points = Math.floor(account.pending);
    account.toldAt = this.now();
    if (!counter || points === 0) return;
    account.pending -= points;
    account.settled += points;
    try {
      const { consumedPoints, msBeforeNext } = await counter.penalty(keyOf(user), points);
      account.settled = consumedPoints;
      account.windowEndsAt = this.now() + Math.max(0, msBeforeNext);
      if (this.isAlone) log.info(`${what} are counted together with the other processes again`);
      this.isAlone = false;
    } catch (error) {
      // What it has spent stays on its account here; the others do not hear of it.
      if (!this.isAlone) log.warn({ err: error }, `the counter of ${what} is out of reach: this process counts alone`);
      this.isAlone = true;
    }
  }
}

/** Short, and nothing that names anybody. */
function keyOf(user: string): string {
  return createHash('sha256').update(user).digest('base64url');
}
