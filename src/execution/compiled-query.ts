import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  type GraphQLFormattedError,
  type GraphQLObjectType,
  type GraphQLSchema,
  getVariableValues,
  isNonNullType,
  Kind,
  locatedError,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { collectFields } from 'graphql/execution/collectFields.js';
import type { Denials } from '../auth/denials.js';
import type { Context } from '../context/context.js';
import { asGraphQLError, maskError, type ReportInternalError } from '../graphql/errors.js';
import type { Operation } from '../read/operation.js';
import type { BoundPlan } from '../read/reader.js';

/** Marks `data` whose JSON text is there already. */
const TEXT = Symbol('JSON text');
type Data = Record<string | symbol, unknown>;

/** The body of a GraphQL answer. */
export interface Result {
  errors?: readonly GraphQLFormattedError[];
  data?: Data | null;
  extensions?: Record<string, unknown>;
}

/** An answer as text: what PostgreSQL made is passed on, not parsed and made again. */
export function stringifyResult(result: Result): string {
  const text = result.data?.[TEXT];
  if (text === undefined) return `${JSON.stringify(result)}\n`;
  const { data: _data, ...rest } = result;
  const others = JSON.stringify(rest);
  return others === '{}' ? `{"data":${text}}\n` : `{"data":${text},${others.slice(1)}\n`;
}

/** The errors of an answer with the refusals of the operation: one per refused field, beside what may be seen. */
export function withDenials(errors: Result['errors'], denials: Denials): Result['errors'] {
  const denied = denials.errors;
  return denied.length === 0 ? errors : [...denials.others(errors ?? []), ...denied.map((error) => error.toJSON())];
}

/** A query as it was asked. */
export interface AskedQuery {
  context: Context;
  schema: GraphQLSchema;
  document: DocumentNode;
  /** Absent where the document does not say which operation to run. */
  operation: OperationDefinitionNode | null | undefined;
  variables: Record<string, unknown> | null | undefined;
  report: ReportInternalError;
  /** Judges it once it is known that it is answered here; why it may not run. Absent: it has been judged. */
  admit?(): GraphQLError | null | Promise<GraphQLError | null>;
}

/**
 * Answers a query whose every root field the read model knows with the JSON text of PostgreSQL; nothing is executed
 * per field. Its refused fields are in the context's denials.
 * @returns null for any other operation, and where variables or directives do not fit: execution tells of it
 */
export async function answerCompiled(query: AskedQuery): Promise<Result | null> {
  try {
    return await compiledAnswer(query);
  } catch (error) {
    return { errors: [maskError(asGraphQLError(error), query.report).toJSON()], data: null };
  }
}

async function compiledAnswer(query: AskedQuery): Promise<Result | null> {
  const { context, schema, document, operation, variables, report } = query;
  // Apollo asks also where the document names no operation to run.
  if (operation?.operation !== 'query' || context.services.revocations.refusal(context.viewer)) return null;
  // As many errors as execution would tell: a list may hold thousands, each of which is a text about all of it.
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
    maxErrors: 50,
  });
  if (!coerced) return null;
  const queryType = schema.getQueryType() as GraphQLObjectType;
  const running: Operation = { schema, fragments: fragmentsOf(document), variableValues: coerced };
  const roots = rootsOf(running, queryType, operation.selectionSet);
  if (!roots) return null;
  const names = roots.map(([, nodes]) => nameOf(nodes));
  if (!names.every((name) => name === '__typename' || context.read.answers(name))) return null;

  const refusal = (await query.admit?.()) ?? null;
  if (refusal) return { errors: [maskError(refusal, report).toJSON()] };
  context.services.queries.compiled += 1;
  const errors: GraphQLFormattedError[] = [];
  let isWhole = true;
  const texts = new Map<string, string>();
  const fail = (error: unknown, [key, nodes]: Root) => {
    errors.push(maskError(locatedError(error, nodes, [key]) as GraphQLError, report).toJSON());
    if (isNonNullType(queryType.getFields()[nameOf(nodes)]?.type)) isWhole = false;
  };
  const ready: { root: Root; read: BoundPlan }[] = [];
  for (const root of roots) {
    try {
      const read = prepare(context, running, root);
      if (typeof read === 'string') texts.set(root[0], read);
      else ready.push({ root, read });
    } catch (error) {
      fail(error, root);
    }
  }
  try {
    const read = await context.read.rootTexts(ready.map(({ read }) => read));
    for (const [index, { root }] of ready.entries()) texts.set(root[0], read[index] as string);
  } catch (error) {
    for (const { root } of ready) fail(error, root);
  }
  const text = `{${roots.map(([key]) => `${JSON.stringify(key)}:${texts.get(key) ?? 'null'}`).join(',')}}`;
  const data = isWhole ? { [TEXT]: text } : null;
  return errors.length > 0 ? { errors, data } : { data };
}

/** A root field: its response key, and where the document selects it. */
type Root = [key: string, nodes: readonly FieldNode[]];

function nameOf(nodes: readonly FieldNode[]): string {
  return (nodes[0] as FieldNode).name.value;
}

/** The root fields by response key; undefined where a directive's argument does not fit: execution tells of it. */
function rootsOf(
  { schema, fragments, variableValues }: Operation,
  query: GraphQLObjectType,
  asked: SelectionSetNode,
): Root[] | undefined {
  try {
    return [...collectFields(schema, fragments, variableValues, query, asked)];
  } catch {
    return undefined;
  }
}

/** The read of a root field, or its answer where it needs none. @throws BAD_USER_INPUT */
function prepare(context: Context, operation: Operation, [key, nodes]: Root): BoundPlan | string {
  const name = nameOf(nodes);
  if (name === '__typename') return '"Query"';
  if (!context.access.denies('Query', name)) return context.read.bindRoot(operation, nodes);
  context.denials.add(`Query.${name}`, nodes, [key]);
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
