import type { JWTPayload } from 'jose';
import type { AuthConfig } from '../config/config.js';
import { codedError, ErrorCode } from '../graphql/errors.js';
import { isUuid } from '../lib/uuid.js';
import { identityOf } from './identity.js';
import { partnerRoles, Role } from './role.js';
import type { Viewer } from './viewer.js';

/** Why a token is refused. @param expired the client may come back with a new one */
export const refuse = (why: string, expired = false) =>
  codedError(ErrorCode.UNAUTHENTICATED, why, { extensions: { http: { status: 401 }, ...(expired && { expired }) } });

/** Who the claims of a checked token speak of. @throws UNAUTHENTICATED where they contradict each other */
export function viewerOf(claims: JWTPayload, auth: AuthConfig): Viewer {
  const text = (value: unknown) => (typeof value === 'string' && value.length > 0 ? value : null);
  const named = Array.isArray(claims['roles']) ? claims['roles'] : [];
  const roles = [
    ...new Set(named.filter((role): role is Role => typeof role === 'string' && Object.hasOwn(Role, role))),
  ];
  const tenantId = text(claims['tid'])?.toLowerCase() ?? null;
  if (tenantId !== null && !isUuid(tenantId)) throw refuse('The claim "tid" must be a GUID.');
  if (roles.includes(Role.CUSTOMER_ADMIN)) {
    if (roles.length > 1) throw refuse('A token is either of a customer (CUSTOMER_ADMIN) or of the partner, not both.');
    if (tenantId === null) throw refuse('A CUSTOMER_ADMIN needs the claim "tid": the tenant they administer.');
  } else if (
    auth.partnerTenantId !== null &&
    auth.kind === 'jwks' &&
    tenantId !== auth.partnerTenantId.toLowerCase() &&
    roles.some((role) => partnerRoles.includes(role))
  ) {
    throw refuse('Roles of the partner count only in tokens of the partner’s own tenant.');
  }
  const subject = claims.sub as string;
  return {
    identity: identityOf({ issuer: claims.iss as string, tenantId, objectId: text(claims['oid']) ?? subject }),
    userPrincipalName: (text(claims['upn']) ?? text(claims['preferred_username']) ?? subject).toLowerCase(),
    roles,
    tenantId,
    application: text(claims['azp']) ?? text(claims['appid']),
    issuedAt: typeof claims.iat === 'number' ? claims.iat * 1000 : null,
    expiresAt: (claims.exp as number) * 1000,
  };
}
