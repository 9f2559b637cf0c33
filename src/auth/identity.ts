/**
 * Who somebody is, for every rule: revocation, idempotency keys, sessions and limits go by it. Names are for people: they
 * change, are given to others, and two providers may have the same.
 */
export interface Identity {
  /** `iss`: the identity provider that vouches; the tenant, where its address is the tenant's own (`claims.ts`). */
  readonly issuer: string;
  /** `tid`, where the token names a tenant. */
  readonly tenantId: string | null;
  /** `oid`, or `sub` where there is none; case as given. */
  readonly objectId: string;
  /** The three as one text, different for every identity: `ISSUER TENANT OBJECT`, with `-` for no tenant. */
  readonly key: string;
}

/** An identity out of its parts. An issuer and a tenant have no spaces in them: two identities never have one key. */
export function identityOf(parts: Omit<Identity, 'key'>): Identity {
  return { ...parts, key: `${parts.issuer} ${parts.tenantId ?? '-'} ${parts.objectId}` };
}

/** The identity whose key it is; null where it is none. */
export function parseIdentity(key: string | null): Identity | null {
  const [, issuer, tenant, objectId] = /^(\S+) (\S+) (.+)$/s.exec(key ?? '') ?? [];
  if (issuer === undefined || tenant === undefined || objectId === undefined) return null;
  return identityOf({ issuer, tenantId: tenant === '-' ? null : tenant, objectId });
}
