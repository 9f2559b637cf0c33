import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
} from 'graphql';

/** A field as a walk comes to it, with what is selected below it added up. */
export interface WalkedField<Sum> {
  node: FieldNode;
  /** Absent where the schema has no such field. */
  definition: GraphQLField<unknown, unknown> | undefined;
  /** Name of the type that the field is of. */
  parent: string;
  inner: Sum;
}

/** How the selections of an operation are added up. */
export interface Walk<Sum> {
  nothing: Sum;
  /** Both, side by side: what one level of an operation adds up to. */
  plus(a: Sum, b: Sum): Sum;
  /** What the directives of a selection make of it. */
  under(directives: readonly DirectiveNode[], sum: Sum): Sum;
  field(field: WalkedField<Sum>): Sum;
}

/**
 * A function that adds up operations or fragments of one document, with fragments in their places. Each fragment is walked once,
 * however often it is spread: fragments that spread one another several times grow without bound when they run, but not
 * while they are walked.
 */
export function walkOperations<Sum>(
  schema: GraphQLSchema,
  fragmentOf: (name: string) => FragmentDefinitionNode | null | undefined,
  walk: Walk<Sum>,
): (definition: OperationDefinitionNode | FragmentDefinitionNode) => Sum {
  const fragments = new Map<string, Sum>();

  const ofSet = ({ selections }: SelectionSetNode, type?: GraphQLNamedType): Sum =>
    selections.map((selection) => ofSelection(selection, type)).reduce(walk.plus, walk.nothing);

  const ofSelection = (selection: SelectionNode, type?: GraphQLNamedType): Sum => {
    const { directives = [] } = selection;
    switch (selection.kind) {
      case Kind.FIELD:
        return walk.under(directives, ofField(selection, type));
      case Kind.FRAGMENT_SPREAD:
        return walk.under(directives, ofFragment(selection.name.value));
      case Kind.INLINE_FRAGMENT: {
        const { typeCondition, selectionSet } = selection;
        return walk.under(directives, ofSet(selectionSet, typeCondition ? typeFromAST(schema, typeCondition) : type));
      }
    }
  };

  const ofFragment = (name: string): Sum => {
    const known = fragments.get(name);
    if (known !== undefined) return known;
    // Fragments in a circle end here; a rule of GraphQL's own refuses them.
    fragments.set(name, walk.nothing);
    const fragment = fragmentOf(name);
    const sum = fragment ? ofSet(fragment.selectionSet, typeFromAST(schema, fragment.typeCondition)) : walk.nothing;
    fragments.set(name, sum);
    return sum;
  };

  const ofField = (node: FieldNode, parent?: GraphQLNamedType): Sum => {
    const definition =
      isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    const type = definition && getNamedType(definition.type);
    const inner = node.selectionSet ? ofSet(node.selectionSet, type) : walk.nothing;
    return walk.field({ node, definition, parent: parent?.name ?? '', inner });
  };

  const typeOf = (definition: OperationDefinitionNode | FragmentDefinitionNode): GraphQLNamedType | undefined =>
    definition.kind === Kind.FRAGMENT_DEFINITION
      ? typeFromAST(schema, definition.typeCondition)
      : (schema.getRootType(definition.operation) ?? undefined);

  return (definition) => walk.under(definition.directives ?? [], ofSet(definition.selectionSet, typeOf(definition)));
}
