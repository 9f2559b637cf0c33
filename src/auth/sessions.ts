import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import { type Repeated, repeat } from '../lib/repeat.js';
import type { Revocations } from './revocations.js';
import type { Viewer } from './viewer.js';

/** What whoever's session was cut is told, over every transport. */
export const SESSION_ENDED = 'An administrator ended your session. Sign in again.';

/** How often new and closed sessions are written down, and those found that are to be cut. */
const WRITE_MS = 500;
/** How often the figures of open ones are brought up to date. */
const FIGURES_MS = 5_000;
/** Rows in one statement. */
const BATCH = 1_000;
/** How long a process may take to cut a session before it is taken to be gone. */
const CUT_MS = 15_000;
const CUT_POLL_MS = 50;

/** A connection that stays open: a socket, an event stream, an export. */
export interface LiveSession {
  viewer: Viewer;
  transport: 'WEBSOCKET' | 'EVENT_STREAM' | 'EXPORT';
  /** Where it comes from: the client, or the proxy before it. */
  address: string;
  /** Operations that run, and bytes sent so far. */
  figures(): { operations: number; bytesSent: number };
  /** Cuts it, so that its client stays away until somebody signs in again. */
  cut(): void;
  /** Its viewer's access was revoked: it is left where nothing of its own ends it. */
  leave?: () => void;
}

interface Kept extends LiveSession {
  id: string;
  openedAt: string;
  isWritten: boolean;
  /** What was last written of its figures. */
  told: string;
}

/** What the registry needs. */
export interface SessionsOptions {
  /** Connections for the gateway's own work. */
  kysely: Kysely<unknown>;
  /** Names this process in `gateway_processes`. */
  processId: string;
  log: Logger;
}

/**
 * The sessions of this process, and their rows, by which every process lists those of all. They are written behind the
 * sessions' backs, many in a statement: opening one waits for nothing.
 */
export class Sessions {
  private readonly open = new Map<string, Kept>();
  private closed: string[] = [];
  private figuresAt = 0;
  private writing: Repeated | null = null;

  constructor(private readonly options: SessionsOptions) {}

  /** Begins to write. */
  start(): void {
    this.writing = repeat(WRITE_MS, 'writing down sessions', () => this.write(), this.options.log);
  }

  /** Ends writing; the rows go with that of the process. */
  async stop(): Promise<void> {
    await this.writing?.stop();
  }

  /** Notes a session. @returns how to note its end */
  add(session: LiveSession): () => void {
    const id = randomUUID();
    this.open.set(id, { ...session, id, openedAt: new Date().toISOString(), isWritten: false, told: '' });
    return () => {
      if (this.open.get(id)?.isWritten) this.closed.push(id);
      this.open.delete(id);
    };
  }

  /** Has the sessions of the revoked left. */
  endRevoked(revocations: Revocations): void {
    for (const session of this.open.values()) if (revocations.covers(session.viewer)) session.leave?.();
  }

  /** The rows of this process are gone: all are written again. */
  forgetRows(): void {
    for (const session of this.open.values()) session.isWritten = false;
    this.closed = [];
  }

  /** Writes what is new, takes away what is over, and cuts what is to be cut. */
  async write(): Promise<void> {
    const { kysely, processId } = this.options;
    const fresh = [...this.open.values()].filter((session) => !session.isWritten);
    for (let at = 0; at < fresh.length; at += BATCH) await this.insert(fresh.slice(at, at + BATCH));
    if (this.closed.length > 0) {
      const over = this.closed.slice(0, BATCH);
      await sql`delete from "sessions" where "id" in (${sql.join(over.map((id) => sql`${id}::uuid`))})`.execute(kysely);
      this.closed = this.closed.slice(over.length);
    }
    if (performance.now() - this.figuresAt >= FIGURES_MS) await this.updateFigures();
    if (this.open.size === 0) return;
    const { rows } = await sql<{ id: string }>`select "id" from "sessions"
      where "process_id" = ${processId}::uuid and "end_requested_at" is not null`.execute(kysely);
    for (const { id } of rows) this.open.get(id)?.cut();
  }

  /** Waits until a session that is to be cut is over, whichever process has it. @returns false where that takes too long */
  async isOver(id: string): Promise<boolean> {
    const last = performance.now() + CUT_MS;
    while (performance.now() < last) {
      if (this.open.has(id) || this.closed.includes(id)) await this.write();
      const { rows } = await sql`select from "sessions" where "id" = ${id}::uuid`.execute(this.options.kysely);
      if (rows.length === 0) return true;
      await setTimeout(CUT_POLL_MS);
    }
    return false;
  }

  private async insert(sessions: readonly Kept[]): Promise<void> {
    const rows = sessions.map((session) => {
      const { viewer, transport, address, openedAt } = session;
      const { identity } = viewer;
      const { operations, bytesSent } = session.figures();
      return sql`(${session.id}::uuid, ${this.options.processId}::uuid, ${viewer.userPrincipalName},
        ${identity?.issuer ?? null}, ${identity?.tenantId ?? null}::uuid, ${identity?.objectId ?? null},
        ${`{${viewer.roles.join()}}`}::text[], ${viewer.application}, ${transport}, ${address}, ${openedAt}::timestamptz,
        ${viewer.expiresAt === null ? null : new Date(viewer.expiresAt).toISOString()}::timestamptz,
        ${operations}::int, ${bytesSent}::bigint)`;
    });
    await sql`insert into "sessions" ("id", "process_id", "user_principal_name", "issuer", "tenant_id", "object_id",
        "roles", "application", "transport", "address", "opened_at", "expires_at", "operations", "bytes_sent")
      values ${sql.join(rows)}`.execute(this.options.kysely);
    for (const session of sessions) {
      session.isWritten = true;
      // It ended meanwhile.
      if (!this.open.has(session.id)) this.closed.push(session.id);
    }
  }

  private async updateFigures(): Promise<void> {
    this.figuresAt = performance.now();
    const changed = [...this.open.values()].flatMap((session) => {
      const { operations, bytesSent } = session.figures();
      const told = `${operations} ${bytesSent}`;
      if (!session.isWritten || told === session.told) return [];
      session.told = told;
      return [sql`(${session.id}::uuid, ${operations}::int, ${bytesSent}::bigint)`];
    });
    for (let at = 0; at < changed.length; at += BATCH)
      await sql`update "sessions" set "operations" = "now"."operations", "bytes_sent" = "now"."bytes_sent",
          "updated_at" = clock_timestamp()
        from (values ${sql.join(changed.slice(at, at + BATCH))}) as "now" ("id", "operations", "bytes_sent")
        where "sessions"."id" = "now"."id"`.execute(this.options.kysely);
  }
}
