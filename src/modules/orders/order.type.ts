import { ArgsType, Directive, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { type ProductKind, RefundType } from '../../domain/product-kind.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { AtMost } from '../../graphql/cost.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { ProductKindEnum } from '../catalog/catalog-enums.type.js';
import { MarketType } from '../catalog/market.type.js';
import { CustomerType } from '../customers/customer.type.js';
import { CreditRule } from './order-enums.type.js';
import { MAXIMUM_LINES, OrderLineType } from './order-line.type.js';
import { CancellationStatus, OrderStatus } from './order-status.js';

@ObjectType('Order', {
  implements: NodeType,
  description: 'A purchase on behalf of a customer.',
})
export class OrderType extends NodeType {
  @Field({ description: 'The number that people use: twelve hexadecimal digits.' })
  number!: string;

  @Field(() => CustomerType, { description: 'The customer that it was bought for.' })
  customer!: Relation<CustomerType>;

  @Field(() => MarketType, { description: 'The market that the customer was in when the order was placed.' })
  market!: Relation<MarketType>;

  @Field(() => OrderStatus, { description: 'How far the order is.' })
  status!: OrderStatus;

  @Field({ description: 'The ISO 4217 code of all amounts of the order.' })
  currency!: string;

  @Field(() => DateTimeScalar, { description: 'The instant at which the order was placed, in UTC.' })
  placedAt!: string;

  @Field({ description: 'The user principal name of the person who placed the order.' })
  placedBy!: string;

  @AtMost(MAXIMUM_LINES)
  @Field(() => [OrderLineType], { description: 'The lines in the order of their numbers, cancelled ones too.' })
  lines!: OrderLineType[];

  @Field(() => MoneyType, {
    description:
      'The sum of all lines as bought. What cancellations gave back is not taken off: see `Cancellation.credit`.',
  })
  total!: Relation<MoneyType>;

  @Field({ description: 'Whether the amounts of the order include tax.' })
  taxIncluded!: boolean;

  @Field(() => String, {
    nullable: true,
    description:
      'Why the provider refused the whole order, in its own words; null where it did not. Why it refused some of the lines stands in the log, with `ORDER_REFUSED`.',
  })
  refusalReason!: string | null;

  @AtMost(MAXIMUM_LINES)
  @Field(() => [CancellationType], { description: 'The cancellations of the order or of its lines, oldest first.' })
  cancellations!: CancellationType[];
}

@ObjectType('CancellationLine', {
  implements: NodeType,
  description: 'One line of a cancellation, with the numbers that its credit comes from.',
})
export class CancellationLineType extends NodeType {
  @Field(() => OrderLineType, { description: 'The line of the order that was cancelled, with all of its units.' })
  orderLine!: Relation<OrderLineType>;

  @Field(() => RefundType, { description: 'Whether all of the price is given back, or the unused days.' })
  refundType!: Relation<RefundType>;

  @Field(() => Int, { nullable: true, description: 'How many days the paid term has; null for a full refund.' })
  termDays!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many days of the term are not used, the day of cancelling among them; null for a full refund.',
  })
  unusedDays!: number | null;

  @Field(() => MoneyType, { nullable: true, description: 'The credit of one unit, cut to the minor unit.' })
  unitCredit!: Relation<MoneyType | null>;

  @Field(() => MoneyType, { nullable: true, description: 'The unit credit times the quantity.' })
  credit!: Relation<MoneyType | null>;
}

@ObjectType('Cancellation', {
  implements: NodeType,
  description:
    'A cancellation of some or all lines of an order. It is asked for first, and then confirmed or refused by fulfilment.',
})
export class CancellationType extends NodeType {
  @Field(() => OrderType, { description: 'The order whose lines are cancelled.' })
  order!: Relation<OrderType>;

  @Field(() => CustomerType, { description: 'The customer of the order.' })
  customer!: Relation<CustomerType>;

  @AtMost(MAXIMUM_LINES)
  @Field(() => [CancellationLineType], { description: 'The lines to cancel, in the order of their numbers.' })
  lines!: CancellationLineType[];

  @Field(() => CancellationStatus, { description: 'How far the cancellation is.' })
  status!: CancellationStatus;

  @Field(() => String, { nullable: true, description: 'The reason that the caller gave; null where they gave none.' })
  reason!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why the provider refused it, in its own words; null where it did not.',
  })
  refusalReason!: string | null;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was asked for, in UTC.' })
  requestedAt!: string;

  @Field({ description: 'The user principal name of the person who asked for it.' })
  requestedBy!: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When fulfilment confirmed it, in UTC; null until then.',
  })
  confirmedAt!: string | null;

  @Field(() => MoneyType, {
    nullable: true,
    description: 'What is given back on the next monthly invoice, for all lines together.',
  })
  credit!: Relation<MoneyType | null>;

  @Field(() => CreditRule, { description: 'How the credit of the lines comes about.' })
  rule!: CreditRule;
}

@Directive('@oneOf')
@InputType('OrderBy', { description: 'Names one order, by exactly one of these fields.' })
export class OrderBy {
  @Field(() => ID, { nullable: true, description: 'The global id of the order.' })
  id?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The number that people use, in either case: twelve hexadecimal digits.',
  })
  number?: string | null;
}

/** What orders can be ordered by. */
export const OrderOrderField = { PLACED_AT: 'PLACED_AT' } as const;
export const OrderOrder = orderInput('Order', OrderOrderField, {
  PLACED_AT: 'The instant at which the order was placed.',
});

@InputType('OrderFilter', { description: 'Narrows a list of orders. Orders must meet every condition that is given.' })
export class OrderFilter {
  @Field(() => ID, { nullable: true, description: 'Only orders of the customer with this global id.' })
  customerId?: string | null;

  @Field(() => [OrderStatus], { nullable: true, description: 'Only orders in one of these states.' })
  statuses?: OrderStatus[] | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Only orders placed at this instant or later.' })
  from?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Only orders placed before this instant.' })
  to?: Date | null;

  @Field(() => ProductKindEnum, { nullable: true, description: 'Only orders with a line of this kind of product.' })
  kind?: ProductKind | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only orders that have a line of the product with this product id, such as `DG7GMGF0FKZV`.',
  })
  productId?: string | null;

  @Field(() => String, { nullable: true, description: 'Only orders that this user principal name placed.' })
  placedBy?: string | null;
}

/** Orders in Relay's form. */
export const OrderConnection = connectionTypes(OrderType, 'Order');

@ArgsType()
export class OrdersArgs extends PageArgsType {
  @Field(() => OrderFilter, {
    nullable: true,
    description: 'Which orders to list; all that you may see where left out.',
  })
  filter?: OrderFilter | null;

  @Field(() => OrderOrder, { nullable: true, description: 'How to order the list; newest first where left out.' })
  orderBy?: InstanceType<typeof OrderOrder> | null;
}
