import { EmbeddedDatabaseInUse } from './embedded-lock.js';
import { NotAReplica } from './replica.js';

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
  '53300': 'the server has no connection left. Try again, or give it more (max_connections).',
  '57P03': 'the server is starting or stopping. Try again in a moment.',
};

/** A sentence for whoever started the process where its database cannot be used; null for any other error. */
export function databaseProblem(error: Error & { code?: string }): string | null {
  if (error instanceof EmbeddedDatabaseInUse || error instanceof NotAReplica) return error.message;
  const remedy = remedies[error.code ?? ''];
  return remedy ? `DATABASE_URL: ${remedy}` : null;
}
