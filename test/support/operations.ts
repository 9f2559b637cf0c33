import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DocumentNode,
  type GraphQLSchema,
  getNamedType,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
  separateOperations,
  TypeInfo,
  typeFromAST,
  visit,
  visitWithTypeInfo,
} from 'graphql';

const folder = join(import.meta.dirname, '../../schema/operations');

/** A named operation of schema/operations, with the fragments that it uses. */
export interface NamedOperation {
  name: string;
  kind: 'query' | 'mutation' | 'subscription';
  document: DocumentNode;
  text: string;
}

/** Every named operation of schema/operations, by name. */
export function namedOperations(): NamedOperation[] {
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  return Object.entries(separateOperations(parse(texts.join('\n'))))
    .map(([name, document]) => {
      const operation = document.definitions.find((definition) => definition.kind === 'OperationDefinition');
      return { name, document, text: print(document), kind: (operation as OperationDefinitionNode).operation };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A refusal as errors tell it. */
interface Refusal {
  extensions: { code: string; coordinate?: string };
}

/**
 * Which response paths are refused, with which code: those selected whose coordinate, or whose type, an error names.
 * Lists count as one, and what lies below a refused path is not looked at.
 */
export function refusedPaths(
  schema: GraphQLSchema,
  { document }: NamedOperation,
  errors: readonly Refusal[],
): Record<string, string> {
  const codes = new Map(errors.map(({ extensions }) => [extensions.coordinate, extensions.code]));
  const refused: Record<string, string> = {};
  const walk = (selectionSet: SelectionSetNode, typeName: string, path: string) => {
    const within = new TypeInfo(schema, schema.getType(typeName));
    visit(
      selectionSet,
      visitWithTypeInfo(within, {
        Field(field) {
          const key = [path, field.alias?.value ?? field.name.value].filter(Boolean).join('.');
          const type = getNamedType(within.getType())?.name ?? '';
          const code = codes.get(`${within.getParentType()?.name}.${field.name.value}`) ?? codes.get(type);
          if (code) refused[key] = code;
          else if (field.selectionSet) walk(field.selectionSet, type, key);
          return false;
        },
        FragmentSpread(spread) {
          const fragment = document.definitions.find(
            (definition) => definition.kind === 'FragmentDefinition' && definition.name.value === spread.name.value,
          );
          if (fragment?.kind === 'FragmentDefinition')
            walk(fragment.selectionSet, typeFromAST(schema, fragment.typeCondition)?.name ?? '', path);
          return false;
        },
        InlineFragment(fragment) {
          const condition = fragment.typeCondition && typeFromAST(schema, fragment.typeCondition)?.name;
          walk(fragment.selectionSet, condition ?? typeName, path);
          return false;
        },
      }),
    );
  };
  for (const definition of document.definitions) {
    if (definition.kind !== 'OperationDefinition') continue;
    const root = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }[definition.operation];
    walk(definition.selectionSet, root, '');
  }
  return refused;
}

/** What the data of an answer has at a response path: `null` where every value there is null, and there is one. */
export function valuesAt(data: unknown, path: string): unknown[] {
  return path
    .split('.')
    .reduce<unknown[]>(
      (values, key) =>
        values
          .flatMap((value) => (Array.isArray(value) ? value.flat() : [value]))
          .flatMap((value) =>
            typeof value === 'object' && value !== null && key in value
              ? [(value as Record<string, unknown>)[key]]
              : [],
          ),
      [data],
    );
}
