import { IsOptional } from 'class-validator';
import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { RefundType } from '../../domain/product-kind.js';
import { IsIdempotencyKey, IsLineNumbers, IsText } from '../../graphql/input-rules.js';
import { MoneyType } from '../../graphql/money.type.js';
import { ProblemType, problemType, resultMember } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { IdempotencyKeyReused, RequestInProgress } from '../access/idempotency.js';
import { OrderNotFound } from '../orders/find-order.js';
import { CancellationType, OrderType } from '../orders/order.type.js';
import { CreditRule } from '../orders/order-enums.type.js';
import {
  AcknowledgementRequired,
  AlreadyCancelled,
  CancellationPending,
  CancellationWindowClosed,
  OrderLineNotFound,
  ProductNotCancellable,
  QuoteExpired,
  QuoteNotApplicable,
  SupportRequestRequired,
} from './cancellation-problems.js';

@ObjectType('SupportRequestDraft', { description: 'What to send with `submitSupportRequest`, to be filled in.' })
export class SupportRequestDraftType {
  @Field({ description: 'The topic.' })
  topic!: string;

  @Field({ description: 'In a line.' })
  title!: string;

  @Field({ description: 'In full, with places to fill in.' })
  description!: string;
}

const lineNumbers = { type: () => [Int], description: 'Which lines.' };
problemType(OrderNotFound, 'No such order, or not yours.');
problemType(OrderLineNotFound, 'The order has no such line.', { lineNumbers });
problemType(AcknowledgementRequired, 'The notice was not acknowledged (rule 12).');
problemType(CancellationWindowClosed, 'The window is over (rule 13).', {
  lineNumbers,
  closedAt: { type: () => DateTimeScalar, description: 'Since when.' },
});
problemType(ProductNotCancellable, 'It can never be cancelled (rule 13).', { lineNumbers });
problemType(AlreadyCancelled, 'It is cancelled already.', { lineNumbers });
problemType(CancellationPending, 'It is being cancelled: up to 15 minutes (rule 17).', { lineNumbers });
problemType(SupportRequestRequired, 'It is cancelled by a support request (rules 20 and 25).', {
  lineNumbers,
  draft: { type: () => SupportRequestDraftType, description: 'What to send.' },
});
problemType(QuoteExpired, 'The quote is older than 15 minutes (rule 14).');
problemType(QuoteNotApplicable, 'The quote is of another order or other lines.');

@ObjectType('CancellationNotice', { description: 'What to show before cancelling (rule 12).' })
export class CancellationNoticeType {
  @Field({ description: 'What is revoked.' })
  revoked!: string;

  @Field({ description: 'What partner and customer must remove.' })
  removal!: string;

  @Field({ description: 'How and when the credit comes.' })
  credit!: string;
}

@ObjectType('CancellationQuoteLine', { description: 'The credit of one line, with its arithmetic (rule 16).' })
export class CancellationQuoteLineType {
  @Field(() => Int, { description: 'Which line.' })
  lineNumber!: number;

  @Field({ description: 'What was bought.' })
  title!: string;

  @Field(() => Int, { description: 'How many.' })
  quantity!: number;

  @Field(() => MoneyType, { description: 'Price of one.' })
  unitPrice!: Relation<MoneyType>;

  @Field(() => RefundType, { description: 'How the credit is computed.' })
  refundType!: RefundType;

  @Field(() => Int, { nullable: true, description: 'Days of the paid term; null for a full refund.' })
  termDays!: number | null;

  @Field(() => Int, { nullable: true, description: 'Days of it not used, today among them.' })
  unusedDays!: number | null;

  @Field(() => MoneyType, { description: 'Credit of one, cut to the minor unit.' })
  unitCredit!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'Unit credit times quantity.' })
  credit!: Relation<MoneyType>;

  @Field({ description: 'The whole sum in words.' })
  arithmetic!: string;
}

@ObjectType('CancellationQuote', { description: 'What cancelling would do now (rule 14).' })
export class CancellationQuoteType {
  @Field({ description: 'Whether `cancelOrder` would do it.' })
  allowed!: boolean;

  @Field(() => ProblemType, { nullable: true, description: 'Why not: exactly what `cancelOrder` would answer.' })
  problem!: object | null;

  @Field(() => Int, { nullable: true, description: 'Calendar days left, today counting as 0.' })
  daysLeft!: number | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Last instant, inclusive.' })
  cancellableUntil!: Date | null;

  @Field(() => MoneyType, { nullable: true, description: 'What is given back.' })
  credit!: Relation<MoneyType | null>;

  @Field(() => CreditRule, { nullable: true, description: 'How the credit comes about.' })
  rule!: CreditRule | null;

  @Field(() => [CancellationQuoteLineType], { description: 'Line by line.' })
  lines!: CancellationQuoteLineType[];

  @Field(() => CancellationNoticeType, { description: 'What to show before; `acknowledged: true` says it was read.' })
  notice!: Relation<CancellationNoticeType>;

  @Field(() => String, { nullable: true, description: 'Hand it to `cancelOrder`: it honours this quote to the cent.' })
  quoteToken!: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Until when the quote is honoured: 15 minutes.' })
  expiresAt!: Date | null;
}

@InputType('CancelOrderInput', { description: 'What to cancel.' })
export class CancelOrderInput {
  @Field({
    description:
      'Made by you, one per cancellation: sent again with the same input it cancels nothing twice (rule 5). A refusal leaves it free.',
  })
  @IsIdempotencyKey()
  idempotencyKey!: string;

  @Field(() => ID, { description: 'Which order.' })
  orderId!: string;

  @Field(() => [Int], { nullable: true, description: 'Which lines; all that stand where left out (rule 15).' })
  @IsOptional()
  @IsLineNumbers()
  lineNumbers?: number[] | null;

  @Field({ description: "The page's check box: the notice of the quote was read (rule 12)." })
  acknowledged!: boolean;

  @Field(() => String, { nullable: true, description: 'Of `cancellationQuote`: honoured to the cent (rule 14).' })
  @IsOptional()
  @IsText(1, 8_000)
  quoteToken?: string | null;

  @Field(() => String, { nullable: true, description: 'Why: 1 to 1000 characters. It goes into the log.' })
  @IsOptional()
  @IsText(1, 1_000)
  reason?: string | null;
}

@ObjectType('CancelOrderSuccess', { description: 'Cancelling has begun; fulfilment confirms it (rule 17).' })
export class CancelOrderSuccess {
  @Field(() => OrderType, { description: 'The order.' })
  order!: object;

  @Field(() => CancellationType, { description: 'The cancellation.' })
  cancellation!: object;
}

export const CancelOrderResult = createUnionType({
  name: 'CancelOrderResult',
  description: 'What became of a cancellation.',
  types: () =>
    [
      CancelOrderSuccess,
      OrderNotFound,
      OrderLineNotFound,
      AcknowledgementRequired,
      CancellationWindowClosed,
      ProductNotCancellable,
      AlreadyCancelled,
      CancellationPending,
      SupportRequestRequired,
      QuoteExpired,
      QuoteNotApplicable,
      IdempotencyKeyReused,
      RequestInProgress,
    ] as const,
  resolveType: resultMember('CancelOrderSuccess'),
});
