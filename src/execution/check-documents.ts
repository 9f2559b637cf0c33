import {
  type ASTNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLError,
  type GraphQLOutputType,
  type GraphQLSchema,
  isListType,
  isNonNullType,
  Kind,
  NoDeprecatedCustomRule,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { DocumentProblem, FiledDocument } from './document-files.js';
import { errorsOf } from './valid-document.js';

/** What a schema has against a document. */
export interface DocumentFinding extends DocumentProblem {
  /** The fields that lead to it, as the operation selects them; empty where it is about no field. */
  field: string;
  /** Whether it is refused or answered otherwise than its client expects, or only uses what is deprecated. */
  severity: 'breaking' | 'deprecated';
}

/** Why a schema and the limits refuse a document. */
export function refusals(schema: GraphQLSchema, document: FiledDocument): DocumentFinding[] {
  return findings(document, errorsOf(schema, document.document, { hideSuggestions: false }), 'breaking');
}

/**
 * What would break of a document: what the schema refuses, and fields that are of another type than in the schema that
 * the document was written for. What it uses that is deprecated is told too.
 */
export function checkDocument(
  schema: GraphQLSchema,
  document: FiledDocument,
  former: GraphQLSchema,
): DocumentFinding[] {
  return [
    ...refusals(schema, document),
    ...changedTypes(schema, document, former),
    ...findings(document, validate(schema, document.document, [NoDeprecatedCustomRule]), 'deprecated'),
  ];
}

function findings(
  filed: FiledDocument,
  errors: readonly GraphQLError[],
  severity: DocumentFinding['severity'],
): DocumentFinding[] {
  return errors.map(({ message, locations, nodes }) => ({
    ...where(filed, nodes?.[0]),
    at: locations?.[0] ?? null,
    reason: message,
    severity,
  }));
}

function where({ file, id, name, document }: FiledDocument, node: ASTNode | undefined) {
  return { file, id, name, field: node ? pathTo(document, node) : '' };
}

/** The fields around a node, by their response keys; of a fragment behind its name, as it is spread. */
function pathTo(document: DocumentNode, wanted: ASTNode): string {
  const path: string[] = [];
  let found = '';
  visit(document, {
    enter: (node) => {
      if (node.kind === Kind.FRAGMENT_DEFINITION) path.push(`...${node.name.value}`);
      if (node.kind === Kind.FIELD) path.push((node.alias ?? node.name).value);
      if (node === wanted) found = path.join('.');
    },
    leave: (node) => {
      if (node.kind === Kind.FIELD || node.kind === Kind.FRAGMENT_DEFINITION) path.pop();
    },
  });
  return found;
}

function changedTypes(schema: GraphQLSchema, filed: FiledDocument, former: GraphQLSchema): DocumentFinding[] {
  if (schema === former) return [];
  const before = outputTypes(former, filed.document);
  return [...outputTypes(schema, filed.document)].flatMap(([node, type]) => {
    const expected = before.get(node);
    if (expected === undefined || isAsExpected(expected, type)) return [];
    const { line = 0, column = 0 } = node.loc?.startToken ?? {};
    const reason = `It is of type "${type}", which was "${expected}".`;
    return [{ ...where(filed, node), at: { line, column }, reason, severity: 'breaking' }];
  });
}

function outputTypes(schema: GraphQLSchema, document: DocumentNode): Map<FieldNode, GraphQLOutputType> {
  const types = new Map<FieldNode, GraphQLOutputType>();
  const info = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(info, {
      Field: (node) => {
        const type = info.getType();
        if (type) types.set(node, type);
      },
    }),
  );
  return types;
}

/** Whether who expects the one type of a field can read the other: the same, or null in fewer places. */
function isAsExpected(expected: GraphQLOutputType, type: GraphQLOutputType): boolean {
  if (isNonNullType(expected)) return isNonNullType(type) && isAsExpected(expected.ofType, type.ofType);
  if (isNonNullType(type)) return isAsExpected(expected, type.ofType);
  if (isListType(expected)) return isListType(type) && isAsExpected(expected.ofType, type.ofType);
  return String(expected) === String(type);
}
