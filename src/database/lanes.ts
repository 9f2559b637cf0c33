import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Refusals } from '../graphql/refusals.js';
import type { AbortFlag } from '../lib/abort-flag.js';
import { clientGone } from './cancellable-pool.js';

/** Whose turn something takes. */
export interface Turn {
  /** Keys of who waits for it: the turn of the one comes first who has the least before them. */
  users: readonly string[];
  /** Points that the operation costs which it belongs to. */
  cost: number;
  /** Set when nobody waits for it any more. */
  abort?: AbortFlag | undefined;
}

/** Operations of fewer points are short: two of them cost another read little. */
export const DEAR = 200;
/** Most that waits of one user, and in all: what comes after is refused at once instead of waiting in vain. */
const MAXIMUM_WAITING_OF_USER = 1_000;
const MAXIMUM_WAITING = 10_000;

/** How many may run. */
export interface LanesOptions {
  /** At once, in all. */
  size: number;
  /** How many of one user may run at once. */
  perUser: number;
  /** How many dear ones may, so that the cheap always have the rest; half of them are one user's at most. */
  dear: number;
  /** How long something may wait, in milliseconds; 0: for ever. */
  maximumWaitMs: number;
  refusals?: Refusals | undefined;
}

interface Waiting {
  begin(): void;
}

/** One user's work in a lane. */
interface Queue {
  running: number;
  waiting: Waiting[];
}

/** A queue for each user, served one after the other. */
class Lane {
  running = 0;
  readonly queues = new Map<string, Queue>();

  constructor(
    readonly size: number,
    readonly perUser: number,
  ) {}

  queueOf(user: string): Queue {
    let queue = this.queues.get(user);
    if (!queue) {
      queue = { running: 0, waiting: [] };
      this.queues.set(user, queue);
    }
    return queue;
  }
}

/**
 * Lets what users ask of a pool run in turn: each has a queue, queues are served one after the other, and a user has no
 * more than a share of the connections at once. What is dear has a lane of its own, a few connections wide. So nobody
 * waits for what another has asked, however much that is.
 */
export class Lanes {
  private readonly cheap: Lane;
  private readonly dear: Lane;
  private waitingCount = 0;

  constructor(private readonly options: LanesOptions) {
    const { size, perUser, dear } = options;
    this.cheap = new Lane(size, perUser);
    this.dear = new Lane(dear, Math.ceil(dear / 2));
  }

  /** Who waits for a turn. */
  get waiting(): number {
    return this.waitingCount;
  }

  /**
   * Does some work when its turn comes.
   * @throws UNAVAILABLE where nobody waits for it any more by then, TIMEOUT where it has waited as long as a statement may run, LIMIT_EXCEEDED where too much waits already
   */
  async run<Result>(turn: Turn, work: (waitedMs: number) => Promise<Result>): Promise<Result> {
    if (turn.abort?.aborted) throw clientGone();
    const lane = turn.cost >= DEAR ? this.dear : this.cheap;
    const user = leastLoaded(lane, turn.users);
    const queue = lane.queueOf(user);
    let waitedMs = 0;
    if (this.isFree(lane, queue)) this.begin(lane, queue);
    else waitedMs = await this.wait(lane, queue, turn.abort);
    try {
      return await work(waitedMs);
    } finally {
      lane.running -= 1;
      queue.running -= 1;
      this.forget(lane, user, queue);
      this.serve(lane);
    }
  }

  private isFree(lane: Lane, queue: Queue): boolean {
    return (
      queue.waiting.length === 0 &&
      lane.running < lane.size &&
      queue.running < lane.perUser &&
      this.cheap.running + this.dear.running < this.options.size
    );
  }

  private begin(lane: Lane, queue: Queue): void {
    lane.running += 1;
    queue.running += 1;
  }

  private wait(lane: Lane, queue: Queue, abort: AbortFlag | undefined): Promise<number> {
    const { maximumWaitMs, refusals } = this.options;
    if (queue.waiting.length >= MAXIMUM_WAITING_OF_USER || this.waitingCount >= MAXIMUM_WAITING) {
      refusals?.note('readsWaiting');
      throw codedError(ErrorCode.LIMIT_EXCEEDED, 'Too many reads wait for the database. Try again in a few seconds.', {
        extensions: { limit: 'readsWaiting' },
      });
    }
    const began = performance.now();
    this.waitingCount += 1;
    return new Promise((resolve, reject) => {
      const end = () => {
        this.waitingCount -= 1;
        clearTimeout(timer);
        abort?.offAbort(giveUp);
      };
      const one: Waiting = {
        begin: () => {
          end();
          this.begin(lane, queue);
          resolve(performance.now() - began);
        },
      };
      const leave = (error: Error) => {
        end();
        queue.waiting.splice(queue.waiting.indexOf(one), 1);
        reject(error);
      };
      const giveUp = () => leave(clientGone());
      const tooLate = () => {
        refusals?.note('statementTime');
        leave(waitedTooLong(maximumWaitMs));
      };
      const timer = maximumWaitMs > 0 ? setTimeout(tooLate, maximumWaitMs) : undefined;
      queue.waiting.push(one);
      abort?.onAbort(giveUp);
    });
  }

  /** Lets in what may run now, one of each user in turn. */
  private serve(lane: Lane): void {
    // A place that the one lane leaves may be wanted by the other.
    for (const one of lane === this.cheap ? [this.cheap, this.dear] : [this.dear, this.cheap]) {
      for (let next = this.nextOf(one); next; next = this.nextOf(one)) next.begin();
    }
  }

  private nextOf(lane: Lane): Waiting | undefined {
    if (lane.running >= lane.size || this.cheap.running + this.dear.running >= this.options.size) return undefined;
    for (const [user, queue] of lane.queues) {
      if (queue.waiting.length === 0 || queue.running >= lane.perUser) continue;
      // Whoever was served goes to the end of the row.
      lane.queues.delete(user);
      lane.queues.set(user, queue);
      return queue.waiting.shift();
    }
    return undefined;
  }

  private forget(lane: Lane, user: string, queue: Queue): void {
    if (queue.running === 0 && queue.waiting.length === 0) lane.queues.delete(user);
  }
}

function leastLoaded({ queues }: Lane, users: readonly string[]): string {
  const load = (user: string) => {
    const { running = 0, waiting = [] } = queues.get(user) ?? {};
    return running + waiting.length;
  };
  return users.length === 1
    ? (users[0] as string)
    : users.reduce((least, user) => (load(user) < load(least) ? user : least));
}

const waitedTooLong = (ms: number) =>
  codedError(
    ErrorCode.TIMEOUT,
    `The statement has waited for the database for ${ms / 1_000} s, as long as one may take, behind others of yours or of many users. Ask for less at once.`,
  );
