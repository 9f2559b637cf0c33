import { ArgsType, Directive, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { billingReaders, orderReaders } from '../../auth/role-sets.js';
import { type ProductKind, RefundType } from '../../domain/product-kind.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar, DateTimeScalar } from '../../graphql/scalars.js';
import { SkuType } from '../catalog/catalog.type.js';
import { ProductKindEnum } from '../catalog/catalog-enums.type.js';
import { MarketType } from '../catalog/market.type.js';
import { CustomerType } from '../customers/customer.type.js';
import { CreditRule } from './order-enums.type.js';
import { CancellationStatus, OrderLineStatus, OrderStatus } from './order-status.js';

@ObjectType('OrderLine', {
  implements: NodeType,
  description: 'One SKU of an order. Price and window are those of the time of sale (rules 3 and 13).',
})
@Auth(...orderReaders)
export class OrderLineType extends NodeType {
  @Field(() => Int, { description: 'From 0, in the order of the purchase.' })
  lineNumber!: number;

  @Field(() => SkuType, { description: 'What was bought.' })
  sku!: Relation<SkuType>;

  @Field(() => Int, { description: 'How many.' })
  quantity!: number;

  @Field(() => MoneyType, { description: 'Price of one for the whole term.' })
  unitPrice!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'Unit price times quantity.' })
  total!: Relation<MoneyType>;

  @Field(() => OrderLineStatus, { description: 'Where it is.' })
  status!: OrderLineStatus;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Last instant to cancel it, inclusive; null where it never may be (rule 13).',
  })
  cancellableUntil!: string | null;

  @Field({ description: 'Whether `cancelOrder` would take it now.' })
  isCancellable!: boolean;

  @Field(() => DateScalar, { nullable: true, description: 'First day of the paid term; null for perpetual software.' })
  termStart!: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'Last day of the paid term, inclusive.' })
  termEnd!: string | null;
}

@ObjectType('Order', {
  implements: NodeType,
  description: `A purchase on behalf of a customer. For ${orderReaders.join(', ')}.`,
})
@Auth(...orderReaders)
export class OrderType extends NodeType {
  @Field({ description: 'The friendly number: twelve hexadecimal digits.' })
  number!: string;

  @Field(() => CustomerType, { description: 'For whom.' })
  customer!: Relation<CustomerType>;

  @Field(() => MarketType, { description: 'Where the customer was when it was placed.' })
  market!: Relation<MarketType>;

  @Field(() => OrderStatus, { description: 'Where it is.' })
  status!: OrderStatus;

  @Field({ description: 'ISO 4217 code of all its amounts.' })
  currency!: string;

  @Field(() => DateTimeScalar, { description: 'When it was bought.' })
  placedAt!: string;

  @Field({ description: 'User principal name of who bought.' })
  placedBy!: string;

  @Field(() => [OrderLineType], { description: 'Its lines, by number; cancelled ones too.' })
  lines!: OrderLineType[];

  @Field(() => MoneyType, {
    description: 'The sum of its lines as bought. What cancellations gave back is in their credit.',
  })
  total!: Relation<MoneyType>;

  @Field({ description: 'Whether the amounts include tax (rule 2).' })
  taxIncluded!: boolean;

  @Field(() => [CancellationType], { description: 'What was cancelled of it, oldest first.' })
  cancellations!: CancellationType[];
}

@ObjectType('CancellationLine', {
  implements: NodeType,
  description: 'One line of a cancellation, with the arithmetic of its credit (rule 16).',
})
@Auth(...orderReaders)
export class CancellationLineType extends NodeType {
  @Field(() => OrderLineType, { description: 'The line of the order.' })
  orderLine!: Relation<OrderLineType>;

  @Field(() => RefundType, { description: 'How the credit is computed.' })
  refundType!: Relation<RefundType>;

  @Field(() => Int, { nullable: true, description: 'Days of the paid term; null for a full refund.' })
  termDays!: number | null;

