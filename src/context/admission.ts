import { accessRevoked, nameKey } from '../auth/revocations.js';
import type { Viewer } from '../auth/viewer.js';
import { AdvisoryLock } from '../database/advisory-locks.js';
import { inLockOrder } from '../database/lock-order.js';
import type { Em } from '../database/orm.js';
import { prepared } from '../database/prepared.js';
import { query } from '../database/query.js';
import { isHeldTooLong } from '../database/sql-state.js';
import { codedError, ErrorCode } from '../graphql/errors.js';
import { askClock, type Clock, databaseClock, instantOf } from './clock.js';

const ADMIT = prepared('admit', `select "at", "is_shut_out" as "isShutOut" from "admit"($1, $2)`);

const ADMIT_ONCE = prepared(
  'admit once',
  `select "at", "is_shut_out" as "isShutOut", "is_taken" as "isTaken", "known_fingerprint" as "knownFingerprint",
    "known_answer" as "knownAnswer"
  from "admit"($1, $2) left join lateral
    "take_idempotency_key"($1, $3, $4, coalesce($5::timestamptz, to_timestamp("at" / 1000))) on not "is_shut_out"`,
);

/** A request that is done once, however often it is sent: the operation, and the caller's key of it (rule 5). */
export interface Once {
  operation: string;
  key: string;
}

/** A key that this transaction has until it ends, or that another one has. */
export interface TakenKey extends Once {
  /** False: a request with this key has not ended yet. */
  isTaken: boolean;
  /** What it was used for before, if it was. */
  knownFingerprint: string | null;
  knownAnswer: Record<string, unknown> | null;
}

/** What somebody is let in with. */
export interface Admission {
  /** What the time is then. */
  now: Date;
  /** Null where the request is none that is done once, or is nobody's. */
  key: TakenKey | null;
}

/**
 * Lets the viewer act in this transaction, and holds a revocation of their access up until it ends: what was begun before
 * is committed before, and nothing is done after the log's own ACCESS_REVOKED. Takes the key of their request.
 * @throws UNAUTHENTICATED where their access is revoked
 */
export async function admit(
  em: Em,
  { identity, userPrincipalName }: Viewer,
  clock: Clock,
  once: Once | null = null,
): Promise<Admission> {
  if (!identity) return { now: await askClock(em, clock), key: null };
  inLockOrder(em, 'IDENTITY');
  const who = [identity.key, nameKey(userPrincipalName)];
  // A clock of a test's own knows the time before the database has said it.
  const happensAt = clock === databaseClock ? null : clock(new Date());
  const admitted = once
    ? query<Admitted>(em, ADMIT_ONCE, [...who, once.operation, once.key, happensAt])
    : query<Admitted>(em, ADMIT, who);
  const [{ at, isShutOut, ...taken }] = (await admitted) as [Admitted];
  if (isShutOut) throw accessRevoked();
  return { now: clock(instantOf(at)), key: once && { ...once, ...taken } };
}

type Admitted = { at: string; isShutOut: boolean } & Omit<TakenKey, keyof Once>;

/** Whoever changes access goes one at a time: two that revoke each other would wait for each other for ever. */
export async function changeAccessAlone(em: Em): Promise<void> {
  inLockOrder(em, 'ACCESS_CHANGE');
  await em.execute('select pg_advisory_xact_lock(?)', [AdvisoryLock.ACCESS_CHANGE]);
}

/** How long to wait for what somebody is doing before their access is changed. */
const HOLD_OFF_MS = 10_000;

/**
 * Waits until what an identity is doing is committed, and lets it begin nothing more before this transaction ends.
 * @throws UNAVAILABLE where that does not end: others are not to wait behind it
 */
export async function holdOff(em: Em, identity: string): Promise<void> {
  inLockOrder(em, 'IDENTITY');
  // Columns are made one after the other: the setting is read before it is changed.
  const [{ former }] = await em.execute<[{ former: string }]>(
    `select current_setting('lock_timeout') as "former", set_config('lock_timeout', ?, true)`,
    [String(HOLD_OFF_MS)],
  );
  try {
    await em.execute('select pg_advisory_xact_lock(?, hashtext(?))', [AdvisoryLock.IDENTITY, identity]);
  } catch (error) {
    if (!isHeldTooLong(error)) throw error;
    throw codedError(
      ErrorCode.UNAVAILABLE,
      `What the user is doing has not ended for ${HOLD_OFF_MS / 1_000} s, so their access stands as it was. Send the same again; a gateway that hangs in the middle of it has to be ended first.`,
    );
  }
  await em.execute(`select set_config('lock_timeout', ?, true)`, [former]);
}

/** What somebody made: by whom, and when. */
export interface Made {
  /** Key of the identity; null for what is older than identities. */
  identity: string | null;
  userPrincipalName: string;
  at: Date;
}

/** Lets nobody revoke the access of whoever made something before the transaction ends. @param identity its key */
export async function holdMaker(em: Em, identity: string): Promise<void> {
  inLockOrder(em, 'IDENTITY');
  await em.execute('select pg_advisory_xact_lock_shared(?, hashtext(?))', [AdvisoryLock.IDENTITY, identity]);
}

/**
 * Whether what somebody made died with their access: a link, an upload address. It stays dead when access is given back.
 * Who writes by the answer holds the maker before.
 */
export async function diedWithAccess(em: Em, { identity, userPrincipalName, at }: Made): Promise<boolean> {
  const revoked = await em.execute(
    `select 1 from "access_revocations" where ("identity" in (?, ?) or (?::text is null and "user_principal_name" = ?))
      and ("restored_at" is null or "revoked_at" >= ?) limit 1`,
    [identity, nameKey(userPrincipalName), identity, userPrincipalName, at],
  );
  return revoked.length > 0;
}
