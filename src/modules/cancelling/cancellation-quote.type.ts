import { Field, Int, ObjectType } from 'type-graphql';
import { RefundType } from '../../domain/product-kind.js';
import { AtMost } from '../../graphql/cost.js';
import { MoneyType } from '../../graphql/money.type.js';
import { ProblemType } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { CreditRule } from '../orders/order-enums.type.js';
import { MAXIMUM_LINES, OrderLineRefundOptionType } from '../orders/order-line.type.js';

@ObjectType('CancellationNotice', {
  description: 'Texts to show before somebody cancels, as Microsoft requires. They are English, and for people.',
})
export class CancellationNoticeType {
  @Field({ description: 'What the customer can no longer use once it is cancelled.' })
  revoked!: string;

  @Field({ description: 'What partner and customer have to remove by themselves.' })
  removal!: string;

  @Field({ description: 'How and when the credit comes, and that there is no fee.' })
  credit!: string;

  @Field(() => [String], {
    description:
      'What each line gives back until when, a sentence for each; an empty list where there are no such lines.',
  })
  refundOptions!: string[];
}

@ObjectType('CancellationQuoteLine', { description: 'What cancelling one line gives back, with each step of the sum.' })
export class CancellationQuoteLineType {
  @Field(() => Int, { description: 'The number of the line in its order, from 0.' })
  lineNumber!: number;

  @Field({ description: 'The title of the SKU that was bought.' })
  title!: string;

  @Field(() => Int, { description: 'How many units the line has; all of them are cancelled.' })
  quantity!: number;

  @Field(() => MoneyType, { description: 'The price of one unit for the whole term, as it was sold.' })
  unitPrice!: Relation<MoneyType>;

  @Field(() => RefundType, { description: 'Whether all of the price is given back, or the unused days.' })
  refundType!: RefundType;

  @Field(() => Int, { nullable: true, description: 'How many days the paid term has; null for a full refund.' })
  termDays!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many days of the term are not used, today among them; null for a full refund.',
  })
  unusedDays!: number | null;

  @Field(() => MoneyType, { description: 'The credit of one unit, cut to the minor unit of the currency.' })
  unitCredit!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'The credit of the line: the unit credit times the quantity.' })
  credit!: Relation<MoneyType>;

  @Field(() => [OrderLineRefundOptionType], {
    description: 'What the line gives back until when, as it was frozen at the sale. The first that is not over holds.',
  })
  refundOptions!: OrderLineRefundOptionType[];

  @Field({ description: 'The sum written out for people, such as `100.00 USD × 2 = 200.00`.' })
  arithmetic!: string;
}

@ObjectType('CancellationQuote', {
  description: 'What cancelling would do now. Hand its `quoteToken` to `cancelOrder` to have exactly that.',
})
export class CancellationQuoteType {
  @Field({ description: 'Whether `cancelOrder` would accept it now; `problem` says why not.' })
  allowed!: boolean;

  @Field(() => ProblemType, {
    nullable: true,
    description: 'The problem that `cancelOrder` would answer; null where it is allowed.',
  })
  problem!: object | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many calendar days (UTC) are left, where 0 means today. Null where the lines have no window.',
  })
  daysLeft!: number | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The last instant at which all of the lines can be cancelled, in UTC. Null where they have no window.',
  })
  cancellableUntil!: Date | null;

  @Field(() => MoneyType, {
    nullable: true,
    description: 'What is given back for all lines together; null where it is not allowed.',
  })
  credit!: Relation<MoneyType | null>;

  @Field(() => CreditRule, {
    nullable: true,
    description: 'How the credit of the lines comes about; null where it is not allowed.',
  })
  rule!: CreditRule | null;

  @AtMost(MAXIMUM_LINES)
  @Field(() => [CancellationQuoteLineType], {
    description: 'The credit line by line; an empty list where it is not allowed.',
  })
  lines!: CancellationQuoteLineType[];

  @Field(() => CancellationNoticeType, {
    description: 'What to show before: `acknowledged: true` in `cancelOrder` says that it was read.',
  })
  notice!: Relation<CancellationNoticeType>;

  @Field(() => String, {
    nullable: true,
    description: 'A token for `cancelOrder`, which then gives back exactly this credit. Null where it is not allowed.',
  })
  quoteToken!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant until which the token is honoured, 15 minutes from now. Null where it is not allowed.',
  })
  expiresAt!: Date | null;
}
