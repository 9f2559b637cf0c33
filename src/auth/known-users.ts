import { type Kysely, sql } from 'kysely';
import { codedError, ErrorCode } from '../graphql/errors.js';
import { Lru } from '../lib/lru.js';
import type { Authenticate } from './tokens.js';
import type { Viewer } from './viewer.js';

/** Identities remembered as written down. */
const REMEMBERED = 10_000;

/**
 * Writes down who comes with a valid token, once for each identity and name, before anything is done for them: whoever
 * was let in can be found by `revokeAccess`.
 * @throws UNAVAILABLE where that cannot be written
 */
export function noteUsers(authenticate: Authenticate, kysely: Kysely<unknown>): Authenticate {
  const noted = new Lru<string, true>(REMEMBERED);
  return async (authorization) => {
    const viewer = await authenticate(authorization);
    const { identity, userPrincipalName } = viewer;
    if (!identity) return viewer;
    const key = `${userPrincipalName} ${identity.key}`;
    if (noted.get(key)) return viewer;
    await note(kysely, viewer).catch((error) => {
      throw codedError(
        ErrorCode.UNAVAILABLE,
        'Who you are could not be written down: the database is out of reach. Try again in a few seconds.',
        { originalError: error, extensions: { http: { status: 503 } } },
      );
    });
    noted.set(key, true);
    return viewer;
  };
}

async function note(kysely: Kysely<unknown>, { identity, userPrincipalName }: Viewer): Promise<void> {
  if (!identity) return;
  const { key, issuer, tenantId, objectId } = identity;
  await sql`insert into "known_users" ("identity", "user_principal_name", "issuer", "tenant_id", "object_id")
    values (${key}, ${userPrincipalName}, ${issuer}, ${tenantId}::uuid, ${objectId}) on conflict do nothing`.execute(
    kysely,
  );
}
