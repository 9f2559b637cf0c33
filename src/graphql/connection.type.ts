import { ArgsType, type ClassType, Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';

/** Which way a list runs. */
export const OrderDirection = { ASC: 'ASC', DESC: 'DESC' } as const;
export type OrderDirection = (typeof OrderDirection)[keyof typeof OrderDirection];
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'The direction in which a list runs.',
  valuesConfig: {
    ASC: { description: 'The smallest or oldest item comes first.' },
    DESC: { description: 'The largest or newest item comes first.' },
  },
});

/** Relay's PageInfo. */
@ObjectType('PageInfo', {
  description: 'The place of a page in its list: whether more lies on either side, and the cursors to read on from.',
})
export class PageInfoType {
  @Field({ description: 'True where more items follow: read on with `after: endCursor`.' })
  hasNextPage!: boolean;

  @Field({ description: 'True where items lie before the page: read back with `before: startCursor`.' })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'The cursor of the first item on the page; null on an empty page.',
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The cursor of the last item on the page; null on an empty page.',
  })
  endCursor!: string | null;
}

/** The Relay arguments that every list takes. */
@ArgsType()
export class PageArgsType {
  @Field(() => Int, {
    nullable: true,
    description:
      'How many items to read from the front: 1 to 100, or 20 where neither `first` nor `last` is given. Both together are refused.',
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'A cursor that the list gave: only items after it are read.' })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many items to read from the end: 1 to 100. They still come in the order of the list.',
  })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'A cursor that the list gave: only items before it are read.' })
  before?: string | null;
}

/** The connection and edge types of a node type, in Relay's form. */
export function connectionTypes<Node extends object>(NodeClass: ClassType<Node>, name: string, connectionName = name) {
  @ObjectType(`${name}Edge`, { description: `One item of a list of ${name}, together with its cursor.` })
  class Edge {
    @Field({ description: 'The place of the item in the list: hand it to `after` or `before` to read on from here.' })
    cursor!: string;

    @Field(() => NodeClass, { description: `The item itself, of type \`${name}\`.` })
    node!: Node;
  }

  @ObjectType(`${connectionName}Connection`, { description: `One page of a list of ${name}.` })
  class Connection {
    @Field(() => [Edge], { description: 'The items of this page, each together with its cursor.' })
    edges!: Edge[];

    @Field(() => [NodeClass], {
      description: 'The items of this page without their cursors. `pageInfo` has those of the first and the last.',
    })
    nodes!: Node[];

    @Field(() => PageInfoType, {
      description: 'Whether the list goes on before and after this page, and from which cursors.',
    })
    pageInfo!: PageInfoType;

    @Field(() => Int, {
      description:
        'How many items the whole list has under its filter. It is counted only where it is selected, and long lists take time to count.',
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
    description: `What a list of ${name} can be ordered by.`,
    valuesConfig: Object.fromEntries(
      Object.entries(descriptions).map(([value, description]) => [value, { description }]),
    ) as never,
  });

  @InputType(`${name}Order`, {
    description: `How a list of ${name} is ordered. Equal items are ordered by id, so that pages neither repeat nor skip any.`,
  })
  class Order {
    @Field(() => orderFields, { description: 'What the list is ordered by.' })
    field!: Fields[keyof Fields];

    @Field(() => OrderDirection, {
      description: 'The direction in which the list runs; `ASC` where it is left out.',
      defaultValue: OrderDirection.ASC,
    })
    direction!: OrderDirection;
  }
  return Order;
}
