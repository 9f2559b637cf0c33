import { ArgsType, type ClassType, Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';

/** Which way a list runs. */
export const OrderDirection = { ASC: 'ASC', DESC: 'DESC' } as const;
export type OrderDirection = (typeof OrderDirection)[keyof typeof OrderDirection];
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Which way a list runs.',
  valuesConfig: {
    ASC: { description: 'Smallest or oldest first.' },
    DESC: { description: 'Largest or newest first.' },
  },
});

/** Relay's PageInfo. */
@ObjectType('PageInfo', { description: 'Where a page lies in its list.' })
export class PageInfoType {
  @Field({ description: 'Whether more follows: read on with `after: endCursor`.' })
  hasNextPage!: boolean;

  @Field({ description: 'Whether something lies before: read back with `before: startCursor`.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first item.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last item.' })
  endCursor!: string | null;
}

/** The Relay arguments that every list takes. */
@ArgsType()
export class PageArgsType {
  @Field(() => Int, {
    nullable: true,
    description: 'How many from the front: 1 to 100, 20 where neither `first` nor `last` is given.',
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes after this cursor.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: 'How many from the end: 1 to 100.' })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes before this cursor.' })
  before?: string | null;
}

/** The connection and edge types of a node type, in Relay's form. */
export function connectionTypes<Node extends object>(NodeClass: ClassType<Node>, name: string, connectionName = name) {
  @ObjectType(`${name}Edge`, { description: `One ${name} in a list, with its cursor.` })
  class Edge {
    @Field({ description: 'Where it lies in the list: hand it to `after` or `before`.' })
    cursor!: string;

    @Field(() => NodeClass, { description: `The ${name}.` })
    node!: Node;
  }

  @ObjectType(`${connectionName}Connection`, { description: `A page of a list of ${name}.` })
  class Connection {
    @Field(() => [Edge], { description: 'The items with their cursors.' })
    edges!: Edge[];

    @Field(() => [NodeClass], { description: 'The items alone.' })
    nodes!: Node[];

    @Field(() => PageInfoType, { description: 'Where the page lies in the list.' })
    pageInfo!: PageInfoType;

    @Field(() => Int, {
      description: 'How many items the whole list has under this filter. Counted only when asked for.',
    })
    totalCount!: number;
  }
  return Connection;
}

/** The `orderBy` input of a list: a field out of `orderFields` and a direction. */
export function orderInput<Fields extends Record<string, string>>(
  name: string,
  orderFields: Fields,
  descriptions: Record<keyof Fields, string>,
) {
  registerEnumType(orderFields, {
    name: `${name}OrderField`,
    description: `By what a list of ${name} can be ordered.`,
    valuesConfig: Object.fromEntries(
      Object.entries(descriptions).map(([value, description]) => [value, { description }]),
    ) as never,
  });

  @InputType(`${name}Order`, {
    description: `The order of a list of ${name}. Equal ones are ordered by id, so pages are stable.`,
  })
  class Order {
    @Field(() => orderFields, { description: 'By what.' })
    field!: Fields[keyof Fields];

    @Field(() => OrderDirection, { description: 'Which way.', defaultValue: OrderDirection.ASC })
    direction!: OrderDirection;
  }
  return Order;
}
