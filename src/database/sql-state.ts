/** SQLSTATE of a lock that was waited for too long. */
export const LOCK_NOT_AVAILABLE = '55P03';
/** SQLSTATEs of transactions that met another: serialization failures and deadlocks. Begun anew they may succeed. */
const MET_ANOTHER = new Set(['40001', '40P01']);

/** What PostgreSQL calls an error; undefined for whatever else was thrown. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : sqlStateOf(cause);
}

/** Whether a transaction ended because it met another, and nothing else is wrong with it. */
export const hasMetAnother = (error: unknown) => MET_ANOTHER.has(sqlStateOf(error) ?? '');

/** Whether somebody else held a lock for longer than it is waited for. */
export const isHeldTooLong = (error: unknown) => sqlStateOf(error) === LOCK_NOT_AVAILABLE;
