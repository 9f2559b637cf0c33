import type { AccessRule, AccessRules } from './access-rule.js';
import type { Role } from './role.js';

/** What one set of roles may reach in the graph. */
export interface Access {
  /** The same for the same set of roles. */
  readonly key: string;
  /** That set. */
  readonly roles: readonly Role[];
  /** Whether a field of an object type, or the type alone, is refused. */
  denies(type: string, field?: string): boolean;
  /** Whether a type is refused to who asks for it by its id. */
  deniesById(type: string): boolean;
}

/** Decides once per set of roles what it may reach; never per value. */
export class AccessTable {
  private readonly known = new Map<string, Access>();

  constructor(private readonly rules: AccessRules) {}

  /** The rule of a coordinate (`Query.orders`, `Invoice`); undefined: it has none of its own. */
  rule(coordinate: string): AccessRule | undefined {
    return this.rules[coordinate];
  }

  /** What the roles may reach. Bounded: there are as many as sets of ten roles that tokens carry. */
  for(roles: readonly Role[]): Access {
    const key = [...roles].sort().join();
    let access = this.known.get(key);
    if (!access) {
      const lacks = (required: AccessRule['roles']) =>
        required !== undefined && required !== 'everyone' && !required.some((role) => roles.includes(role));
      const refuses = (coordinate: string) => lacks(this.rules[coordinate]?.roles);
      access = {
        key,
        roles,
        denies: (type, field) => refuses(type) || (field !== undefined && refuses(`${type}.${field}`)),
        deniesById: (type) => refuses(type) || lacks(this.rules[type]?.byId),
      };
      this.known.set(key, access);
    }
    return access;
  }
}
