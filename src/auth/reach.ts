import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import type { Access } from './access-table.js';

/** What somebody may use of a schema: as far as fields lead from its roots that are not refused. */
export interface Reach {
  /** Types of every kind by name: objects, interfaces, unions, enums, scalars and inputs. */
  readonly types: ReadonlySet<string>;
  /** Fields of object types, as coordinates: `Query.orders`. */
  readonly fields: ReadonlySet<string>;
}

/** What roles may use, by the table of access and the schema's shape. */
export function reachOf(schema: GraphQLSchema, access: Access): Reach {
  const types = new Set<GraphQLNamedType>();
  const fields = new Set<string>();
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()])
    if (root && Object.values(root.getFields()).some((field) => isReached(schema, access, root, field)))
      types.add(root);
  // A set goes on with what is added while it is walked.
  for (const type of types) {
    if (isInputObjectType(type))
      for (const { type: of } of Object.values(type.getFields())) types.add(getNamedType(of));
    if (isInterfaceType(type)) for (const { type: of } of Object.values(type.getFields())) types.add(getNamedType(of));
    if (!isObjectType(type)) continue;
    for (const implemented of type.getInterfaces()) types.add(implemented);
    for (const field of Object.values(type.getFields())) {
      if (!isReached(schema, access, type, field)) continue;
      fields.add(`${type.name}.${field.name}`);
      for (const behind of membersOf(schema, access, getNamedType(field.type))) types.add(behind);
      types.add(getNamedType(field.type));
      for (const argument of field.args as readonly GraphQLArgument[]) types.add(getNamedType(argument.type));
    }
  }
  return { types: new Set([...types].map(({ name }) => name)), fields };
}

function isReached(
  schema: GraphQLSchema,
  access: Access,
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
): boolean {
  const behind = getNamedType(field.type);
  if (access.denies(type.name, field.name)) return false;
  return isObjectType(behind) || isAbstractType(behind) ? membersOf(schema, access, behind).length > 0 : true;
}

/** The object types that a type stands for and that are not refused; of `Node` those that are had by their ids. */
function membersOf(schema: GraphQLSchema, access: Access, type: GraphQLNamedType): readonly GraphQLObjectType[] {
  if (isObjectType(type)) return access.denies(type.name) ? [] : [type];
  if (!isAbstractType(type)) return [];
  return schema
    .getPossibleTypes(type)
    .filter(({ name }) => !(type.name === 'Node' ? access.deniesById(name) : access.denies(name)));
}
