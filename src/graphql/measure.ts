import {
  type FieldNode,
  type GraphQLNamedType,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
  type ValidationContext,
} from 'graphql';
import { DEFAULT_PAGE_SIZE } from '../read/page.js';

/** How large an operation is, with its fragments in their places. */
export interface Size {
  /** Fields inside fields; introspection counts as none. */
  depth: number;
  fields: number;
  aliases: number;
  directives: number;
  rootFields: number;
  /** Items of pages inside pages, were every page full. */
  items: number;
}

const NOTHING: Size = { depth: 0, fields: 0, aliases: 0, directives: 0, rootFields: 0, items: 0 };

/** Both, side by side: what one level of an operation adds up to. */
function plus(a: Size, b: Size): Size {
  return {
    depth: Math.max(a.depth, b.depth),
    fields: a.fields + b.fields,
    aliases: a.aliases + b.aliases,
    directives: a.directives + b.directives,
    rootFields: a.rootFields + b.rootFields,
    items: a.items + b.items,
  };
}

/**
 * A function that measures operations of one document. Each fragment is measured once, however often it is spread:
 * fragments that spread one another several times grow without bound when they run, but not while they are measured.
 * @param unknownPageSize what a page counts for whose size is a variable
 */
export function measure(
  context: ValidationContext,
  unknownPageSize: number,
): (operation: OperationDefinitionNode) => Size {
  const schema = context.getSchema();
  const fragments = new Map<string, Size>();

  const ofSet = ({ selections }: SelectionSetNode, type?: GraphQLNamedType): Size =>
    selections.map((selection) => ofSelection(selection, type)).reduce(plus, NOTHING);

  const ofSelection = (selection: SelectionNode, type?: GraphQLNamedType): Size => {
    const own = { ...NOTHING, directives: selection.directives?.length ?? 0 };
    switch (selection.kind) {
      case Kind.FIELD:
        return plus(own, ofField(selection, type));
      case Kind.FRAGMENT_SPREAD:
        return plus(own, ofFragment(selection.name.value));
      case Kind.INLINE_FRAGMENT: {
        const { typeCondition, selectionSet } = selection;
        return plus(own, ofSet(selectionSet, typeCondition ? typeFromAST(schema, typeCondition) : type));
      }
    }
  };

  const ofFragment = (name: string): Size => {
    const known = fragments.get(name);
    if (known) return known;
    // Fragments in a circle end here; a rule of GraphQL's own refuses them.
    fragments.set(name, NOTHING);
    const fragment = context.getFragment(name);
    const size = fragment ? ofSet(fragment.selectionSet, typeFromAST(schema, fragment.typeCondition)) : NOTHING;
    fragments.set(name, size);
    return size;
  };

  const ofField = (field: FieldNode, parent?: GraphQLNamedType): Size => {
    const definition =
      isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field.name.value] : undefined;
    const type = definition && getNamedType(definition.type);
    const inner = field.selectionSet ? ofSet(field.selectionSet, type) : NOTHING;
    const pageSize = type?.name.endsWith('Connection') ? pageSizeOf(field, unknownPageSize) : 0;
    return {
      depth: field.name.value.startsWith('__') ? 0 : inner.depth + 1,
      fields: inner.fields + 1,
      aliases: inner.aliases + (field.alias ? 1 : 0),
      directives: inner.directives,
      rootFields: 1,
      items: pageSize === 0 ? inner.items : pageSize * (1 + inner.items),
    };
  };

  return (operation) => {
    const size = ofSet(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined);
    return { ...size, directives: size.directives + (operation.directives?.length ?? 0) };
  };
}

function pageSizeOf({ arguments: given }: FieldNode, unknown: number): number {
  const size = given?.find(
    ({ name, value }) => ['first', 'last'].includes(name.value) && value.kind !== Kind.NULL,
  )?.value;
  if (!size) return DEFAULT_PAGE_SIZE;
  return size.kind === Kind.INT ? Number(size.value) : unknown;
}
