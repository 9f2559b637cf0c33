import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Mask } from '../auth/access-rule.js';
import { partnerRoles } from '../auth/role.js';
import type { FeedEntry } from './entry.js';

/** What stands in the place of a stranger's name. */
export const ANOTHER_TENANT = 'another tenant';

const nothing = () => sql`null`;
const roles: readonly string[] = partnerRoles;

/**
 * To who is held to one tenant strangers are those who neither are of it nor act for the partner: their attempts at the
 * tenant's licences are in its log (rule 9). Entries from before identities were kept tell no tenant; of those, attempts
 * are the only ones that a stranger can have made.
 */
export const strangers: Mask = {
  meant: `Of an attempt by somebody of another tenant the name is "${ANOTHER_TENANT}", and object id, tenant, issuer and application are null; its correlation id is the entry's own. Filters go by what is shown.`,
  when: (alias, tenantId): RawBuilder<SqlBool> => {
    const column = (name: string) => sql.ref(`${alias}.${name}`);
    return sql`(${column('actor_role')} not in (${sql.join(roles.map((role) => sql.lit(role)))})
      and coalesce(${column('actor_tenant_id')} <> ${tenantId}::uuid, ${column('action')} = 'ACCESS_DENIED'))`;
  },
  instead: {
    actor: () => sql`${sql.lit(ANOTHER_TENANT)}::text`,
    application: nothing,
    actorIssuer: nothing,
    actorTenantId: nothing,
    actorObjectId: nothing,
    // Entries of the same request lie in the stranger's own log.
    correlationId: (alias) => sql`${sql.ref(`${alias}.id`)}`,
  },
};

/** Whether an entry was made by a stranger to a tenant: the same rule as `strangers.when`, for entries in memory. */
export function isByStranger({ actorRole, actorTenantId, action }: FeedEntry, tenantId: string): boolean {
  if (roles.includes(actorRole)) return false;
  // Nor in entries that a relay of before has passed on.
  return actorTenantId == null ? action === 'ACCESS_DENIED' : actorTenantId !== tenantId;
}
