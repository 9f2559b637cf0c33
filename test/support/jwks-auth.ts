import type { AuthConfig } from '../../src/config/auth-config.js';

type JwksAuth = Extract<AuthConfig, { kind: 'jwks' }>;

/** Settings for tokens of issuers whose key sets are fetched. */
export const jwksAuth = (issuers: JwksAuth['issuers'], more: Partial<JwksAuth> = {}): JwksAuth => ({
  kind: 'jwks',
  issuers,
  audiences: ['api://csp-graph'],
  tenantClaim: 'tid',
  roles: null,
  partnerTenantId: null,
  maxTokenLifeMs: 86_400_000,
  signIn: null,
  ...more,
});
