import { createRemoteJWKSet, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { JOSEError, JWTExpired } from 'jose/errors';
import type { AuthConfig } from '../config/config.js';
import { codedError, ErrorCode } from '../graphql/errors.js';
import { partnerRoles, Role } from './role.js';
import { anonymous, type Viewer } from './viewer.js';

const DEMO_ISSUER = 'csp-graph-demo';
const DEMO_AUDIENCE = 'csp-graph';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What jose says of a key set that does not answer, or not with keys. Other errors than its own are of the network. */
const keySetOutOfReach = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

/**
 * Tells who sends an `Authorization` value.
 * @throws UNAUTHENTICATED for a token that does not hold; whatever happened where the key set is out of reach
 */
export type Authenticate = (authorization: string | undefined) => Promise<Viewer>;

const refuse = (why: string, expired = false) =>
  codedError(ErrorCode.UNAUTHENTICATED, why, { extensions: { http: { status: 401 }, ...(expired && { expired }) } });

/** Checks tokens as the settings say: against a key set, or the gateway's own demo tokens. No value: anonymous. */
export function createAuthenticate(auth: AuthConfig, signingSecret: Uint8Array): Authenticate {
  const keySet = auth.kind === 'jwks' ? createRemoteJWKSet(auth.jwksUrl) : null;
  return async (authorization) => {
    if (authorization === undefined || authorization === '') return anonymous;
    const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization) ?? [];
    if (!token) throw refuse('Authorization must be "Bearer" and a JWT.');
    let payload: JWTPayload;
    try {
      ({ payload } = keySet
        ? await jwtVerify(token, keySet, {
            issuer: (auth as { issuer: string }).issuer,
            audience: (auth as { audience: string }).audience,
            requiredClaims: ['exp', 'sub'],
            algorithms: ['RS256', 'PS256', 'ES256'],
          })
        : await jwtVerify(token, signingSecret, {
            issuer: DEMO_ISSUER,
            audience: DEMO_AUDIENCE,
            requiredClaims: ['exp', 'sub'],
            algorithms: ['HS256'],
          }));
    } catch (error) {
      // Not the caller's fault, and no reason to sign in again.
      if (!(error instanceof JOSEError) || keySetOutOfReach.has(error.code)) throw error;
      if (error instanceof JWTExpired) throw refuse('The token has expired. Get a new one.', true);
      throw refuse('The token is not valid: its signature, issuer, audience or form is wrong.');
    }
    return viewerOf(payload, auth);
  };
}

function viewerOf(payload: JWTPayload, auth: AuthConfig): Viewer {
  const text = (value: unknown) => (typeof value === 'string' && value.length > 0 ? value : null);
  const named = Array.isArray(payload['roles']) ? payload['roles'] : [];
  const roles = [
    ...new Set(named.filter((role): role is Role => typeof role === 'string' && Object.hasOwn(Role, role))),
  ];
  const tenantId = text(payload['tid'])?.toLowerCase() ?? null;
  if (tenantId !== null && !UUID.test(tenantId)) throw refuse('The claim "tid" must be a GUID.');
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
  return {
    subject: payload.sub as string,
    userPrincipalName: (
      text(payload['upn']) ??
      text(payload['preferred_username']) ??
      (payload.sub as string)
    ).toLowerCase(),
    roles,
    tenantId,
    application: text(payload['azp']) ?? text(payload['appid']),
    issuedAt: typeof payload.iat === 'number' ? payload.iat * 1000 : null,
    expiresAt: (payload.exp as number) * 1000,
  };
}

/** What a demo token says. */
export interface DemoIdentity {
  role: Role;
  /** The partner's tenant, or the customer's for a CUSTOMER_ADMIN. */
  tenantId: string;
  userPrincipalName: string;
}

/** Signs a demo token. Only outside production, where `Authenticate` takes such tokens. `ttl` as jose reads it: `8h`. */
export function signDemoToken(identity: DemoIdentity, ttl: string, signingSecret: Uint8Array): Promise<string> {
  return new SignJWT({
    roles: [identity.role],
    tid: identity.tenantId,
    upn: identity.userPrincipalName,
    azp: 'csp-graph-demo',
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(DEMO_ISSUER)
    .setAudience(DEMO_AUDIENCE)
    .setSubject(identity.userPrincipalName)
    .setIssuedAt()
    .setExpirationTime(ttl)
    .sign(signingSecret);
}
