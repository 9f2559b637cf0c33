import { Role } from '../domain/role.js';

/** Stands in an issuer for the tenant that the token names, as in Microsoft's own metadata. */
export const TENANT_PLACEHOLDER = '{tenantid}';

/** Who may issue tokens, and where the keys are. */
export interface Issuer {
  /** As `iss` says it, or with `{tenantid}` in the place of the token's tenant. */
  issuer: string;
  jwksUrl: URL;
}

/** A value of a claim that gives a role. */
export interface RoleRule {
  /** The claim, with dots into objects: `realm_access.roles`. */
  claim: string;
  value: string;
  role: Role;
}

/** How people sign in to the playground and the dashboard. */
export interface SignInConfig {
  clientId: string;
  /** Below it lies `.well-known/openid-configuration`. */
  authority: string;
  /** Joined by blanks. */
  scopes: string;
}

/** Who issues the tokens: identity providers, or the gateway itself outside production. */
export type AuthConfig =
  | {
      kind: 'jwks';
      issuers: Issuer[];
      /** A token must name one of them. */
      audiences: string[];
      /** The claim that bears the tenant. */
      tenantClaim: string;
      /** Null: the values of `roles` are names of roles. */
      roles: RoleRule[] | null;
      partnerTenantId: string | null;
      /** No token may be good for longer. */
      maxTokenLifeMs: number;
      /** Null: people bring their tokens. */
      signIn: SignInConfig | null;
    }
  | { kind: 'demo'; partnerTenantId: string; maxTokenLifeMs: number };

/** The partner's tenant in demo tokens. Invented. */
export const DEMO_PARTNER_TENANT_ID = '5b1d0c7e-0000-4000-8000-00000000c500';

/** The settings that this is made of, parsed. */
export interface AuthSettings {
  AUTH_JWKS_URL?: string[] | undefined;
  AUTH_ISSUER?: string[] | undefined;
  AUTH_AUDIENCE?: string[] | undefined;
  AUTH_ROLES?: RoleRule[] | undefined;
  AUTH_TENANT_CLAIM: string;
  AUTH_MAX_TOKEN_LIFE_MS: number;
  AUTH_CLIENT_ID?: string | undefined;
  AUTH_AUTHORITY?: string | undefined;
  AUTH_SCOPES: string;
  PARTNER_TENANT_ID?: string | undefined;
}

/** Who issues the tokens, of settings that do not contradict one another. */
export function authConfigOf(values: AuthSettings): AuthConfig {
  const { AUTH_JWKS_URL: keySets, AUTH_ISSUER: issuers = [], AUTH_CLIENT_ID: clientId } = values;
  const maxTokenLifeMs = values.AUTH_MAX_TOKEN_LIFE_MS;
  if (!keySets)
    return { kind: 'demo', partnerTenantId: values.PARTNER_TENANT_ID ?? DEMO_PARTNER_TENANT_ID, maxTokenLifeMs };
  return {
    kind: 'jwks',
    issuers: issuers.map((issuer, index) => ({ issuer, jwksUrl: new URL((keySets[index] ?? keySets[0]) as string) })),
    audiences: values.AUTH_AUDIENCE ?? [],
    tenantClaim: values.AUTH_TENANT_CLAIM,
    roles: values.AUTH_ROLES ?? null,
    partnerTenantId: values.PARTNER_TENANT_ID?.toLowerCase() ?? null,
    maxTokenLifeMs,
    signIn: clientId
      ? { clientId, authority: values.AUTH_AUTHORITY ?? (issuers[0] as string), scopes: values.AUTH_SCOPES }
      : null,
  };
}

/** Reads `CLAIM=VALUE:ROLE`. A claim has no `=`, a role no `:`, so that a value may have both. Null: it is none. */
export function roleRuleOf(text: string): RoleRule | null {
  const [, claim, value, role] = /^([^=]+)=(.+):([A-Z_]+)$/.exec(text) ?? [];
  return claim && value && role && Object.hasOwn(Role, role) ? { claim, value, role: role as Role } : null;
}
