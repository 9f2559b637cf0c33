import { Role } from '../domain/role.js';
import { ANONYMOUS } from './trusted-documents-config.js';

/** Points for everybody, and others for some roles. Of several roles the most generous one counts. */
export interface PointsByRole {
  everybody: number;
  byRole: ReadonlyMap<string, number>;
}

/** What operations may cost. */
export interface CostConfig {
  /** One operation. */
  operation: PointsByRole;
  /** All operations of one user in a minute. */
  perMinute: PointsByRole;
  /** Refused attempts at keys and links of one user in ten minutes. */
  refusedAttempts: number;
  /** Dead or false download links and upload addresses that one address may try in ten minutes. */
  refusedLinks: number;
  /** MiB of support files that one user may upload in a day. */
  uploadBudget: number;
}

/** Where processes share what users have spent. */
export type LimiterConfig = { kind: 'database' } | { kind: 'redis'; url: string };

/** What holds where nothing is set. */
export const costDefaults = {
  COST_LIMIT: '50000,REPORT_VIEWER:100000,ANONYMOUS:5000',
  COST_BUDGET: '300000,ANONYMOUS:30000',
} as const;

const roles: ReadonlySet<string> = new Set([ANONYMOUS, ...Object.values(Role)]);

/** `50000,REPORT_VIEWER:100000`; null where it is not of that form. */
export function pointsByRole(text: string): PointsByRole | null {
  const [everybody = '', ...others] = text.split(',').map((part) => part.trim());
  const byRole = new Map<string, number>();
  for (const other of others) {
    const [role = '', points = '', more] = other.split(':');
    if (more !== undefined || !roles.has(role) || byRole.has(role) || !arePoints(points)) return null;
    byRole.set(role, Number(points));
  }
  return arePoints(everybody) ? { everybody: Number(everybody), byRole } : null;
}

const arePoints = (text: string) => /^[1-9]\d{0,8}$/.test(text);

/** The points of somebody with these roles; of none: `ANONYMOUS`'s. */
export function pointsFor({ everybody, byRole }: PointsByRole, given: readonly string[]): number {
  const own = given.length > 0 ? given : [ANONYMOUS];
  return Math.max(...own.map((role) => byRole.get(role) ?? everybody));
}
