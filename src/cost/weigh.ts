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
import type { FieldCosts } from '../graphql/cost.js';
import { type WalkedField, walkOperations } from '../graphql/walk.js';
import type { RootReads } from '../read/model.js';
import type { ReadModel } from '../read/operation.js';
import { LARGE_CUSTOMER } from '../read/weights.js';
import { argumentsOf, defaultsOf, givenFilters, isConstant, lengthOf, pageSizeOf } from './arguments.js';
import { countOf, type Inputs, walkOf } from './lists.js';
import { points } from './points.js';

/** Points, or how to come by them: what depends on nothing is added up once for each document. */
type Cost = number | ((inputs: Inputs) => number);

/** What a selection costs, and how often it counts the list that it is of. */
interface Sum {
  /** Under the rows of a list, which all are different: what lists inside have on average. */
  cost: Cost;
  /** Under a row that may be any, or the same again and again: what lists inside have at most. */
  most: Cost;
  counts: Cost;
}

const NOTHING: Sum = { cost: 0, most: 0, counts: 0 };

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
    return type?.listing ? walkOf(type, type.listing, given, inputs, null) : 0;
  }

  private weigh(document: DocumentNode, operation: OperationDefinitionNode): OperationCost {
    const fragmentOf = (name: string) =>
      document.definitions.find((one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === name);
    const { cost } = walkOperations<Sum>(this.schema, fragmentOf as never, {
      nothing: NOTHING,
      plus: (a, b) => ({ cost: plus(a.cost, b.cost), most: plus(a.most, b.most), counts: plus(a.counts, b.counts) }),
      under,
      field: (field) => this.ofField(field),
    })(operation);
    // What adding fractions leaves over is no point.
    const whole = (value: number) => Math.max(points.operation, Math.ceil(value - 1e-6));
    if (typeof cost === 'number') return () => whole(cost);
    const defaults = defaultsOf(operation);
    return (inputs) => whole(cost(defaults ? { ...inputs, variables: { ...defaults, ...inputs.variables } } : inputs));
  }

  private ofField({ node, definition, parent, inner }: WalkedField<Sum>): Sum {
    // Only introspection has fields that the type does not list; fragments on its own types know theirs.
    if (!definition || parent.startsWith('__')) {
      const cost = costOfIntrospection(node, inner.cost);
      return { cost, most: cost, counts: 0 };
    }
    const type = getNamedType(definition.type);
    if (parent.endsWith('Connection') && definition.name === 'totalCount') return { cost: 0, most: 0, counts: 1 };
    // Pages hand on what is counted and what is read for each row.
    if (parent.endsWith('Connection') || parent.endsWith('Edge')) return inner;
    const own = this.weightOf(node, definition, parent);
    if (type.name.endsWith('Connection')) {
      const page = (of: Cost, timesAverage: number) =>
        plus(own, this.ofPage(node, definition, parent, { ...inner, cost: of }, timesAverage));
      return { cost: page(inner.cost, points.pageOfCustomers), most: page(inner.most, LARGE_CUSTOMER), counts: 0 };
    }
    const { items, most = items, each, made = 0, isAny = false } = this.repeats(node, definition, parent);
    const all = (count: Cost, of: Cost) => plus(plus(own, made), times(count, plus(each, of)));
    if (isAny) {
      const cost = all(items, inner.most);
      return { cost, most: cost, counts: 0 };
    }
    // What rows of a list have is shared out among them: an order of many cancellations has few lines in each.
    return { cost: all(items, inner.cost), most: all(most, isEmbedded(each) ? inner.most : inner.cost), counts: 0 };
  }

  /** What a field says of itself: on mutations and resolvers by `@Costs`, in the read model by `weight`. */
  private weightOf(node: FieldNode, { name, extensions }: GraphQLField<unknown, unknown>, parent: string): Cost {
    const { cost: said } = extensions as FieldCosts;
    if (typeof said === 'function') {
      const values = argumentsOf(node);
      return (inputs) => said(values(inputs));
    }
    if (said !== undefined) return said;
    if (parent === 'Mutation') return points.mutation;
    return this.model.get(parent)?.fields[name]?.weight ?? 0;
  }

  /**
   * How many objects a field that is no page reads, on average and at most, and what each costs.
   * `isAny`: whether they may be any, such as the order of a line, which is the same for all lines.
   */
  private repeats(node: FieldNode, definition: GraphQLField<unknown, unknown>, parent: string): Repeats {
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
      return { items: (inputs) => lengthOf(values(inputs)['ids']), each: points.one, isAny: true };
    }
    // A list at the root is all of the table, whatever its arguments.
    if (root?.kind === 'list')
      return { items: ({ rows }) => Math.max(points.listLength, rows(root.type)), each: points.row };
    if (isListType(getNullableType(definition.type))) {
      const { most = points.listLength } = definition.extensions as FieldCosts;
      return { items: points.listLength, most, each: points.row };
    }
    // What is made of the same row costs nothing more: money, periods.
    const isRead = this.model.has(type.name) || !isObjectType(type);
    return isRead ? { items: 1, each: points.one, isAny: true } : { items: 1, each: 0 };
  }

  /** @param timesAverage of a customer's list: how many times what the average customer has */
  private ofPage(
    node: FieldNode,
    definition: GraphQLField<unknown, unknown>,
    parent: string,
    inner: Sum,
    timesAverage: number,
  ): Cost {
    const connection = getNamedType(definition.type);
    const item = isObjectType(connection) ? getNamedType(connection.getFields()['nodes']?.type as never) : undefined;
    const type = this.model.get((item as { name?: string } | undefined)?.name ?? '');
    const values = argumentsOf(node);
    const size = (inputs: Inputs) => pageSizeOf(values(inputs));
    const ofCustomer = parent === 'Query' ? null : timesAverage;
    const begin = ofCustomer === null ? points.page : points.nestedPage;
    const rows = plus(begin, times(isConstant(node) ? size(NO_INPUTS) : size, plus(points.row, inner.cost)));
    if (!type?.listing) return rows;
    const { listing } = type;
    const counting: Cost = (inputs) => countOf(type, listing, givenFilters(values(inputs)), inputs, ofCustomer);
    const walking: Cost = (inputs) => walkOf(type, listing, givenFilters(values(inputs)), inputs, ofCustomer);
    const mayWalk = node.arguments?.some(({ name }) => name.value === 'filter');
    return plus(rows, plus(times(inner.counts, counting), mayWalk ? walking : 0));
  }
}

