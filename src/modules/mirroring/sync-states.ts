import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import type { SyncKind } from '../../domain/sync-kind.js';

/** Where the reading of a kind is. */
export interface SyncState {
  /** When the pass that is under way began. */
  startedAt: Date;
  position: string | null;
  /** When a pass was last complete. */
  finishedAt: Date | null;
  read: number;
}

/** Goes on with a pass, or begins one where the last one is so long ago. Null where it is not due. */
export async function openPass(em: Em, kind: SyncKind, everySeconds: number): Promise<SyncState | null> {
  await sql`insert into "upstream_syncs" ("kind") values (${kind}) on conflict do nothing`.execute(em.getKysely());
  const { rows } = await sql<SyncState>`
    update "upstream_syncs" set "started_at" = coalesce("started_at", now()),
      "position" = case when "started_at" is not null then "position" end,
      "read" = case when "started_at" is not null then "read" else 0 end
    where "kind" = ${kind} and ("started_at" is not null
      or coalesce("finished_at" < now() - make_interval(secs => ${everySeconds}), true))
    returning "started_at" as "startedAt", "position", "finished_at" as "finishedAt", "read"`.execute(em.getKysely());
  const [row] = rows;
  if (!row) return null;
  const { startedAt, finishedAt } = row;
  return { ...row, startedAt: new Date(startedAt), finishedAt: finishedAt && new Date(finishedAt) };
}

/** Keeps how far a pass is, with what was read up to there. */
export async function keepPosition(em: Em, kind: SyncKind, position: string | null, read: number): Promise<void> {
  await sql`
    update "upstream_syncs" set "position" = ${position}, "read" = "read" + ${read}
    where "kind" = ${kind}`.execute(em.getKysely());
}

/** Begins a pass anew whose position is good no more. */
export async function restartPass(em: Em, kind: SyncKind): Promise<void> {
  await sql`
    update "upstream_syncs" set "position" = null, "read" = 0, "started_at" = now()
    where "kind" = ${kind}`.execute(em.getKysely());
}

/** Ends a pass. */
export async function closePass(em: Em, kind: SyncKind): Promise<void> {
  await sql`
    update "upstream_syncs" set "finished_at" = now(), "started_at" = null, "position" = null
    where "kind" = ${kind}`.execute(em.getKysely());
}

/** Notes that something was read. Answers whether nothing could be until now, as the log has told. */
export async function noteSuccess(em: Em, kind: SyncKind): Promise<boolean> {
  const kysely = em.getKysely();
  const { numAffectedRows } = await sql`
    update "upstream_syncs" set "broken_since" = null
    where "kind" = ${kind} and "broken_since" is not null`.execute(kysely);
  await sql`
    insert into "upstream_syncs" ("kind", "succeeded_at") values (${kind}, now())
    on conflict ("kind") do update set "succeeded_at" = now(), "failures" = 0, "failed_at" = null,
      "last_error" = null`.execute(kysely);
  return numAffectedRows === 1n;
}

/** How often in a row nothing can be read before it is told. */
const FAILURES = 3;

/** Notes that nothing could be read, so often. Answers whether that is to be told: once, until it can be again. */
export async function noteFailure(em: Em, kind: SyncKind, message: string, times = 1): Promise<boolean> {
  const { rows } = await sql<{ isNew: boolean }>`
    insert into "upstream_syncs" ("kind", "failures", "failed_at", "last_error") values (${kind}, ${times}, now(), ${message})
    on conflict ("kind") do update set "failures" = "upstream_syncs"."failures" + ${times}, "failed_at" = now(),
      "last_error" = excluded."last_error"
    returning "failures" >= ${FAILURES} and "broken_since" is null as "isNew"`.execute(em.getKysely());
  if (!rows[0]?.isNew) return false;
  await sql`update "upstream_syncs" set "broken_since" = now() where "kind" = ${kind}`.execute(em.getKysely());
  return true;
}
