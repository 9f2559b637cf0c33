/** What Node says when nothing answers at an address. */
const NOBODY_THERE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/**
 * SQLSTATEs of a connection that was not made or was ended: class 08, no connection left (53300), ended or refused by
 * the server (57P01 to 57P03), and on a replica a read that stood in the way of what it had to replay (40001).
 */
const NO_CONNECTION = /^(08...|53300|57P0[123]|40001)$/;
/** node-postgres says the rest in words only. */
const IN_WORDS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed) and is not queryable)/;

/** Whether a statement failed because the database could not be reached, or let go of it: later it may succeed. */
export function isOutOfReach(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, cause } = error as { code?: unknown; message?: unknown; cause?: unknown };
  if (typeof code === 'string' && (NOBODY_THERE.has(code) || NO_CONNECTION.test(code))) return true;
  return (typeof message === 'string' && IN_WORDS.test(message)) || isOutOfReach(cause);
}
