import { createRemoteJWKSet, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { JOSEError, JWTExpired } from 'jose/errors';
import type { AuthConfig } from '../config/config.js';
import { refuse, viewerOf } from './claims.js';
import type { Role } from './role.js';
import { anonymous, type Viewer } from './viewer.js';

const DEMO_ISSUER = 'csp-graph-demo';
const DEMO_AUDIENCE = 'csp-graph';

/** What jose says of a key set that does not answer, or not with keys. Other errors than its own are of the network. */
const keySetOutOfReach = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

/**
 * Tells who sends an `Authorization` value.
 * @throws UNAUTHENTICATED for a token that does not hold; whatever happened where the key set is out of reach
 */
export type Authenticate = (authorization: string | undefined) => Promise<Viewer>;

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
