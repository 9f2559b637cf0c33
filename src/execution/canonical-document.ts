import { sortExecutableDocument } from '@graphql-tools/documents';
import {
  type DefinitionNode,
  type DocumentNode,
  Kind,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  separateOperations,
  visit,
} from 'graphql';
import { limits } from '../graphql/limits.js';

/**
 * Selection sets inside one another, of fields and of inline fragments. Printing and sorting take many times the text of
 * a document that is nested for its own sake.
 */
const MAXIMUM_NESTING = 4 * limits.depth;

/**
 * The operations of a text, each with the fragments that it uses and in one form: two that ask for the same are equal.
 * What does not count is what clients change when they print a document: layout, comments, the order of fields,
 * arguments, variables and fragments (never that of a mutation's root fields, which is the order in which they run), and
 * `__typename`, which Apollo Client and urql add below the root.
 * @returns null where the text is not GraphQL, is nested too deeply, or holds what no operation uses
 */
export function canonicalOperations(text: string): string[] | null {
  try {
    return operationsOf(parse(text, { maxTokens: limits.tokens }));
  } catch {
    // Whatever graphql-js cannot do with it, it is none of ours.
    return null;
  }
}

function operationsOf(document: DocumentNode): string[] | null {
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const separate = Object.values(separateOperations(document));
  // Where two operations have the same name, `separateOperations` knows one.
  if (separate.length !== operations.length || isTooDeep(document)) return null;
  // What no operation uses is validated all the same, and its errors would tell of the schema.
  const used = new Set(separate.flatMap(({ definitions }) => definitions.map((definition) => nameOf(definition))));
  if (document.definitions.length > used.size) return null;
  return separate.map((operation) => print(sortExecutableDocument(withoutTypenames(operation)))).sort();
}

/** Fragments by name, operations one by one; separated copies of a definition are the same. */
function nameOf(definition: DefinitionNode): unknown {
  return definition.kind === Kind.FRAGMENT_DEFINITION ? definition.name.value : definition;
}

function isTooDeep(document: DocumentNode): boolean {
  let nesting = 0;
  let deepest = 0;
  visit(document, {
    SelectionSet: {
      enter: () => {
        nesting += 1;
        deepest = Math.max(deepest, nesting);
      },
      leave: () => {
        nesting -= 1;
      },
    },
  });
  return deepest > MAXIMUM_NESTING;
}

/** The document without the `__typename` that clients add; one that selects nothing else keeps it. */
function withoutTypenames(document: DocumentNode): DocumentNode {
  return visit(document, {
    SelectionSet: (node, _key, parent): SelectionSetNode | undefined => {
      if (parent && 'kind' in parent && parent.kind === Kind.OPERATION_DEFINITION) return undefined;
      const selections = node.selections.filter((selection) => !isBareTypename(selection));
      return selections.length > 0 ? { ...node, selections } : { ...node, selections: node.selections.slice(0, 1) };
    },
  });
}

function isBareTypename(selection: SelectionNode): boolean {
  return (
    selection.kind === Kind.FIELD &&
    selection.name.value === '__typename' &&
    selection.alias === undefined &&
    selection.directives?.length === 0
  );
}
