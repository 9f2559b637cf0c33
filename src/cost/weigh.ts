import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  valueFromASTUntyped,
} from 'graphql';
import { type WalkedField, walkOperations } from '../graphql/walk.js';
import type { Listing, ReadType, RootReads } from '../read/model.js';
import type { ReadModel } from '../read/operation.js';
import { customersShare, LARGE_CUSTOMER, type Rows } from '../read/weights.js';
import { argumentsOf, defaultsOf, givenFilters, isConstant, lengthOf, pageSizeOf } from './arguments.js';
import { points } from './points.js';

/** What the cost of an operation depends on besides its document. */
export interface Inputs {
  variables: Record<string, unknown>;
  /** About how many rows each type has now. */
  rows: Rows;
  /** Whether the viewer reaches the rows of one tenant only. */
  ofOneTenant: boolean;
}

/** Points, or how to come by them: what depends on nothing is added up once for each document. */
type Cost = number | ((inputs: Inputs) => number);

/** What a selection costs, and how often it counts the list that it is of. */
interface Sum {
  cost: Cost;
  counts: Cost;
}

const NOTHING: Sum = { cost: 0, counts: 0 };

function resolved(cost: Cost, inputs: Inputs): number {
  return typeof cost === 'number' ? cost : cost(inputs);
}

function plus(a: Cost, b: Cost): Cost {
  if (a === 0) return b;
  if (b === 0) return a;
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return (inputs) => resolved(a, inputs) + resolved(b, inputs);
}

function times(a: Cost, b: Cost): Cost {
  if (a === 0 || b === 0) return 0;
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  return (inputs) => resolved(a, inputs) * resolved(b, inputs);
}

/** The cost of an operation, as a function of what is known when it is asked. */
export type OperationCost = (inputs: Inputs) => number;

/** Says what operations cost, in points: documents are walked once, variables are looked at each time. */
export class Scales {
  private readonly known = new WeakMap<OperationDefinitionNode, OperationCost>();

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly model: ReadModel,
    private readonly roots: RootReads,
  ) {}

  /** What an operation of a valid document costs; of a subscription, for each entry. */
  costOf(document: DocumentNode, operation: OperationDefinitionNode): OperationCost {
    let known = this.known.get(operation);
    if (!known) {
      known = this.weigh(document, operation);
      this.known.set(operation, known);
    }
    return known;
  }

  /** What looking for the rows of a list costs that pass filters, given by name, beyond reading them. */
  walkOf(name: string, given: readonly string[], inputs: Inputs): number {
    const type = this.model.get(name);
    return type?.listing ? walkOf(type, type.listing, given, inputs, false) : 0;
  }

  private weigh(document: DocumentNode, operation: OperationDefinitionNode): OperationCost {
    const fragmentOf = (name: string) =>
      document.definitions.find((one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === name);
    const { cost } = walkOperations<Sum>(this.schema, fragmentOf as never, {
      nothing: NOTHING,
      plus: (a, b) => ({ cost: plus(a.cost, b.cost), counts: plus(a.counts, b.counts) }),
      under,
      field: (field) => this.ofField(field),
    })(operation);
    const whole = (value: number) => Math.max(points.operation, Math.ceil(value));
    if (typeof cost === 'number') return () => whole(cost);
    const defaults = defaultsOf(operation);
    return (inputs) => whole(cost(defaults ? { ...inputs, variables: { ...defaults, ...inputs.variables } } : inputs));
  }

  private ofField({ node, definition, parent, inner }: WalkedField<Sum>): Sum {
    // Only introspection has fields that the type does not list; fragments on its own types know theirs.
    if (!definition || parent.startsWith('__')) return { cost: costOfIntrospection(node, inner.cost), counts: 0 };
    const type = getNamedType(definition.type);
    if (parent.endsWith('Connection') && definition.name === 'totalCount') return { cost: 0, counts: 1 };
    // Pages hand on what is counted and what is read for each row.
    if (parent.endsWith('Connection') || parent.endsWith('Edge')) return inner;
    const own = this.weightOf(parent, definition);
    if (type.name.endsWith('Connection'))
      return { cost: plus(own, this.ofPage(node, definition, parent, inner)), counts: 0 };
    const { items, each, made = 0 } = this.repeats(node, definition, parent);
    return { cost: plus(plus(own, made), times(items, plus(each, inner.cost))), counts: 0 };
  }

  /** What a field says of itself: on mutations and resolvers by `@Extensions`, in the read model by `weight`. */
  private weightOf(parent: string, { name, extensions }: GraphQLField<unknown, unknown>): number {
    const said = extensions['cost'];
    if (typeof said === 'number') return said;
    if (parent === 'Mutation') return points.mutation;
    return this.model.get(parent)?.fields[name]?.weight ?? 0;
  }

  /** How many objects a field that is no page reads, and what each costs. */
  private repeats(
    node: FieldNode,
    definition: GraphQLField<unknown, unknown>,
    parent: string,
  ): { items: Cost; each: number; made?: Cost } {
    const type = getNamedType(definition.type);
    if (!isCompositeType(type)) return { items: 1, each: 0 };
    const root = parent === 'Query' ? this.roots[definition.name] : undefined;
    if (root?.kind === 'grouped') {
      const { groups, weight } = root;
      const values = argumentsOf(node);
      const items = (inputs: Inputs) => groups(values(inputs), inputs.rows);
      return { items, each: points.row, made: (inputs) => weight(values(inputs), inputs.rows) };
    }
    if (root?.kind === 'nodes') {
      const values = argumentsOf(node);
      return { items: (inputs) => lengthOf(values(inputs)['ids']), each: points.one };
    }
    if (isListType(getNullableType(definition.type))) return { items: points.listLength, each: points.row };
    // What is made of the same row costs nothing more: money, periods.
    const isRead = this.model.has(type.name) || !isObjectType(type);
    return { items: 1, each: isRead ? points.one : 0 };
  }

  private ofPage(node: FieldNode, definition: GraphQLField<unknown, unknown>, parent: string, inner: Sum): Cost {
    const connection = getNamedType(definition.type);
    const item = isObjectType(connection) ? getNamedType(connection.getFields()['nodes']?.type as never) : undefined;
    const type = this.model.get((item as { name?: string } | undefined)?.name ?? '');
    const values = argumentsOf(node);
    const size = (inputs: Inputs) => pageSizeOf(values(inputs));
    const isNested = parent !== 'Query';
    const begin = isNested ? points.nestedPage : points.page;
    const rows = plus(begin, times(isConstant(node) ? size(NO_INPUTS) : size, plus(points.row, inner.cost)));
    if (!type?.listing) return rows;
    const { listing } = type;
    const counting: Cost = (inputs) => countOf(type, listing, givenFilters(values(inputs)), inputs, isNested);
    const walking: Cost = (inputs) => walkOf(type, listing, givenFilters(values(inputs)), inputs, isNested);
    const mayWalk = node.arguments?.some(({ name }) => name.value === 'filter');
    return plus(rows, plus(times(inner.counts, counting), mayWalk ? walking : 0));
  }
}

