import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import { type Repeated, repeat } from '../lib/repeat.js';
import type { AccessChange, Revocations } from './revocations.js';

/** How often to ask what other processes changed: revoking access takes about as long. */
const TICK_MS = 200;
/** For how long a process is waited for that was last heard of. */
const LEASE_MS = 10_000;
/** So much earlier a process stops trusting what it knows: a request under way, and clocks that run apart. */
const MARGIN_MS = 2_000;
/** How often the lease is renewed. */
const RENEW_MS = 2_000;
/** How often to look whether all others have heard of a change. */
const ACKNOWLEDGED_MS = 20;

/** What the watch needs. */
export interface AccessWatchOptions {
  /** Connections for the gateway's own work. */
  kysely: Kysely<unknown>;
  revocations: Revocations;
  /** Whether other processes may use the same database. */
  isShared: boolean;
  /** Hears that this process has a row anew: whatever hung on an older one is gone. */
  onJoin: () => void;
  /** Hears that somebody was revoked or given access back. */
  onChange: () => void;
  log: Logger;
}

/**
 * Keeps what a process knows of revocations true, so that nothing begun after `revokeAccess` has answered is served to
 * the revoked, by any process, and no read has to ask the database.
 *
 * Each process has a row that says until when it lives and up to which revision it knows all changes. Whoever changes
 * access waits until every living process knows (`everybodyKnows`). A process that cannot renew its row in time no longer
 * trusts what it knows, before others stop waiting for it: it serves nobody with a token until it has caught up.
 */
export class AccessWatch {
  /** Names this process, among those of its database. */
  readonly processId = randomUUID();
  private ticking: Repeated | null = null;
  private renewedAt = Number.NEGATIVE_INFINITY;
  private acknowledged = 0;

  constructor(private readonly options: AccessWatchOptions) {}

  /** Learns everything that there is; from then on what others change. */
  async start(): Promise<void> {
    await this.join();
    await this.learn();
    await this.renew();
    const { isShared, log } = this.options;
    // Alone with its database it has nobody to hear from; that it lives is told all the same.
    const [interval, work] = isShared ? [TICK_MS, () => this.tick()] : [RENEW_MS, () => this.renew()];
    this.ticking = repeat(interval, 'watching for changes of access', work, log);
  }

  /** Leaves: nobody waits for this process any more. */
  async stop(): Promise<void> {
    await this.ticking?.stop();
    const left = sql`delete from "gateway_processes" where "id" = ${this.processId}::uuid`;
    // Out of reach, the database waits for this process until its lease is over.
    await left.execute(this.options.kysely).catch((error) => this.options.log.debug({ err: error }, 'left unsaid'));
  }

  /** Reads the changes that were committed since. */
  async learn(): Promise<void> {
    const { kysely, revocations, onChange } = this.options;
    const { rows } = await sql<AccessChange>`select "identity", "restored_at" is null as "isRevoked",
        "revision"::int as "revision" from "access_revocations" where "revision" > ${revocations.revision}::bigint
      order by "access_revocations"."revision"`.execute(kysely);
    const news = rows.filter((change) => revocations.note(change));
    if (news.length > 0) onChange();
  }

  /** Learns a change that this process has made, and waits until every other living process has. */
  async everybodyKnows(revision: number): Promise<void> {
    await this.learn();
    if (!this.options.isShared) return;
    await this.renew();
    for (;;) {
      const { rows } = await sql<{ waiting: boolean }>`select exists (select from "gateway_processes"
        where "alive_until" > clock_timestamp() and "access_revision" < ${revision}::bigint) as "waiting"`.execute(
        this.options.kysely,
      );
      if (!rows[0]?.waiting) return;
      await setTimeout(ACKNOWLEDGED_MS);
    }
  }

  /** Learns before it lives on: a process that cannot learn must not be waited for. */
  private async tick(): Promise<void> {
    const { kysely, revocations } = this.options;
    const { rows } = await sql<{ revision: number }>`
      select coalesce(max("revision"), 0)::int as "revision" from "access_revocations"`.execute(kysely);
    if ((rows[0]?.revision ?? 0) > revocations.revision) await this.learn();
    const isDue = performance.now() - this.renewedAt >= RENEW_MS;
    if (isDue || this.acknowledged < revocations.revision) await this.renew();
  }

  /**
   * Lives on, and says what is known. Where the lease is over, or the row is gone, others may not have waited for this
   * process: it joins anew, learns what it missed, and trusts what it knows only then.
   */
  private async renew(): Promise<void> {
    const { kysely, revocations, isShared } = this.options;
    for (;;) {
      const { revision } = revocations;
      const asked = performance.now();
      const { rows } = await sql`update "gateway_processes" set "access_revision" = ${revision}::bigint,
          "alive_until" = clock_timestamp() + ${LEASE_MS}::int * interval '1 millisecond'
        where "id" = ${this.processId}::uuid and "alive_until" > clock_timestamp() returning "id"`.execute(kysely);
      if (rows.length > 0) {
        this.renewedAt = asked;
        this.acknowledged = revision;
        if (isShared) revocations.trustUntil(asked + LEASE_MS - MARGIN_MS);
        return;
      }
      await this.join();
      await this.learn();
    }
  }

  /** From here on others wait for this process. Rows of processes that died a day ago go, with their sessions. */
  private async join(): Promise<void> {
    const { kysely, revocations, onJoin } = this.options;
    await sql`delete from "gateway_processes" where "alive_until" < clock_timestamp() - interval '1 day'`.execute(
      kysely,
    );
    const { rows } = await sql<{ isNew: boolean }>`
      insert into "gateway_processes" ("id", "started_at", "alive_until", "access_revision")
      values (${this.processId}::uuid, clock_timestamp(),
        clock_timestamp() + ${LEASE_MS}::int * interval '1 millisecond', ${revocations.revision}::bigint)
      on conflict ("id") do update set "alive_until" = excluded."alive_until"
      returning "xmax" = 0 as "isNew"`.execute(kysely);
    if (rows[0]?.isNew) onJoin();
  }
}
