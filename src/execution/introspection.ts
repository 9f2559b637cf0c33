import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FieldNode,
  type GraphQLError,
  Kind,
  type NamedTypeNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  typeFromAST,
  visit,
} from 'graphql';
import type { SchemaView } from '../auth/schema-view.js';
import type { Viewer } from '../auth/viewer.js';
import { codedError, ErrorCode } from '../graphql/errors.js';

const isOfSchema = (name: string) => name === '__schema' || name === '__type';

/** The fields at the root of an operation, those of fragments among them. */
interface Roots {
  /** `__schema` and `__type`. */
  schema: readonly FieldNode[];
  /** Whether it asks for anything else. */
  isMixed: boolean;
}

const known = new WeakMap<OperationDefinitionNode, Roots>();

function rootsOf(document: DocumentNode, operation: OperationDefinitionNode): Roots {
  const found = known.get(operation);
  if (found) return found;
  const fields: FieldNode[] = [];
  const seen = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) fields.push(selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        for (const one of document.definitions)
          if (one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === selection.name.value)
            collect(one.selectionSet);
      }
    }
  };
  collect(operation.selectionSet);
  const schema = fields.filter(({ name }) => isOfSchema(name.value));
  const roots = { schema, isMixed: schema.length < fields.length };
  known.set(operation, roots);
  return roots;
}

/** Whether an operation asks what there is, by `__schema` or `__type`. */
export function isIntrospective(document: DocumentNode, operation: OperationDefinitionNode): boolean {
  return operation.operation === 'query' && rootsOf(document, operation).schema.length > 0;
}

/** Why an operation that introspects is not run: its caller may see nothing of the schema. */
export function introspectionRefused(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  { identity }: Viewer,
): GraphQLError {
  const nodes = rootsOf(document, operation).schema;
  return codedError(
    identity ? ErrorCode.FORBIDDEN : ErrorCode.UNAUTHENTICATED,
    identity
      ? 'Introspection is off here. Ask whoever runs the gateway for the schema.'
      : 'Introspection needs a token here. Send one: Authorization: Bearer …',
    { nodes, extensions: { coordinate: `Query.${nodes[0]?.name.value}`, http: { status: 400 } } },
  );
}

/**
 * Executes an operation that introspects: what it asks of the schema on the caller's view of it, the rest as ever. There
 * is no other way to have both right, as graphql-js answers what implements an interface out of the schema it runs on.
 */
export async function executeIntrospection(
  args: ExecutionArgs,
  operation: OperationDefinitionNode,
  view: SchemaView,
): Promise<ExecutionResult> {
  const { document } = args;
  const roots = rootsOf(document, operation);
  const rest = roots.isMixed
    ? await execute({ ...args, document: only(args, operation, (name) => !isOfSchema(name)) })
    : null;
  if (rest && !rest.data) return rest;
  const asked = only(args, operation, isOfSchema, view.schema);
  const introspected = await execute({ ...args, schema: view.schema, document: asked });
  if (!rest || !introspected.data) return introspected;
  const keys = new Set(roots.schema.map(({ alias, name }) => (alias ?? name).value));
  const data = Object.entries(rest.data ?? {}).map(([key, value]) => [
    key,
    keys.has(key) ? introspected.data?.[key] : value,
  ]);
  const errors = [...(rest.errors ?? []), ...(introspected.errors ?? [])];
  return { data: Object.fromEntries(data), ...(errors.length > 0 && { errors }) };
}

/**
 * The document with only one operation, and of its root fields only those that are wanted: `__typename` stands under the
 * keys of the others, so that keys and their order stay.
 */
function only(
  { schema, document }: ExecutionArgs,
  operation: OperationDefinitionNode,
  isWanted: (name: string) => boolean,
  executedOn = schema,
): DocumentNode {
  const queryType = schema.getQueryType()?.name;
  const definitions = document.definitions.filter((one) => one === operation || one.kind === Kind.FRAGMENT_DEFINITION);
  return visit(
    { ...document, definitions },
    {
      // A variable that is used by what is left out may be of a type that the view has not.
      VariableDefinition: ({ type }) => (typeFromAST(executedOn, type as NamedTypeNode) ? false : null),
      FragmentDefinition: ({ typeCondition }) => (typeCondition.name.value === queryType ? undefined : false),
      Field: ({ name, alias, directives }) =>
        isWanted(name.value)
          ? false
          : {
              kind: Kind.FIELD,
              alias: alias ?? name,
              name: { kind: Kind.NAME, value: '__typename' },
              directives,
            },
    },
  );
}
