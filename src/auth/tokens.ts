import { decodeJwt, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { JOSEError, JWKSNoMatchingKey, JWTClaimValidationFailed, JWTExpired } from 'jose/errors';
import type { Logger } from 'pino';
import { type AuthConfig, type Issuer, TENANT_PLACEHOLDER } from '../config/auth-config.js';
import { Lru } from '../lib/lru.js';
import { isUuid } from '../lib/uuid.js';
import { whyNotAccessToken } from './access-token.js';
import { claimAt } from './claim-at.js';
import { clockToleranceOf, refuse, viewerOf } from './claims.js';
import type { KeySets } from './key-sets.js';
import type { Role } from './role.js';
import { anonymous, type Viewer } from './viewer.js';

/** Issuer of demo tokens. */
export const DEMO_ISSUER = 'csp-graph-demo';
const DEMO_AUDIENCE = 'csp-graph';
/** RFC 7235: the scheme in any case, and one blank or more. */
const CREDENTIALS = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;
const REQUIRED = ['exp', 'sub'];
/** People remembered as told of in the log, because their tokens give no role. */
const MAXIMUM_TOLD = 1_000;

/**
 * Tells who sends an `Authorization` value: at once where it is known, as most requests bring one that came before.
 * @throws UNAUTHENTICATED for a token that does not hold; UNAVAILABLE where its key is out of reach
 */
export type Authenticate = (authorization: string | undefined) => Viewer | Promise<Viewer>;

/** What tokens are checked with. */
export interface AuthenticateOptions {
  auth: AuthConfig;
  /** Signs demo tokens. */
  signingSecret: Uint8Array;
  keySets: KeySets;
  log: Logger;
}

/** Checks tokens as the settings say: against key sets, or the gateway's own demo tokens. No value: anonymous. */
export function createAuthenticate({ auth, signingSecret, keySets, log }: AuthenticateOptions): Authenticate {
  const told = new Lru<string, true>(MAXIMUM_TOLD);
  return async (authorization) => {
    if (authorization === undefined || authorization === '') return anonymous;
    const [, token] = CREDENTIALS.exec(authorization) ?? [];
    if (!token) throw refuse('Authorization must be "Bearer" and a JWT.');
    const payload = await verify(token, auth, signingSecret, keySets).catch((error) => {
      throw refusalOf(error);
    });
    const viewer = viewerOf(payload, auth);
    const { identity, noRolesReason: reason, application } = viewer;
    const key = identity?.key ?? '';
    if (reason !== null && !told.get(key)) {
      told.set(key, true);
      log.warn({ identity, application, reason }, 'a token gives no role');
    }
    return viewer;
  };
}

/** The claims of a token whose signature, issuer, audience and time hold. */
async function verify(
  token: string,
  auth: AuthConfig,
  signingSecret: Uint8Array,
  keySets: KeySets,
): Promise<JWTPayload> {
  if (auth.kind === 'demo') {
    const { payload } = await jwtVerify(token, signingSecret, {
      issuer: DEMO_ISSUER,
      audience: DEMO_AUDIENCE,
      requiredClaims: REQUIRED,
      algorithms: ['HS256'],
    });
    return payload;
  }
  // Who says to have issued it decides against which keys it is checked, and nothing else.
  const claimed = decodeJwt(token);
  const issuer = auth.issuers.find((one) => expectedOf(one, claimAt(claimed, auth.tenantClaim)) === claimed.iss);
  if (!issuer) throw refuse('The token is not valid: its issuer ("iss") is none that is let in here.');
  const { payload, protectedHeader } = await jwtVerify(
    token,
    (header, jws) => keySets.of(issuer.jwksUrl).keyOf(claimed.iss as string, header, jws),
    {
      issuer: claimed.iss as string,
      audience: auth.audiences,
      requiredClaims: REQUIRED,
      algorithms: ['RS256', 'PS256', 'ES256'],
      clockTolerance: clockToleranceOf(auth),
    },
  );
  const why = whyNotAccessToken(protectedHeader, payload);
  if (why) throw refuse(`The token is not an access token: ${why}.`);
  return payload;
}

/** What `iss` must say in a token of a tenant; undefined: the issuer has tenants, and the token names none. */
function expectedOf({ issuer }: Issuer, tenant: unknown): string | undefined {
  if (!issuer.includes(TENANT_PLACEHOLDER)) return issuer;
  return typeof tenant === 'string' && isUuid(tenant) ? issuer.replace(TENANT_PLACEHOLDER, tenant) : undefined;
}

/** What is told of a token that did not hold. What is not of the token's making is told as it is. */
function refusalOf(error: unknown): unknown {
  // The key that the token names cannot be used: it is too short, or no key at all.
  if (error instanceof TypeError || error instanceof DOMException)
    return refuse('The token is signed with a key that cannot be used. Its provider has to mend the key set.');
  if (!(error instanceof JOSEError)) return error;
  if (error instanceof JWTExpired) return refuse('The token has expired. Get a new one.', true);
  if (error instanceof JWKSNoMatchingKey)
    return refuse('The token is signed with a key that its provider does not list, or no longer. Get a new one.', true);
  if (error instanceof JWTClaimValidationFailed)
    return refuse(`The token is not valid: the claim "${error.claim}" is missing, or not what it must be here.`);
  return refuse('The token is not valid: its signature, issuer, audience or form is wrong.');
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
