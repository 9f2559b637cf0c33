import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { JobsConfig } from '../config/jobs-config.js';
import type { Em } from '../database/orm.js';
import { JobKind } from '../domain/job-kind.js';
import { withinTime } from '../lib/time-limit.js';
import type { Job, JobHandlers } from './job.js';
import type { Claim, JobQueue } from './job-queue.js';

/** Longest message of a failure that is kept. */
const MESSAGE_LENGTH = 500;

/** What a worker needs. */
export interface JobWorkerOptions {
  queue: JobQueue;
  handlers: JobHandlers;
  config: JobsConfig;
  /** Whether the database has no other process. */
  isAlone: boolean;
  /** Runs work in a transaction, and tells the feed. */
  inTransaction: <Result>(work: (em: Em) => Promise<Result>) => Promise<Result>;
  log: Logger;
}

/** What a process does of one kind. */
interface Work {
  /** Attempts that run, each with what ends the wait for it. */
  attempts: Map<string, AbortController>;
  /** Whether to look once more. */
  isWoken: boolean;
  /** Whether more may be due than there was room for: whatever ends looks again. */
  isFull: boolean;
  claiming: Promise<void> | null;
}

/**
 * Does jobs: claims what is due, attempts several side by side, each with a time limit, and settles what has an answer. An
 * attempt that never ends keeps nothing else waiting. Jobs enqueued here are begun at once; those of other processes, and
 * those that are due again, by polling.
 */
export class JobWorker {
  private readonly work = new Map<JobKind, Work>();
  private readonly ending = new Set<Promise<void>>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private polling: NodeJS.Timeout | undefined;
  private isStopped = false;
  private lookedAt = performance.now();
  /** Runs work as nobody's: what a request has enqueued is not done in its name, nor on its account. */
  private readonly outside = AsyncLocalStorage.snapshot();

  constructor(private readonly options: JobWorkerOptions) {
    for (const kind of Object.values(JobKind))
      this.work.set(kind, { attempts: new Map(), isWoken: false, isFull: false, claiming: null });
    options.queue.whenEnqueued((kind, delayMs) => this.wakeIn(kind, delayMs));
  }

  /** Begins, with what a process left that has died. */
  async start(): Promise<void> {
    const { isAlone, queue, config } = this.options;
    if (isAlone) for (const kind of this.work.keys()) await queue.takeOver(kind);
    this.polling = setInterval(() => this.wakeAll(), config.pollMs).unref();
    this.wakeAll();
  }

  /** Milliseconds since the database was last asked for jobs with success. */
  get silentMs(): number {
    return performance.now() - this.lookedAt;
  }

  /** Ends after what is being committed. Jobs without an answer are left to the next start. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.polling);
    for (const timer of this.timers) clearTimeout(timer);
    for (const { claiming } of this.work.values()) await claiming;
    for (const { attempts } of this.work.values()) for (const abort of attempts.values()) abort.abort();
    await Promise.all(this.ending);
  }

  private wakeIn(kind: JobKind, delayMs: number): void {
    if (delayMs <= 0) {
      this.wake(kind);
      return;
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.wake(kind);
    }, delayMs).unref();
    this.timers.add(timer);
  }

  private wakeAll(): void {
    for (const kind of this.work.keys()) this.wake(kind);
  }

  private wake(kind: JobKind): void {
    const work = this.work.get(kind) as Work;
    if (this.isStopped) return;
    work.isWoken = true;
    work.claiming ??= this.outside(() => this.claim(kind, work)).finally(() => {
      work.claiming = null;
      if (work.isWoken) this.wake(kind);
    });
  }

  /** Claims what is due. Where there is no room for it, whatever ends looks again. */
  private async claim(kind: JobKind, work: Work): Promise<void> {
    while (work.isWoken && !this.isStopped) {
      work.isWoken = false;
      const room = this.options.config.atOnce - work.attempts.size;
      work.isFull = room <= 0;
      if (work.isFull) return;
      try {
        const claimed = await this.options.queue.claim(kind, room);
        work.isFull = claimed.length === room;
        this.lookedAt = performance.now();
        for (const { job, claim } of claimed) this.begin(work, job, claim);
      } catch (error) {
        this.options.log.error({ err: error, kind }, 'jobs could not be claimed; it is tried again');
      }
    }
  }

  private begin(work: Work, job: Job, claim: Claim): void {
    const abort = new AbortController();
    work.attempts.set(job.id, abort);
    const ending = this.attempt(job, claim, abort.signal).finally(() => {
      work.attempts.delete(job.id);
      this.ending.delete(ending);
      abort.abort();
      if (work.isFull) this.wake(job.kind);
    });
    this.ending.add(ending);
  }

  private async attempt(job: Job, claim: Claim, signal: AbortSignal): Promise<void> {
    const { handlers, config, queue, log } = this.options;
    const { id, kind } = job;
    try {
      const attempted = untilAborted(handlers[kind].attempt(job, signal), signal);
      const settle = await withinTime(attempted, config.timeLimitMs, 'Whoever is asked');
      await this.options.inTransaction(async (em) => {
        // Where the claim has lapsed meanwhile, whoever has claimed the job since settles it.
        if (await queue.remove(em, kind, claim)) await settle(em);
      });
    } catch (error) {
      if (!this.isStopped) log.error({ err: error, job: id, kind }, 'an attempt at a job failed');
      const said = this.isStopped
        ? queue.giveBack(kind, claim)
        : queue.fail(kind, claim, (error as Error).message.slice(0, MESSAGE_LENGTH));
      // A claim that nobody gives back lapses by itself.
      await said.catch((unsaid) => log.error({ err: unsaid, job: id, kind }, 'a failed attempt could not be noted'));
    }
  }
}

/** What comes of work, or a rejection once nobody waits for it. */
function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('nobody waits for it any more')), { once: true });
    work.then(resolve, reject);
  });
}