  @Field(() => Int, { nullable: true, description: 'Days of it not used, the day of cancelling among them.' })
  unusedDays!: number | null;

  @Field(() => MoneyType, {
    nullable: true,
    description: `Credit of one unit, cut to the minor unit. For ${billingReaders.join(', ')}.`,
  })
  @Auth(...billingReaders)
  unitCredit!: Relation<MoneyType | null>;

  @Field(() => MoneyType, {
    nullable: true,
    description: `Unit credit times quantity. For ${billingReaders.join(', ')}.`,
  })
  @Auth(...billingReaders)
  credit!: Relation<MoneyType | null>;
}

@ObjectType('Cancellation', {
  implements: NodeType,
  description: `A cancellation of some or all lines of an order (rule 17). For ${orderReaders.join(', ')}.`,
})
@Auth(...orderReaders)
export class CancellationType extends NodeType {
  @Field(() => OrderType, { description: 'The order.' })
  order!: Relation<OrderType>;

  @Field(() => CustomerType, { description: "The order's customer." })
  customer!: Relation<CustomerType>;

  @Field(() => [CancellationLineType], { description: 'The lines cancelled, by number.' })
  lines!: CancellationLineType[];

  @Field(() => CancellationStatus, { description: 'Where it is.' })
  status!: CancellationStatus;

  @Field(() => String, { nullable: true, description: 'What the caller gave as reason.' })
  reason!: string | null;

  @Field(() => DateTimeScalar, { description: 'When it was asked for.' })
  requestedAt!: string;

  @Field({ description: 'User principal name of who asked.' })
  requestedBy!: string;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When fulfilment confirmed it.' })
  confirmedAt!: string | null;

  @Field(() => MoneyType, {
    nullable: true,
    description: `What is given back on the next monthly invoice. For ${billingReaders.join(', ')}.`,
  })
  @Auth(...billingReaders)
  credit!: Relation<MoneyType | null>;

  @Field(() => CreditRule, { description: 'How the credit comes about.' })
  rule!: CreditRule;
}

@Directive('@oneOf')
@InputType('OrderBy', { description: 'Which order: exactly one of these.' })
export class OrderBy {
  @Field(() => ID, { nullable: true, description: "The graph's id." })
  id?: string | null;

  @Field(() => String, { nullable: true, description: 'The friendly number: twelve hexadecimal digits.' })
  number?: string | null;
}

/** By what orders can be ordered. */
export const OrderOrderField = { PLACED_AT: 'PLACED_AT' } as const;
export const OrderOrder = orderInput('Order', OrderOrderField, { PLACED_AT: 'By when it was bought.' });

@InputType('OrderFilter', { description: 'Which orders. All that is given must hold.' })
export class OrderFilter {
  @Field(() => ID, { nullable: true, description: 'Of this customer.' })
  customerId?: string | null;

  @Field(() => [OrderStatus], { nullable: true, description: 'In one of these states.' })
  statuses?: OrderStatus[] | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Bought at or after.' })
  from?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Bought before.' })
  to?: Date | null;

  @Field(() => ProductKindEnum, { nullable: true, description: 'With a line of this kind.' })
  kind?: ProductKind | null;

  @Field(() => String, { nullable: true, description: 'With a line of this product: `DG7GMGF0FKZV`.' })
  productId?: string | null;

  @Field(() => String, { nullable: true, description: 'Bought by this user principal name.' })
  placedBy?: string | null;
}

/** Orders in Relay's form. */
export const OrderConnection = connectionTypes(OrderType, 'Order');

@ArgsType()
export class OrdersArgs extends PageArgsType {
  @Field(() => OrderFilter, { nullable: true, description: 'Which orders.' })
  filter?: OrderFilter | null;

  @Field(() => OrderOrder, { nullable: true, description: 'In which order; newest first where left out.' })
  orderBy?: InstanceType<typeof OrderOrder> | null;
}
