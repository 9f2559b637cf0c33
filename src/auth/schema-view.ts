import {
  type ASTNode,
  buildASTSchema,
  type DocumentNode,
  type EnumValueDefinitionNode,
  type GraphQLSchema,
  Kind,
  type ObjectTypeDefinitionNode,
  print,
  visit,
} from 'graphql';
import { problemCodeOf } from '../domain/problem.js';
import type { Reach } from './reach.js';

/** The sentence that a field behind a guard has: one wording for all. Who sees the field is not refused it. */
export const REFUSAL = ' Null, with a `FORBIDDEN` error, where your roles do not allow it.';

const SENTENCES = /(?<=\.)\s+(?=[A-Z`])/;

/** What no field leads to and everybody reads: the codes of errors. */
const PUBLIC = 'ErrorCode';

/** A schema as somebody may use it. It answers introspection and makes suggestions; nothing else is executed on it. */
export class SchemaView {
  private built: GraphQLSchema | undefined;
  private printed: string | undefined;

  constructor(
    private readonly document: DocumentNode,
    /** Names and coordinates of the whole schema that are not in it. */
    readonly hidden: ReadonlySet<string>,
  ) {}

  /** The view as SDL, laid out as the contract is. */
  get sdl(): string {
    this.printed ??= `${print(this.document)}\n`;
    return this.printed;
  }

  get schema(): GraphQLSchema {
    this.built ??= buildASTSchema(this.document, { assumeValid: true });
    return this.built;
  }
}

/** What of a schema's SDL somebody may use: nothing that is refused is there, nor is it spoken of. */
export function viewOf(document: DocumentNode, reach: Reach, roles: readonly string[]): SchemaView {
  const seen = visible(document, reach, roles);
  const names = namesOf(seen);
  const hidden = new Set([...namesOf(document)].filter((name) => !names.has(name)));
  return new SchemaView(described(seen, hidden), hidden);
}

function visible(document: DocumentNode, { types, fields }: Reach, roles: readonly string[]): DocumentNode {
  const isSeen = ({ name }: { name: { value: string } }) => types.has(name.value) || name.value === PUBLIC;
  const ofType = <Node extends { name: { value: string } }>(node: Node) => (isSeen(node) ? undefined : null);
  const codes = document.definitions
    .filter((node): node is ObjectTypeDefinitionNode => node.kind === Kind.OBJECT_TYPE_DEFINITION && isSeen(node))
    .filter(({ interfaces = [] }) => interfaces.some(({ name }) => name.value === 'Problem'))
    .map(({ name }) => problemCodeOf(name.value));
  return visit(document, {
    // Who may use what is not for everybody to know.
    DirectiveDefinition: ({ name }) => (name.value === 'auth' ? null : undefined),
    SchemaDefinition: (node) => ({ ...node, operationTypes: node.operationTypes.filter(({ type }) => isSeen(type)) }),
    ScalarTypeDefinition: ofType,
    InterfaceTypeDefinition: ofType,
    InputObjectTypeDefinition: ofType,
    UnionTypeDefinition: (node) => (isSeen(node) ? { ...node, types: node.types?.filter(isSeen) } : null),
    EnumTypeDefinition: (node) => {
      if (node.name.value === 'Role') return { ...node, values: node.values?.map((role) => ofOthers(role, roles)) };
      if (node.name.value !== 'ProblemCode') return ofType(node);
      return isSeen(node) ? { ...node, values: node.values?.filter(({ name }) => codes.includes(name.value)) } : null;
    },
    ObjectTypeDefinition: (node) =>
      isSeen(node)
        ? {
            ...node,
            directives: [],
            interfaces: node.interfaces?.filter(isSeen),
            fields: node.fields?.filter(({ name }) => fields.has(`${node.name.value}.${name.value}`)),
          }
        : null,
    FieldDefinition: (node) => ({
      ...node,
      directives: node.directives?.filter(({ name }) => name.value !== 'auth'),
    }),
  });
}

/** A role as others than its holders are told of it: without what it may. */
function ofOthers(role: EnumValueDefinitionNode, own: readonly string[]): EnumValueDefinitionNode {
  const { description, name } = role;
  if (!description || own.includes(name.value)) return role;
  return { ...role, description: { ...description, value: description.value.split(SENTENCES)[0] as string } };
}

/** Every name of a schema, and the coordinates of its fields and values: `Order`, `total`, `Order.total`. */
function namesOf(document: DocumentNode): Set<string> {
  const names = new Set<string>();
  for (const node of document.definitions) {
    if ('name' in node && node.name) names.add(node.name.value);
    const members = 'fields' in node ? node.fields : 'values' in node ? node.values : undefined;
    for (const member of members ?? []) {
      names.add(member.name.value).add(`${'name' in node ? node.name?.value : ''}.${member.name.value}`);
      for (const argument of 'arguments' in member ? (member.arguments ?? []) : []) names.add(argument.name.value);
    }
  }
  return names;
}

/** The document without the sentences of descriptions that speak of what is not in it. */
function described(document: DocumentNode, hidden: ReadonlySet<string>): DocumentNode {
  const speaksOfHidden = (sentence: string) =>
    [...sentence.matchAll(/`([^`/]+)`/g)].some(([, code = '']) =>
      (code.match(/[A-Za-z_]\w*(\.\w+)?/g) ?? []).some((name) => hidden.has(name)),
    );
  return visit(document, {
    enter: (node: ASTNode) => {
      if (!('description' in node) || !node.description) return undefined;
      const sentences = node.description.value.replace(REFUSAL, '').split(SENTENCES);
      const value = sentences.filter((sentence) => !speaksOfHidden(sentence)).join(' ');
      return { ...node, description: { ...node.description, value } };
    },
  });
}
