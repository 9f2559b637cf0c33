import { type Identity, parseIdentity } from '../../auth/identity.js';
import type { Em } from '../../database/orm.js';
import { Problem } from '../../domain/problem.js';
import { KnownUser } from './access.entity.js';

/** A user as callers name one: by name or by object id, of any tenant unless told. */
export interface UserReference {
  /** In either case. */
  userPrincipalName: string | null;
  /** `oid` or `sub`, case as given. */
  objectId: string | null;
  /** Undefined: of any tenant; null: of none. */
  tenantId: string | null | undefined;
  issuer: string | null;
}

/** Somebody who came with a valid token; only the name is known of those revoked before identities were kept. */
export class User {
  /** In lower case: the name asked for, else the newest. */
  readonly userPrincipalName: string;
  readonly issuer: string | null;
  readonly tenantId: string | null;
  readonly objectId: string | null;

  constructor({ userPrincipalName, issuer, tenantId, objectId }: Partial<User> & Pick<User, 'userPrincipalName'>) {
    this.userPrincipalName = userPrincipalName;
    this.issuer = issuer ?? null;
    this.tenantId = tenantId ?? null;
    this.objectId = objectId ?? null;
  }
}

/** Nobody ever came under that name or object id. */
export class UserUnknown extends Problem {
  readonly code = 'USER_UNKNOWN';
  readonly message =
    'Nobody ever came with that name or object id. Look for the exact one in the activity log or in sessions; who has not come yet is kept away at the identity provider.';
}

/** Several people came under that name or object id. */
export class UserAmbiguous extends Problem {
  readonly code = 'USER_AMBIGUOUS';
  readonly message =
    'Several users go by that. Name the one you mean by objectId, and by tenantId and issuer; users lists them.';
  constructor(readonly users: User[]) {
    super();
  }
}

/** Finds the one user who is meant. */
export async function findUser(
  em: Em,
  { userPrincipalName, objectId, tenantId, issuer }: UserReference,
): Promise<{ identity: Identity; user: User } | Problem> {
  const name = userPrincipalName?.toLowerCase();
  // Newest first: without a name to look for, every name of the user is among them.
  const found = await em.find(
    KnownUser,
    {
      ...(name === undefined ? {} : { userPrincipalName: name }),
      ...(objectId === null ? {} : { objectId }),
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(issuer === null ? {} : { issuer }),
    },
    { orderBy: { firstSeenAt: 'desc' } },
  );
  const users = new Map(found.map((row) => [row.identity, row]));
  if (users.size > 1) return new UserAmbiguous([...users.values()].slice(0, 100).map((row) => new User(row)));
  const [newest] = found;
  const identity = parseIdentity(newest?.identity ?? null);
  return newest && identity ? { identity, user: new User(newest) } : new UserUnknown();
}
