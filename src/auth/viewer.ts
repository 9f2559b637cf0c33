import type { Identity } from './identity.js';
import { Role } from './role.js';

/**
 * Who asks. Anonymous is a viewer too, with no roles.
 * A CUSTOMER_ADMIN never has another role beside it, and reaches only the customer with `tenantId`.
 */
export interface Viewer {
  /** Who it is; null: anonymous. */
  identity: Identity | null;
  /** What people call them, in lower case: never what a rule goes by. */
  userPrincipalName: string;
  roles: readonly Role[];
  /** Why the token gives no role, for people to read; null: it gives one, or there is no token. */
  noRolesReason: string | null;
  /** The tenant that the token is from (`tid`). */
  tenantId: string | null;
  /** Client application (`azp` or `appid`), where the token names one. */
  application: string | null;
  /** Milliseconds since 1970; null for anonymous. */
  expiresAt: number | null;
  /** Until when the token counts here: its expiry and the clock tolerance. Milliseconds since 1970; null for anonymous. */
  validUntil: number | null;
}

/** A viewer without a token. */
export const anonymous: Viewer = {
  identity: null,
  userPrincipalName: 'anonymous',
  roles: [],
  noRolesReason: null,
  tenantId: null,
  application: null,
  expiresAt: null,
  validUntil: null,
};

/** Whether the viewer has any of the roles. */
export function hasRole(viewer: Viewer, roles: readonly Role[]): boolean {
  return viewer.roles.some((role) => roles.includes(role));
}

/** Whether the viewer only reads reports: such reads have connections and a time limit of their own. */
export function isAnalyst(viewer: Viewer): boolean {
  return viewer.roles.length > 0 && viewer.roles.every((role) => role === Role.REPORT_VIEWER);
}

/** The tenant whose rows alone the viewer may reach; null: rows of every customer. */
export function tenantScope(viewer: Viewer): string | null {
  return viewer.roles.includes(Role.CUSTOMER_ADMIN) ? viewer.tenantId : null;
}

/** The viewer's role to name in the activity log: the first of them. In a mutation it is one that allows it. */
export function actingRole(viewer: Viewer): string {
  return viewer.roles[0] ?? 'ANONYMOUS';
}
