import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type ValidationContext,
} from 'graphql';
import type { FieldCosts } from './cost.js';
import { DEFAULT_PAGE_SIZE } from './page.js';
import { walkOperations } from './walk.js';

/** How large an operation is, with its fragments in their places. */
export interface Size {
  /** Fields inside fields; introspection counts as none. */
  depth: number;
  fields: number;
  aliases: number;
  directives: number;
  rootFields: number;
  /** Items of lists inside lists, were every page full. */
  items: number;
}

type Field = GraphQLField<unknown, unknown>;

/** What a list counts that is no page: orders have a handful of lines, products of SKUs. */
const LIST_SIZE = 10;
/** Groups that `Query.sales` counts. */
const GROUPS = 1_000;

/** A size that may yet come to stand under a single row. */
interface Measured extends Size {
  /** Items where the row that they belong to may be any: lists that are no pages have then as many as they may. */
  most: number;
}

const NOTHING: Measured = { depth: 0, fields: 0, aliases: 0, directives: 0, rootFields: 0, items: 0, most: 0 };

/** Both, side by side: what one level of an operation adds up to. */
function plus(a: Measured, b: Measured): Measured {
  return {
    depth: Math.max(a.depth, b.depth),
    fields: a.fields + b.fields,
    aliases: a.aliases + b.aliases,
    directives: a.directives + b.directives,
    rootFields: a.rootFields + b.rootFields,
    items: a.items + b.items,
    most: a.most + b.most,
  };
}

/**
 * A function that measures operations and fragments of one document.
 * @param unknownPageSize what a page counts for whose size is a variable
 */
export function measure(
  context: ValidationContext,
  unknownPageSize: number,
): (definition: OperationDefinitionNode | FragmentDefinitionNode) => Size {
  return walkOperations<Measured>(context.getSchema(), (name) => context.getFragment(name), {
    nothing: NOTHING,
    plus,
    under: (directives, size) => ({ ...size, directives: size.directives + directives.length }),
    field: ({ node, definition, parent, inner }) => {
      const size = definition ? listSizeOf(node, definition, parent, unknownPageSize) : 0;
      // What a single row leads to may be the same for all rows of a list, and of the largest.
      const items = definition && leadsToAny(definition, parent) ? inner.most : inner.items;
      return {
        depth: node.name.value.startsWith('__') ? 0 : inner.depth + 1,
        fields: inner.fields + 1,
        aliases: inner.aliases + (node.alias ? 1 : 0),
        directives: inner.directives,
        rootFields: 1,
        items: size === 0 ? items : size * (1 + items),
        most: size === 0 ? inner.most : (mostOf(definition) ?? size) * (1 + (isPage(definition) ? inner.most : items)),
      };
    },
  });
}

const isPage = (definition: Field | undefined) =>
  definition !== undefined && getNamedType(definition.type).name.endsWith('Connection');

/** How many items a list has at most that is no page, where it says so. */
const mostOf = (definition: Field | undefined) => (definition?.extensions as FieldCosts | undefined)?.most;

/** Whether a field leads to a single row, or to rows by their ids: those may be any. */
function leadsToAny({ type, name }: Field, parent: string): boolean {
  // The node of an edge is a row of its page.
  if (parent.endsWith('Edge')) return false;
  const named = getNamedType(type);
  const isNode =
    named.name === 'Node' || (isObjectType(named) && named.getInterfaces().some((one) => one.name === 'Node'));
  return isNode && (!isListType(getNullableType(type)) || (parent === 'Query' && name === 'nodes'));
}

/** How many items a field is taken to have; 0 where it is no list, or the nodes and edges of a page that has counted. */
function listSizeOf(field: FieldNode, { type, name }: Field, parent: string, unknown: number): number {
  const named = getNamedType(type);
  if (named.name.endsWith('Connection')) return pageSizeOf(field, unknown);
  if (!isListType(getNullableType(type)) || !isCompositeType(named) || parent.endsWith('Connection')) return 0;
  if (parent !== 'Query') return LIST_SIZE;
  if (name === 'nodes') return idsOf(field, unknown);
  return name === 'sales' ? GROUPS : LIST_SIZE;
}

function pageSizeOf({ arguments: given }: FieldNode, unknown: number): number {
  const size = given?.find(
    ({ name, value }) => ['first', 'last'].includes(name.value) && value.kind !== Kind.NULL,
  )?.value;
  if (!size) return DEFAULT_PAGE_SIZE;
  // A negative one is refused where it runs; behind `@skip` it does not run, and must not make up for others.
  return size.kind === Kind.INT ? Math.max(0, Number(size.value)) : unknown;
}

function idsOf({ arguments: given }: FieldNode, unknown: number): number {
  const ids = given?.find(({ name }) => name.value === 'ids')?.value;
  return ids?.kind === Kind.LIST ? ids.values.length : unknown;
}
