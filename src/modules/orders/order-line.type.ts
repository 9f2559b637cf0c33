import { Field, Int, ObjectType } from 'type-graphql';
import { BillingPlan } from '../../domain/product-kind.js';
import { RefundOptionType } from '../../domain/refund-option.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import { PeriodType } from '../../graphql/period.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar, DateTimeScalar } from '../../graphql/scalars.js';
import { SkuType } from '../catalog/catalog.type.js';
import { OrderLineStatus } from './order-status.js';

/** Lines of one order. */
export const MAXIMUM_LINES = 50;

@ObjectType('OrderLineRefundOption', {
  description:
    'What a line gives back when it is cancelled, until an instant. Of several the first one holds that is not over.',
})
export class OrderLineRefundOptionType {
  @Field(() => Int, { description: 'The place of the option among those of the line.' })
  sequence!: number;

  @Field(() => RefundOptionType, { description: 'Whether all of the price is given back, or the unused days.' })
  type!: RefundOptionType;

  @Field(() => DateTimeScalar, { description: 'The last instant at which the option holds, in UTC.' })
  expiresAt!: string;
}

@ObjectType('OrderLine', {
  implements: NodeType,
  description:
    'One SKU of an order. Its price and all that a cancellation is judged by are those of the time of sale, whatever the catalog says today.',
})
export class OrderLineType extends NodeType {
  @Field(() => Int, { description: 'The number of the line in its order, from 0, as the purchase listed them.' })
  lineNumber!: number;

  @Field(() => SkuType, { description: 'The SKU that was bought.' })
  sku!: Relation<SkuType>;

  @Field(() => Int, { description: 'How many units were bought.' })
  quantity!: number;

  @Field(() => MoneyType, { description: 'The price of one unit for the whole term, as it was sold.' })
  unitPrice!: Relation<MoneyType>;

  @Field(() => BillingPlan, { description: 'How often the price of the term is billed, as it was sold.' })
  billingPlan!: Relation<BillingPlan>;

  @Field(() => MoneyType, { description: 'The price of the line: the unit price times the quantity.' })
  total!: Relation<MoneyType>;

  @Field(() => OrderLineStatus, { description: 'How far the line is; cancelled lines stay listed.' })
  status!: OrderLineStatus;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The last instant at which the line can be cancelled, in UTC. Null where it never can be.',
  })
  cancellableUntil!: string | null;

  @Field(() => [OrderLineRefundOptionType], {
    description: 'What cancelling gives back until when; an empty list where it never can be, or by support alone.',
  })
  refundOptions!: OrderLineRefundOptionType[];

  @Field({ description: 'Whether only a support request can cancel it, as with reservations.' })
  supportRequestRequired!: boolean;

  @Field({ description: 'Whether the line can be cancelled now. Then `cancelOrder` accepts it.' })
  isCancellable!: boolean;

  @Field(() => DateScalar, { nullable: true, description: 'The first day of `term`; null for perpetual software.' })
  termStart!: string | null;

  @Field(() => DateScalar, {
    nullable: true,
    description: 'The last day of `term`; null for perpetual software.',
  })
  termEnd!: string | null;

  @Field(() => PeriodType, { nullable: true, description: 'The paid term; null for perpetual software.' })
  term!: Relation<PeriodType | null>;
}
