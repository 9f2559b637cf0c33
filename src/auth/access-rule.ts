import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Role } from './role.js';
import { hasRole, tenantScope, type Viewer } from './viewer.js';

/** Which rows of a type somebody reaches who may use it: one rule for what is read and for what use cases do. */
export interface RowRule {
  /** The rows as an auditor reads them: those of the partner's people, and those of a CUSTOMER_ADMIN. */
  readonly partner: string;
  readonly customer: string;
  /**
   * The properties that lead from a row to its customer; an empty path: the row is the customer. Reads make their
   * condition of it (`read/compile-scope.ts`), use cases ask with `reachable`. Absent: the field knows no other rows.
   */
  readonly toCustomer?: readonly string[];
  /** What of these rows is not for who is held to one tenant, though the rows are. */
  readonly mask?: Mask;
}

/** Values of a row that tell of somebody whom callers held to one tenant are not to know. */
export interface Mask {
  /** For auditors: which values of which rows, and what is shown instead. */
  readonly meant: string;
  /** Whether a row tells of such a person, for callers of a tenant. */
  when(alias: string, tenantId: RawBuilder<unknown>): RawBuilder<SqlBool>;
  /** What is shown in the place of a value, by the entity's properties. */
  readonly instead: Readonly<Record<string, (alias: string) => RawBuilder<unknown>>>;
}

/** What callers of a tenant are shown of a property of the row with this alias; wherever it is read, filters too. */
export function masked(
  mask: Mask,
  { alias, property, column }: { alias: string; property: string; column: RawBuilder<unknown> },
  tenantId: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const instead = mask.instead[property];
  return instead ? sql`case when ${mask.when(alias, tenantId)} then ${instead(alias)} else ${column} end` : column;
}

/** Rows of the partner's customers: all for the partner's people, those of their own tenant for a CUSTOMER_ADMIN. */
export function ownTenant(...toCustomer: string[]): RowRule {
  return { partner: 'every customer', customer: 'own tenant', toCustomer };
}

/** What tells of nobody else. */
export const theCaller: RowRule = { partner: 'the caller', customer: 'the caller' };

/** Who may use a coordinate of the graph, and of which rows. */
export interface AccessRule {
  /** Any of them is enough; left out where whoever reads the object may read the field, and only `meant` is to be said. */
  readonly roles?: readonly Role[] | 'everyone';
  /** Who has a type by its id, by `node` and `nodes`; left out where that is whoever reads the type. */
  readonly byId?: readonly Role[];
  readonly rows?: RowRule;
  /** Whether an attempt that is refused is written to the activity log (rule 9). On mutations with `input.entitlementId`. */
  readonly logsDenial?: boolean;
  /** What is easily taken for a mistake, and why it is none. */
  readonly meant?: string;
}

/** Rules by coordinate: `Query.orders`, `Customer.contact`, or a type, `Order`, for every field that answers it. */
export type AccessRules = Readonly<Record<string, AccessRule>>;

/** The rows that a viewer reaches by a rule: those of one tenant's customers, or with null those of all. Null: none at all. */
export function reachOf({ roles, rows }: AccessRule, viewer: Viewer): { tenantId: string | null } | null {
  if (roles !== 'everyone' && !hasRole(viewer, roles ?? [])) return null;
  return { tenantId: rows?.toCustomer ? tenantScope(viewer) : null };
}

/**
 * The condition of the records that a viewer reaches by a rule, as `find` takes it; null: the roles reach none. Asked
 * with it, what is somebody else's costs the statements of what is not there, and no time tells them apart.
 */
export function reachable(rule: AccessRule, viewer: Viewer): Record<string, unknown> | null {
  const reach = reachOf(rule, viewer);
  if (!reach) return null;
  const { tenantId } = reach;
  if (tenantId === null || !rule.rows?.toCustomer) return {};
  return rule.rows.toCustomer.reduceRight<Record<string, unknown>>((of, property) => ({ [property]: of }), {
    tenantId,
  });
}
