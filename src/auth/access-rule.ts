import type { Role } from './role.js';
import { hasRole, tenantScope, type Viewer } from './viewer.js';

/** Which rows of a type somebody reaches who may use it: one rule for what is read and for what use cases do. */
export interface RowRule {
  /** The rows as an auditor reads them: those of the partner's people, and those of a CUSTOMER_ADMIN. */
  readonly partner: string;
  readonly customer: string;
  /**
   * The properties that lead from a row to its customer; an empty path: the row is the customer. Reads make their
   * condition of it (`read/compile-scope.ts`), use cases ask `mayUse`. Absent: the field knows no other rows.
   */
  readonly toCustomer?: readonly string[];
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
  /** Of a type: who has it by its id, by `node` and `nodes`; left out where that is whoever reads the type. */
  readonly byId?: readonly Role[];
  readonly rows?: RowRule;
  /** Whether an attempt that is refused is written to the activity log (rule 9). On mutations with `input.entitlementId`. */
  readonly logsDenial?: boolean;
  /** What is easily taken for a mistake, and why it is none. */
  readonly meant?: string;
}

/** Rules by coordinate: `Query.orders`, `Customer.contact`, or a type, `Order`, for every field that answers it. */
export type AccessRules = Readonly<Record<string, AccessRule>>;

/** Whether a viewer may use what the rule is about, of this record: the role's side and the record's side of it. */
export function mayUse({ roles, rows }: AccessRule, viewer: Viewer, record: object): boolean {
  if (roles !== 'everyone' && !hasRole(viewer, roles ?? [])) return false;
  const tenantId = tenantScope(viewer);
  if (tenantId === null || !rows?.toCustomer) return true;
  const customer = rows.toCustomer.reduce<unknown>(
    (at, property) => (at as Record<string, unknown> | null | undefined)?.[property],
    record,
  );
  return (customer as { tenantId?: string } | null | undefined)?.tenantId === tenantId;
}
