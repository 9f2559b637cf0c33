import type { FieldNode, GraphQLObjectType } from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import type { Operation } from './operation.js';

/**
 * The fields that a selection asks of a concrete type, by response key: fragments spread, `@skip` and `@include`
 * decided, same keys merged. It is graphql-js' own algorithm, so that compiled and executed reads cannot differ.
 * @param asked hears which variables decided, and what they were
 */
export function collectSubFields(
  operation: Operation,
  type: GraphQLObjectType,
  nodes: readonly FieldNode[],
  asked: (variable: string, value: unknown) => void,
): ReadonlyMap<string, readonly FieldNode[]> {
  const watched = new Proxy(operation.variableValues, {
    get: (variables, name) => {
      const value = Reflect.get(variables, name);
      if (typeof name === 'string') asked(name, value);
      return value;
    },
  });
  return collectSubfields(operation.schema, operation.fragments, watched, type, nodes);
}
