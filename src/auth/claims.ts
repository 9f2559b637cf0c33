import type { JWTPayload } from 'jose';
import { z } from 'zod';
import type { AuthConfig } from '../config/auth-config.js';
import { codedError, ErrorCode } from '../graphql/errors.js';
import { IDENTIFIER } from '../lib/one-line.js';
import { isUuid } from '../lib/uuid.js';
import { claimAt } from './claim-at.js';
import { givenRoles } from './given-roles.js';
import { identityOf } from './identity.js';
import { Role } from './role.js';
import type { Viewer } from './viewer.js';

/** How far the clocks of providers and gateway may be apart. */
const CLOCK_TOLERANCE_S = 60;
/** For how many seconds beside its own times a token counts. Demo tokens are of the gateway's own clock. */
export const clockToleranceOf = (auth: AuthConfig) => (auth.kind === 'jwks' ? CLOCK_TOLERANCE_S : 0);

/** Why a token is refused. @param expired the client may come back with a new one */
export const refuse = (why: string, expired = false) =>
  codedError(ErrorCode.UNAUTHENTICATED, why, { extensions: { http: { status: 401 }, ...(expired && { expired }) } });

/** Claims go into tables and answers as input does, and are judged like it. */
const text = z
  .string({ error: 'must be a text' })
  .min(1, 'must not be empty')
  .max(255, 'must have at most 255 characters')
  // As `IsNameOfUser` has it.
  .regex(IDENTIFIER, 'must not have control characters, nor others that cannot be seen')
  .regex(/\S/, 'must not be blank')
  .refine((value) => !/\p{Surrogate}/u.test(value), 'must be well-formed Unicode')
  // As arguments are, which look for the same names.
  .transform((value) => value.normalize('NFC'));
/** Some providers write a claim that is not there as null or as an empty text. */
const optionalText = z.preprocess((value) => (value === null || value === '' ? undefined : value), text.optional());
const seconds = z.number({ error: 'must be a number of seconds since 1970' }).min(0, 'must not be before 1970');

const claimsForm = z.object({
  iss: text,
  sub: text,
  exp: seconds,
  iat: seconds.optional(),
  oid: optionalText,
  upn: optionalText,
  preferred_username: optionalText,
  unique_name: optionalText,
  azp: optionalText,
  appid: optionalText,
  client_id: optionalText,
  idtyp: optionalText,
});
type Claims = z.infer<typeof claimsForm>;

/**
 * Who the claims of a token speak of whose signature, issuer and audience hold.
 * @throws UNAUTHENTICATED where they are not of the right form or contradict each other
 */
export function viewerOf(payload: JWTPayload, auth: AuthConfig): Viewer {
  const claims = judged(payload);
  judgeLife(claims, auth);
  const tenantId = tenantOf(payload, auth);
  const { roles, noRolesReason } = givenRoles(payload, tenantId, auth);
  if (roles.includes(Role.CUSTOMER_ADMIN)) {
    if (roles.length > 1) throw refuse('A token is either of a customer (CUSTOMER_ADMIN) or of the partner, not both.');
    if (tenantId === null) throw refuse(`A CUSTOMER_ADMIN needs the claim ${tenantClaimOf(auth)}: their tenant.`);
  }
  const application = claims.azp ?? claims.appid ?? claims.client_id ?? null;
  return {
    identity: identityOf({
      issuer: whoVouches(claims.iss, tenantId),
      tenantId,
      objectId: claims.oid ?? claims.sub,
    }),
    userPrincipalName: nameOf(claims, application).toLowerCase(),
    roles,
    noRolesReason,
    tenantId,
    application,
    expiresAt: claims.exp * 1_000,
    validUntil: (claims.exp + clockToleranceOf(auth)) * 1_000,
  };
}

function judged(payload: JWTPayload): Claims {
  const { data, error } = claimsForm.safeParse(payload);
  if (data) return data;
  const [issue] = error.issues;
  throw refuse(`The claim "${issue?.path.join('.')}" ${issue?.message}.`);
}

/** A token counts for as long as it says: one that says for ever could never be taken back by its provider. */
function judgeLife({ iat, exp }: Claims, auth: AuthConfig): void {
  const now = Date.now() / 1_000;
  if (iat !== undefined && iat > now + CLOCK_TOLERANCE_S)
    throw refuse('The claim "iat" is ahead of time: the token says that it was issued later than now.');
  const life = exp - (iat ?? now + CLOCK_TOLERANCE_S);
  const maximum = auth.maxTokenLifeMs / 1_000;
  if (life > maximum) throw refuse(`The token is good for too long: a token may be good for ${maximum} s.`);
}

const tenantClaimOf = (auth: AuthConfig) => `"${auth.kind === 'jwks' ? auth.tenantClaim : 'tid'}"`;

function tenantOf(payload: JWTPayload, auth: AuthConfig): string | null {
  const tenant = claimAt(payload, auth.kind === 'jwks' ? auth.tenantClaim : 'tid') ?? '';
  if (tenant === '') return null;
  if (typeof tenant !== 'string' || !isUuid(tenant)) throw refuse(`The claim ${tenantClaimOf(auth)} must be a GUID.`);
  return tenant.toLowerCase();
}

/**
 * The issuer as part of an identity. Where its address is the tenant's own, the tenant stands for it: Entra ID issues
 * tokens of one person as `https://sts.windows.net/TENANT/` (v1) and `https://login.microsoftonline.com/TENANT/v2.0`.
 */
function whoVouches(issuer: string, tenantId: string | null): string {
  return tenantId !== null && issuer.toLowerCase().includes(tenantId) ? tenantId : issuer;
}

/** What people call the caller. An application that acts by itself has no person's name, but its own id. */
function nameOf(claims: Claims, application: string | null): string {
  const { sub, oid, idtyp } = claims;
  const isApplication = idtyp === 'app' || sub === oid || sub === application;
  const name = claims.upn ?? claims.preferred_username ?? claims.unique_name;
  return name ?? (isApplication ? application : null) ?? sub;
}
