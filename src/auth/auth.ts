import {
  DirectiveLocation,
  GraphQLDirective,
  type GraphQLEnumType,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { Directive, Extensions } from 'type-graphql';
import type { Role } from './role.js';

const EXTENSION = 'requires';

/**
 * Who may read a field, call it, or reach a type: any of the roles. One act: it prints `@auth(requires:)` in the SDL
 * and is what `Access` enforces.
 */
export function Auth(...roles: Role[]): MethodDecorator & PropertyDecorator & ClassDecorator {
  const decorators = [Directive(`@auth(requires: [${roles.join(', ')}])`), Extensions({ [EXTENSION]: roles })];
  return ((...target: [never, never, never]) => {
    for (const decorate of decorators) (decorate as (...target: unknown[]) => void)(...target);
  }) as MethodDecorator & PropertyDecorator & ClassDecorator;
}

const LOGS_DENIAL = 'logsDenial';

/** An attempt that the roles refuse is written to the activity log (rule 9). On mutations with `input.entitlementId`. */
export function LogsDenial(): MethodDecorator {
  return Extensions({ [LOGS_DENIAL]: true }) as MethodDecorator;
}

/** Whether a refused attempt at a field is to be written down. */
export function logsDenial(extensions: Readonly<Record<string, unknown>>): boolean {
  return extensions[LOGS_DENIAL] === true;
}

/** Whether roles guard a field or a type. */
export function isGuarded(extensions: Readonly<Record<string, unknown>>): boolean {
  return rolesOf(extensions) !== undefined;
}

/** The definition of `@auth` for the schema that holds the enum `Role`. */
export function authDirective(role: GraphQLEnumType): GraphQLDirective {
  return new GraphQLDirective({
    name: 'auth',
    description:
      'Guards a field, or every field that returns the type it stands on. Callers without one of the roles get null there and one error of code `FORBIDDEN`, or `UNAUTHENTICATED` where they sent no token; the rest of the answer stands.',
    locations: [DirectiveLocation.OBJECT, DirectiveLocation.FIELD_DEFINITION],
    args: {
      requires: {
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(role))),
        description: 'The roles that may use it; any one of them is enough.',
      },
    },
  });
}

/** What one set of roles may reach in the graph. */
export interface Access {
  /** The same for the same set of roles. */
  readonly key: string;
  /** The roles that may, where the viewer's may not; null: allowed. Names a field of an object type, or the type alone. */
  denies(type: string, field?: string): readonly Role[] | null;
}

const rolesOf = (extensions: Readonly<Record<string, unknown>>) => extensions[EXTENSION] as readonly Role[] | undefined;

/** Decides once per set of roles what it may reach; never per value. */
export class AccessTable {
  private readonly guarded = new Map<string, readonly Role[]>();
  private readonly known = new Map<string, Access>();

  constructor(schema: GraphQLSchema) {
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type)) continue;
      const ofType = rolesOf(type.extensions);
      if (ofType) this.guarded.set(type.name, ofType);
      for (const field of Object.values(type.getFields())) {
        const ofField = rolesOf(field.extensions);
        if (ofField) this.guarded.set(`${type.name}.${field.name}`, ofField);
      }
    }
  }

  /** The roles that guard a coordinate (`Query.orders`, `Invoice`); undefined: not guarded. */
  requires(coordinate: string): readonly Role[] | undefined {
    return this.guarded.get(coordinate);
  }

  /** What the roles may reach. Bounded: there are as many as sets of ten roles that tokens carry. */
  for(roles: readonly Role[]): Access {
    const key = [...roles].sort().join();
    let access = this.known.get(key);
    if (!access) {
      const lacking = (coordinate: string) => {
        const required = this.guarded.get(coordinate);
        return required && !required.some((role) => roles.includes(role)) ? required : null;
      };
      access = {
        key,
        denies: (type, field) => lacking(type) ?? (field === undefined ? null : lacking(`${type}.${field}`)),
      };
      this.known.set(key, access);
    }
    return access;
  }
}
