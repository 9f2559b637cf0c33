import type { JWTPayload } from 'jose';
import type { AuthConfig } from '../config/auth-config.js';
import { claimAt } from './claim-at.js';
import { Role } from './role.js';

/** How much of a claim a reason quotes. */
const QUOTED_VALUES = 5;
const QUOTED_CHARACTERS = 64;

/** The roles that a token gives. */
export interface GivenRoles {
  roles: Role[];
  /** Why there are none, for people to read; null: there are. */
  noRolesReason: string | null;
}

/**
 * The roles that the claims give by the settings. Where the partner's tenant is set the tenant of the token decides
 * whose roles count: the administrators of a customer give out roles in their own tenant, and the partner's own global
 * administrator has the same claim as a customer's.
 * @param tenantId in lower case
 */
export function givenRoles(claims: JWTPayload, tenantId: string | null, auth: AuthConfig): GivenRoles {
  const rules = auth.kind === 'jwks' ? auth.roles : null;
  const named = rules
    ? rules.filter(({ claim, value }) => valuesOf(claimAt(claims, claim)).includes(value)).map(({ role }) => role)
    : valuesOf(claims['roles']).filter((value): value is Role => Object.hasOwn(Role, value));
  const all = [...new Set(named)];
  const counting = auth.kind === 'jwks' && auth.partnerTenantId !== null ? auth.partnerTenantId : undefined;
  const roles = counting === undefined ? all : all.filter((role) => countsIn(role, tenantId, counting));
  if (roles.length > 0) return { roles, noRolesReason: null };
  if (all.length > 0) return { roles, noRolesReason: all.map((role) => whereItCounts(role)).join(' ') };
  const looked = [...new Set(rules?.map(({ claim }) => claim) ?? ['roles'])];
  return { roles, noRolesReason: looked.map((claim) => whatItHolds(claims, claim)).join(' ') };
}

/** Whether a role counts in a token of a tenant. */
function countsIn(role: Role, tenantId: string | null, partnerTenantId: string): boolean {
  const isPartners = tenantId === partnerTenantId;
  return role === Role.CUSTOMER_ADMIN ? tenantId !== null && !isPartners : isPartners;
}

const whereItCounts = (role: Role) =>
  role === Role.CUSTOMER_ADMIN
    ? `${role} counts only in tokens of a customer’s tenant.`
    : `${role} counts only in tokens of the partner’s tenant.`;

function whatItHolds(claims: JWTPayload, claim: string): string {
  const found = claimAt(claims, claim);
  const values = valuesOf(found);
  if (values.length > 0) {
    const quoted = values.slice(0, QUOTED_VALUES).map((value) => JSON.stringify(value.slice(0, QUOTED_CHARACTERS)));
    const more = values.length > quoted.length ? `, and ${values.length - quoted.length} more` : '';
    return `The claim "${claim}" gives no role here: it holds ${quoted.join(', ')}${more}.`;
  }
  if (found !== undefined) return `The claim "${claim}" holds no text.`;
  // Microsoft leaves a list out that is too long for a token, and says where to ask for it.
  const left = claims['_claim_names'];
  const isLeftOut = claims['hasgroups'] === true || (typeof left === 'object' && left !== null && claim in left);
  if (claim === 'groups' && isLeftOut)
    return 'The claim "groups" was left out by the provider, because the person is in too many of them.';
  return `The token has no claim "${claim}".`;
}

/** The texts of a claim that is a list or one text; anything else in it counts for nothing. */
function valuesOf(claim: unknown): string[] {
  return [claim].flat().filter((value): value is string => typeof value === 'string' && value !== '');
}
