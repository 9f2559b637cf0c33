import { accessRevoked, nameKey } from '../auth/revocations.js';
import type { Viewer } from '../auth/viewer.js';
import { AdvisoryLock } from '../database/advisory-locks.js';
import type { Em } from '../database/orm.js';
import { codedError, ErrorCode } from '../graphql/errors.js';

/**
 * Lets the viewer act in this transaction, and holds a revocation of their access up until it ends: what was begun before
 * is committed before, and nothing is done after the log's own ACCESS_REVOKED.
 * @throws UNAUTHENTICATED where their access is revoked
 */
export async function admit(em: Em, { identity, userPrincipalName }: Viewer): Promise<void> {
  if (!identity) return;
  await em.execute('select pg_advisory_xact_lock_shared(?, hashtext(?))', [AdvisoryLock.IDENTITY, identity.key]);
  // A statement of its own: it sees what was committed while this one waited for the lock.
  const revoked = await em.execute(
    'select 1 from "access_revocations" where "identity" in (?, ?) and "restored_at" is null limit 1',
    [identity.key, nameKey(userPrincipalName)],
  );
  if (revoked.length > 0) throw accessRevoked();
}

/** Whoever changes access goes one at a time: two that revoke each other would wait for each other for ever. */
export async function changeAccessAlone(em: Em): Promise<void> {
  await em.execute('select pg_advisory_xact_lock(?)', [AdvisoryLock.ACCESS_CHANGE]);
}

/** How long to wait for what somebody is doing before their access is changed. */
const HOLD_OFF_MS = 10_000;

/**
 * Waits until what an identity is doing is committed, and lets it begin nothing more before this transaction ends.
 * @throws UNAVAILABLE where that does not end: others are not to wait behind it
 */
export async function holdOff(em: Em, identity: string): Promise<void> {
  // Columns are made one after the other: the setting is read before it is changed.
  const [{ former }] = await em.execute<[{ former: string }]>(
    `select current_setting('lock_timeout') as "former", set_config('lock_timeout', ?, true)`,
    [String(HOLD_OFF_MS)],
  );
  try {
    await em.execute('select pg_advisory_xact_lock(?, hashtext(?))', [AdvisoryLock.IDENTITY, identity]);
  } catch (error) {
    if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
    throw codedError(
      ErrorCode.UNAVAILABLE,
      `What the user is doing has not ended for ${HOLD_OFF_MS / 1_000} s, so their access stands as it was. Send the same again; a gateway that hangs in the middle of it has to be ended first.`,
    );
  }
  await em.execute(`select set_config('lock_timeout', ?, true)`, [former]);
}
/** SQLSTATE of a lock that was waited for too long. */
const LOCK_NOT_AVAILABLE = '55P03';

/** What somebody made: by whom, and when. */
export interface Made {
  /** Key of the identity; null for what is older than identities. */
  identity: string | null;
  userPrincipalName: string;
  at: Date;
}

/**
 * Whether what somebody made died with their access: a link, an upload address. It stays dead when access is given back.
 * Until the transaction ends their access is not revoked.
 */
export async function diedWithAccess(em: Em, { identity, userPrincipalName, at }: Made): Promise<boolean> {
  if (identity !== null)
    await em.execute('select pg_advisory_xact_lock_shared(?, hashtext(?))', [AdvisoryLock.IDENTITY, identity]);
  const revoked = await em.execute(
    `select 1 from "access_revocations" where ("identity" in (?, ?) or (?::text is null and "user_principal_name" = ?))
      and ("restored_at" is null or "revoked_at" >= ?) limit 1`,
    [identity, nameKey(userPrincipalName), identity, userPrincipalName, at],
  );
  return revoked.length > 0;
}
