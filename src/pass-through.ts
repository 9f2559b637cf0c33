import { type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLObjectType,
  getVariableValues,
  isNonNullType,
  Kind,
  locatedError,
} from 'graphql';
import { collectFields } from 'graphql/execution/collectFields.js';
import type { Context } from './context.js';
import { maskError, type ReportInternalError } from './graphql/errors.js';
import type { Operation } from './read/compile.js';

/** Marks `data` whose JSON text is there already. */
const TEXT = Symbol('JSON text');
type Data = Record<string | symbol, unknown>;

/** Apollo's answer as text: what PostgreSQL made is passed on, not parsed and made again. */
export function stringifyResult(result: { data?: Data | null; errors?: readonly unknown[] }): string {
  const text = result.data?.[TEXT];
  if (text === undefined) return `${JSON.stringify(result)}\n`;
  const { data: _data, ...rest } = result;
  const others = JSON.stringify(rest);
  return others === '{}' ? `{"data":${text}}\n` : `{"data":${text},${others.slice(1)}\n`;
}

/**
 * Answers queries whose every root field the read model knows with the JSON text of PostgreSQL: one statement per root
 * field, nothing executed per field. Any other operation is executed as usual, and answers the same.
 */
export function passThrough(report: ReportInternalError): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async () => ({
      responseForOperation: async ({ schema, document, operation, request, contextValue: context }) => {
        // Apollo asks also where the document names no operation to run.
        if (operation?.operation !== 'query' || context.services.revocations.covers(context.viewer)) return null;
        const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], request.variables ?? {});
        if (!coerced) return null;
        const query = schema.getQueryType() as GraphQLObjectType;
        const running: Operation = { schema, fragments: fragmentsOf(document), variableValues: coerced };
        const roots = [...collectFields(schema, running.fragments, coerced, query, operation.selectionSet)];
        const names = roots.map(([, nodes]) => (nodes[0] as FieldNode).name.value);
        if (!names.every((name) => name === '__typename' || context.read.answers(name))) return null;

        const errors: GraphQLFormattedError[] = [];
        let isWhole = true;
        const texts = await Promise.all(
          roots.map(async ([key, nodes]) => {
            try {
              return await rootText(context, running, key, nodes);
            } catch (error) {
              errors.push(maskError(locatedError(error, nodes, [key]) as GraphQLError, report).toJSON());
              if (isNonNullType(query.getFields()[(nodes[0] as FieldNode).name.value]?.type)) isWhole = false;
              return 'null';
            }
          }),
        );
        const text = `{${roots.map(([key], index) => `${JSON.stringify(key)}:${texts[index]}`).join(',')}}`;
        const data = isWhole ? ({ [TEXT]: text } as Record<string, unknown>) : null;
        return {
          http: { headers: new HeaderMap() },
          body: { kind: 'single', singleResult: errors.length > 0 ? { data, errors } : { data } },
        };
      },
    }),
  };
}

async function rootText(
  context: Context,
  operation: Operation,
  key: string,
  nodes: readonly FieldNode[],
): Promise<string> {
  const name = (nodes[0] as FieldNode).name.value;
  if (name === '__typename') return '"Query"';
  const requires = context.access.denies('Query', name);
  if (!requires) return context.read.rootText(operation, nodes);
  context.denials.add(`Query.${name}`, requires, nodes, [key]);
  return 'null';
}

const fragments = new WeakMap<DocumentNode, Record<string, FragmentDefinitionNode>>();

function fragmentsOf(document: DocumentNode): Record<string, FragmentDefinitionNode> {
  let known = fragments.get(document);
  if (!known) {
    known = Object.fromEntries(
      document.definitions.flatMap((definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition]] : [],
      ),
    );
    fragments.set(document, known);
  }
  return known;
}