/** What a field of introspection costs, with what is selected of it. */
function costOfIntrospection({ name }: FieldNode, inner: Cost): Cost {
  if (name.value === '__typename') return 0;
  if (name.value === '__schema') return points.introspection;
  return plus(name.value === '__type' ? points.introspectedType : points.introspectedField, inner);
}

/** What counting a list costs under its filters: an index leads to a few rows, or all are looked at. */
function countOf(
  type: ReadType,
  { weights = {} }: Listing,
  given: readonly string[],
  { rows, ofOneTenant }: Inputs,
  isNested: boolean,
): number {
  const all = rows(type.name);
  const perRow = given.reduce((product, name) => product * (weights[name]?.times ?? 1), points.counted);
  const isOneCustomers =
    (ofOneTenant && type.rows?.toCustomer !== undefined) || given.some((name) => weights[name]?.isOneCustomers);
  const share = isNested
    ? customersShare(rows, points.pageOfCustomers)
    : isOneCustomers
      ? customersShare(rows, LARGE_CUSTOMER)
      : 1;
  return points.one + perRow * all * share;
}

/**
 * What looking for a page costs where rows are thrown away: all, by a filter without an index; by several, those of the
 * narrowest one. The customer that a list belongs to counts as one.
 */
function walkOf(type: ReadType, listing: Listing, given: readonly string[], inputs: Inputs, isNested: boolean): number {
  const { weights = {} } = listing;
  if (given.some((name) => weights[name]?.isWalked)) return countOf(type, listing, given, inputs, isNested);
  const { rows, ofOneTenant } = inputs;
  const ofLarge = customersShare(rows, LARGE_CUSTOMER);
  const shares = given.flatMap((name) => {
    const { isOneCustomers, share } = weights[name] ?? {};
    return isOneCustomers ? [ofLarge] : share === undefined ? [] : [share];
  });
  if (isNested) shares.push(customersShare(rows, points.pageOfCustomers));
  else if (ofOneTenant && type.rows?.toCustomer !== undefined) shares.push(ofLarge);
  return shares.length < 2 ? 0 : points.walked * rows(type.name) * Math.min(...shares);
}

const NO_INPUTS: Inputs = { variables: {}, rows: () => 0, ofOneTenant: false };

/** What `@skip` and `@include` leave of a selection. */
function under(directives: readonly DirectiveNode[], sum: Sum): Sum {
  if (sum.cost === 0 && sum.counts === 0) return sum;
  return directives.reduce(({ cost, counts }, { name, arguments: given = [] }) => {
    const condition = given.find((argument) => argument.name.value === 'if')?.value;
    if (!condition || (name.value !== 'skip' && name.value !== 'include')) return { cost, counts };
    const isKept: Cost = ({ variables }) =>
      Number((valueFromASTUntyped(condition, variables) === true) === (name.value === 'include'));
    return { cost: times(isKept, cost), counts: times(isKept, counts) };
  }, sum);
}
