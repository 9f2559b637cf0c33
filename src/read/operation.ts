import type { FieldNode, FragmentDefinitionNode, GraphQLField, GraphQLSchema } from 'graphql';
import type { ReadType } from './model.js';
import type { Sql } from './row.js';

/** The operation whose fields are compiled: what graphql-js hands to a resolver. */
export interface Operation {
  schema: GraphQLSchema;
  fragments: Record<string, FragmentDefinitionNode>;
  variableValues: Record<string, unknown>;
  /** Absent: a query. */
  operation?: { operation: string };
}

/** A value in the statement under its response key. */
export interface Selected {
  key: string;
  value: Sql;
}

/** A field whose arguments are evaluated at each run. */
export interface FieldArguments {
  field: GraphQLField<unknown, unknown>;
  node: FieldNode;
}

/** Every type that can be read, by GraphQL name. */
export type ReadModel = ReadonlyMap<string, ReadType>;
