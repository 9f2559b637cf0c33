import { IsOptional } from 'class-validator';
import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { IsIdempotencyKey, IsLine, IsLineNumbers } from '../../graphql/input-rules.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { IdempotencyKeyReused, RequestInProgress } from '../access/idempotency.js';
import { OrderNotFound } from '../orders/find-order.js';
import { CancellationType, OrderType } from '../orders/order.type.js';
import {
  AcknowledgementRequired,
  AlreadyCancelled,
  CancellationPending,
  CancellationWindowClosed,
  NothingToGiveBack,
  OrderLineNotFound,
  OrderPending,
  OrderRefused,
  ProductNotCancellable,
  QuoteExpired,
  QuoteNotApplicable,
  SupportRequestRequired,
} from './cancellation-problems.js';

@ObjectType('SupportRequestDraft', { description: 'A draft for `submitSupportRequest`, with places to fill in.' })
export class SupportRequestDraftType {
  @Field({ description: 'The topic to send, one of `supportTopics`.' })
  topic!: string;

  @Field({ description: 'The title to send, which names the order.' })
  title!: string;

  @Field({ description: 'The description to send. Its last lines are to be filled in: the reason and the amount.' })
  description!: string;
}

const lineNumbers = { type: () => [Int], description: 'The numbers of the lines that stand in the way.' };
problemType(
  OrderNotFound,
  'Returned when there is no order with the id, or none that you may see: both look the same.',
);
problemType(OrderLineNotFound, 'Returned when the order has no line with one of the numbers.', { lineNumbers });
problemType(
  AcknowledgementRequired,
  'Returned when the notice of a cancellation is not acknowledged. Show the notice of `cancellationQuote` first.',
);
problemType(CancellationWindowClosed, 'Returned when the cancellation window has closed; `closedAt` says when.', {
  lineNumbers,
  closedAt: {
    type: () => DateTimeScalar,
    description: 'The last instant at which the lines could be cancelled, in UTC.',
  },
});
problemType(ProductNotCancellable, 'Returned when a line can never be cancelled, as a Linux plan cannot.', {
  lineNumbers,
});
problemType(
  NothingToGiveBack,
  'Returned when the term of a line is over though its window is still open: no day is unused, and the licence has expired by itself.',
  { lineNumbers },
);
problemType(AlreadyCancelled, 'Returned when a line is cancelled already.', { lineNumbers });
problemType(OrderPending, 'Returned when a line waits for the provider to confirm its purchase.', { lineNumbers });
problemType(OrderRefused, 'Returned when the provider refused the purchase of a line. Nothing was charged.', {
  lineNumbers,
});
problemType(
  CancellationPending,
  'Returned when a cancellation of a line waits for fulfilment, which takes up to 15 minutes.',
  { lineNumbers },
);
problemType(
  SupportRequestRequired,
  'Returned when only support can cancel a line, as with a reservation; `draft` is what to send.',
  {
    lineNumbers,
    draft: {
      type: () => SupportRequestDraftType,
      description: 'A draft to complete and send with `submitSupportRequest`.',
    },
  },
);
problemType(
  QuoteExpired,
  'Returned when the quote is older than 15 minutes. Ask for a new one with `cancellationQuote`.',
);
problemType(
  QuoteNotApplicable,
  'Returned when the quote token was given for another order or other lines, or not by this gateway.',
);

@InputType('CancelOrderInput', { description: 'Which order or lines to cancel, and on which terms.' })
export class CancelOrderInput {
  @Field({
    description:
      'A key that you make up for each cancellation, 1 to 255 visible ASCII characters such as a UUID. The same key with the same input answers the first success again and cancels nothing twice. It is kept for 45 days; a refusal leaves it free.',
  })
  @IsIdempotencyKey()
  idempotencyKey!: string;

  @Field(() => ID, { description: 'The global id of the order.' })
  orderId!: string;

  @Field(() => [Int], {
    nullable: true,
    description:
      'The numbers of the lines to cancel; every active line where it is left out. A line is cancelled with all of its units.',
  })
  @IsOptional()
  @IsLineNumbers()
  lineNumbers?: number[] | null;

  @Field({ description: 'True where the person has read the notice of `cancellationQuote`, as by a check box.' })
  acknowledged!: boolean;

  @Field(() => String, {
    nullable: true,
    description:
      'The token of `cancellationQuote`, whose credit is then honoured to the cent. Without it the credit is computed now.',
  })
  @IsOptional()
  @IsLine(1, 8_000)
  quoteToken?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why it is cancelled, in one line of 1 to 1000 characters. It is written to the activity log.',
  })
  @IsOptional()
  @IsLine(1, 1_000)
  reason?: string | null;
}

@ObjectType('CancelOrderSuccess', {
  description: 'Returned when cancelling has begun; fulfilment has yet to confirm it.',
})
export class CancelOrderSuccess {
  @Field(() => OrderType, {
    description: 'The order, whose lines are `CANCELLATION_PENDING` until fulfilment answers.',
  })
  order!: object;

  @Field(() => CancellationType, { description: 'The cancellation that was begun.' })
  cancellation!: object;
}

export const CancelOrderResult = createUnionType({
  name: 'CancelOrderResult',
  description: 'The answer of `cancelOrder`: its success or the reason why not.',
  types: () =>
    [
      CancelOrderSuccess,
      OrderNotFound,
      OrderLineNotFound,
      AcknowledgementRequired,
      CancellationWindowClosed,
      ProductNotCancellable,
      NothingToGiveBack,
      AlreadyCancelled,
      OrderPending,
      OrderRefused,
      CancellationPending,
      SupportRequestRequired,
      QuoteExpired,
      QuoteNotApplicable,
      IdempotencyKeyReused,
      RequestInProgress,
    ] as const,
  resolveType: resultMember('CancelOrderSuccess'),
});
