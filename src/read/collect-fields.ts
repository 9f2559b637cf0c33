import type { FieldNode, GraphQLObjectType } from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import type { Operation } from './compile.js';

/**
 * The fields that a selection asks of a concrete type, by response key: fragments spread, `@skip` and `@include`
 * decided, same keys merged. It is graphql-js' own algorithm, so that compiled and executed reads cannot differ.
 */
export function collectSubFields(
  operation: Operation,
  type: GraphQLObjectType,
  nodes: readonly FieldNode[],
): ReadonlyMap<string, readonly FieldNode[]> {
  return collectSubfields(
    operation.schema,
    operation.fragments,
    operation.variableValues as { [variable: string]: unknown },
    type,
    nodes,
  );
}