/** What `repeats` tells. */
interface Repeats {
  items: Cost;
  most?: Cost;
  each: number;
  made?: Cost;
  isAny?: boolean;
}

/** Whether objects are made of the row that they belong to. */
const isEmbedded = (each: number) => each === 0;

/** What a field of introspection costs, with what is selected of it. */
function costOfIntrospection({ name }: FieldNode, inner: Cost): Cost {
  if (name.value === '__typename') return 0;
  if (name.value === '__schema') return points.introspection;
  return plus(name.value === '__type' ? points.introspectedType : points.introspectedField, inner);
}

const NO_INPUTS: Inputs = { variables: {}, rows: () => 0, ofOneTenant: false };

/** What `@skip` and `@include` leave of a selection. */
function under(directives: readonly DirectiveNode[], sum: Sum): Sum {
  if (sum.cost === 0 && sum.counts === 0) return sum;
  return directives.reduce(({ cost, most, counts }, { name, arguments: given = [] }) => {
    const condition = given.find((argument) => argument.name.value === 'if')?.value;
    if (!condition || (name.value !== 'skip' && name.value !== 'include')) return { cost, most, counts };
    const isKept: Cost = ({ variables }) =>
      Number((valueFromASTUntyped(condition, variables) === true) === (name.value === 'include'));
    return { cost: times(isKept, cost), most: times(isKept, most), counts: times(isKept, counts) };
  }, sum);
}
