import { EmbeddedDatabaseInUse } from './embedded-lock.js';
import { NotAReplica } from './replica.js';

const NOT_TRUSTED =
  'the certificate of the server is not trusted here. Name the file of its authority with sslrootcert=FILE behind the ?.';
/** What node-postgres says, without a code, where TLS is asked for and the server has none. */
const NO_TLS = 'The server does not support SSL connections';

/** What to do about a database that cannot be used, by what node-postgres or PostgreSQL calls it. */
const remedies: Record<string, string> = {
  ECONNREFUSED:
    'nothing answers there. Start the PostgreSQL server, or leave the setting out for the embedded database.',
  ENOTFOUND: 'there is no host of that name.',
  EAI_AGAIN: 'the name of the host cannot be looked up.',
  ETIMEDOUT: 'the host does not answer.',
  EHOSTUNREACH: 'there is no way to the host.',
  '3D000': 'there is no database of that name. Make it with createdb, or name another one.',
  '28000': 'the server does not let that user in.',
  '28P01': 'the password is not the user’s.',
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
  CERT_HAS_EXPIRED: 'the certificate of the server has expired.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for another host name.',
  '53300': 'the server has no connection left. Try again, or give it more (max_connections).',
  '57P03': 'the server is starting or stopping. Try again in a moment.',
};

/** A sentence for whoever started the process where its database cannot be used; null for any other error. */
export function databaseProblem(error: Error & { code?: string }): string | null {
  if (error instanceof EmbeddedDatabaseInUse || error instanceof NotAReplica) return error.message;
  if (error.message.includes(NO_TLS)) return 'DATABASE_URL: the server speaks no TLS, which sslmode asks for.';
  const remedy = remedies[error.code ?? ''];
  return remedy ? `DATABASE_URL: ${remedy}` : null;
}
