import { PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { JobsConfig } from '../config/jobs-config.js';
import { inLockOrder } from '../database/lock-order.js';
import type { Em } from '../database/orm.js';
import type { JobKind } from '../domain/job-kind.js';
import { type BossConnection, bossDatabase, bossInTransaction } from './boss-database.js';
import { askerKey, insertJob, putLast } from './fair-order.js';
import { type AskedJob, type GivenUp, type Hindrance, type Job, type JobHandlers, queueOf } from './job.js';

/** How often pg-boss looks for claims of processes that have died, where attempts may take long. */
const SUPERVISE_SECONDS = 15;
/** How long jobs are kept that are neither done nor given up: ten years. */
const KEPT_SECONDS = 315_360_000;
/** Work of pg-boss that the gateway has no use for: as seldom as may be. */
const HARDLY_EVER_SECONDS = 86_400;

/** What the queue needs. */
export interface JobQueueOptions {
  connection: BossConnection;
  config: JobsConfig;
  /** How jobs are done, and how they end. */
  handlers: JobHandlers;
  log: Logger;
}

/** One attempt at a job: a claim that has lapsed, and was taken by another, has another number. */
export interface Claim {
  id: string;
  retryCount: number;
}

/**
 * Work that waits for somebody, over pg-boss: enqueued in the transaction of what wants it, and removed in the
 * transaction in which it is settled. Whoever does it is a JobWorker.
 */
export class JobQueue {
  private readonly boss: PgBoss;
  /** What was enqueued in transactions that are not committed yet. */
  private readonly enqueued = new WeakMap<Em, { kind: JobKind; delayMs: number }[]>();
  private onDue: (kind: JobKind, delayMs: number) => void = () => undefined;

  constructor(private readonly options: JobQueueOptions) {
    const { connection, config, log } = options;
    const superviseSeconds = Math.min(SUPERVISE_SECONDS, Math.ceil(config.timeLimitMs / 1_000));
    this.boss = new PgBoss({
      db: bossDatabase(connection),
      backend: connection.kind === 'embedded' ? 'pglite' : 'postgres',
      // The migrations make its tables.
      migrate: false,
      createSchema: false,
      schedule: false,
      registerInstance: false,
      superviseIntervalSeconds: superviseSeconds,
      monitorIntervalSeconds: superviseSeconds,
      flowIntervalSeconds: HARDLY_EVER_SECONDS,
      monitorVacuum: false,
      reindex: connection.kind !== 'embedded',
    });
    this.boss.on('error', (error) => log.error({ err: error }, 'jobs could not be looked after; it is tried again'));
    this.boss.on('warning', ({ message }) => log.warn(message));
  }

  /** Opens the queue: from now on jobs can be enqueued. @throws where its tables are of another version */
  async open(): Promise<void> {
    await this.boss.start();
  }

  /** Enqueues nothing any more. */
  async close(): Promise<void> {
    await this.boss.stop({ graceful: false, close: false });
  }

  /** Hears of each job that was enqueued here once its transaction has been committed, and how long until it is due. */
  whenEnqueued(listener: (kind: JobKind, delayMs: number) => void): void {
    this.onDue = listener;
  }

  /**
   * Enqueues a job in the caller's transaction; the same id again is no second job. Jobs are claimed in turn of those who
   * asked for them.
   * @param delayMs how long until it is due, by the database's clock
   */
  enqueue(em: Em, { kind, id, data, askedBy }: AskedJob, delayMs: number): void {
    const { attempts, timeLimitMs, retryDelayMs, retryDelayMaxMs } = this.options.config;
    const job = { queue: queueOf(kind), asker: askerKey(askedBy), id, data, delayMs };
    insertJob(em, job, {
      retryLimit: attempts - 1,
      retryDelay: Math.ceil(retryDelayMs / 1_000),
      retryDelayMax: Math.ceil(retryDelayMaxMs / 1_000),
      // Whoever claims it gives up before others may: a claim lasts twice as long as an attempt.
      expireSeconds: Math.ceil((2 * timeLimitMs) / 1_000),
      keptSeconds: KEPT_SECONDS,
    });
    this.note(em, kind, delayMs);
  }

  /** Says that a transaction has been committed: what was enqueued in it is begun when it is due. */
  committed(em: Em): void {
    for (const { kind, delayMs } of this.enqueued.get(em) ?? []) this.onDue(kind, delayMs);
    this.enqueued.delete(em);
  }

  /**
   * Begins a job at once that waits for an operator or for its next attempt, in the caller's transaction; one that has
   * had its last gets one more. Answers what kept it from that; null: nothing did.
   */
  async retry(em: Em, job: Pick<Job, 'kind' | 'id'>): Promise<Hindrance | null> {
    const hindrance = await this.hold(em, job);
    if (hindrance) return hindrance;
    const { kind, id } = job;
    const db = bossInTransaction(em);
    await this.boss.retry(queueOf(kind), id, { db });
    await this.boss.update(queueOf(kind), undefined, { id, startAfter: 0, db });
    this.note(em, kind, 0);
    return null;
  }

  /** Ends a job as given up, in the caller's transaction. Answers what kept it from that; null: nothing did. */
  async giveUp(em: Em, job: Job, by: GivenUp): Promise<Hindrance | null> {
    const hindrance = (await this.hold(em, job)) ?? (await this.options.handlers[job.kind].giveUp(job, by)(em));
    if (hindrance) return hindrance;
    await em.execute(`delete from "pgboss"."job" where "name" = ? and "id" = ?`, [queueOf(job.kind), job.id]);
    return null;
  }

  /** Locks the row of a job that waits: until the transaction ends nobody claims it, settles it or acts on it. */
  private async hold(em: Em, { kind, id }: Pick<Job, 'kind' | 'id'>): Promise<Hindrance | null> {
    inLockOrder(em, 'JOB');
    const [job] = await em.execute<{ state: string }[]>(
      `select "state" from "pgboss"."job" where "name" = ? and "id" = ? for update`,
      [queueOf(kind), id],
    );
    if (job?.state === 'active') return 'RUNNING';
    return job && ['created', 'retry', 'failed'].includes(job.state) ? null : 'GONE';
  }

  /** Claims jobs that are due, at most so many: no other process gets them before the claim lapses. */
  async claim(kind: JobKind, most: number): Promise<{ job: Job; claim: Claim }[]> {
    const jobs = await this.boss.fetch<Job['data']>(queueOf(kind), { batchSize: most });
    return jobs.map(({ id, retryCount, data }) => ({ job: { id, kind, data }, claim: { id, retryCount } }));
  }

  /** Removes a job in the transaction in which it is settled. Answers whether the claim still stood. */
  async remove(em: Em, kind: JobKind, claim: Claim): Promise<boolean> {
    inLockOrder(em, 'JOB');
    return affectedBy(await this.boss.deleteJob(queueOf(kind), claim, { db: bossInTransaction(em) })) > 0;
  }

  /** Notes that an attempt failed: it is made again after a pause, or lies in the operators' list after the last one. */
  async fail(kind: JobKind, claim: Claim, message: string): Promise<void> {
    await this.boss.fail(queueOf(kind), claim, { message });
    await putLast(bossDatabase(this.options.connection), queueOf(kind), claim.id);
  }

  /** Leaves a job to whoever is there next, at once; it counts as no failure. */
  async giveBack(kind: JobKind, claim: Claim): Promise<void> {
    const queue = queueOf(kind);
    if (affectedBy(await this.boss.fail(queue, claim, { message: 'The gateway stopped.' })) === 0) return;
    await this.boss.retry(queue, claim.id);
    await this.boss.update(queue, undefined, { id: claim.id, startAfter: 0 });
  }

  /** Gives back whatever is claimed: an embedded database has one process, and what claimed before it has died. */
  async takeOver(kind: JobKind): Promise<void> {
    for (const { id, state, retryCount } of await this.boss.findJobs(queueOf(kind)))
      if (state === 'active') await this.giveBack(kind, { id, retryCount });
  }

  /**
   * Claims the turn of periodic work that is due: one of all processes gets it. Null where another one has it, or has had
   * it in this span of time.
   */
  async claimTurn(queue: string, everySeconds: number): Promise<Claim | null> {
    const expireInSeconds = Math.ceil((2 * this.options.config.timeLimitMs) / 1_000);
    await this.boss.send(queue, null, {
      singletonSeconds: everySeconds,
      retryLimit: 3,
      retryDelay: 1,
      expireInSeconds,
    });
    const [claimed] = await this.boss.fetch(queue);
    return claimed ? { id: claimed.id, retryCount: claimed.retryCount } : null;
  }

  /** Ends a turn. It stays until the next one has ended, so that its span has no second one. */
  async endTurn(queue: string, claim: Claim): Promise<void> {
    await this.boss.deleteStoredJobs(queue);
    await this.boss.complete(queue, claim);
  }

  /** Notes that a turn failed: another one is claimed in its place. */
  async failTurn(queue: string, claim: Claim, message: string): Promise<void> {
    await this.boss.fail(queue, claim, { message });
  }

  private note(em: Em, kind: JobKind, delayMs: number): void {
    const noted = this.enqueued.get(em) ?? [];
    noted.push({ kind, delayMs });
    this.enqueued.set(em, noted);
  }
}

/** How many jobs a command was about: 0 where a claim has lapsed. pg-boss documents it, and leaves it out of its types. */
const affectedBy = (response: object) => (response as { affected: number }).affected;
