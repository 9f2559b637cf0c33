import { Field, Int, ObjectType } from 'type-graphql';
import { RefundType } from '../../domain/product-kind.js';
import { RefundOptionType } from '../../domain/refund-option.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar } from '../../graphql/scalars.js';

@ObjectType('RefundOption', {
  description:
    'What is given back when a purchase is cancelled, for a while after it. Of several the first one holds that is not over.',
})
export class RefundOptionObject {
  @Field(() => Int, { description: 'The place of the option among those of the policy.' })
  sequence!: number;

  @Field(() => RefundOptionType, { description: 'Whether all of the price is given back, or the unused days.' })
  type!: RefundOptionType;

  @Field({
    description:
      'How long after the purchase it holds, as an ISO 8601 duration: calendar days (UTC) such as `P30D`, until 23:59:00Z of the last one, or hours to the millisecond such as `PT24H`.',
  })
  expiresAfter!: string;
}

@ObjectType('CancellationPolicy', { description: 'Whether and how purchases of a SKU can be cancelled.' })
export class CancellationPolicyType {
  @Field(() => DateScalar, { description: 'The first day (UTC) whose purchases it is for.' })
  effectiveDate!: string;

  @Field({
    description: 'Whether it can be cancelled without support while its window is open. `cancelOrder` does that.',
  })
  isCancellable!: boolean;

  @Field(() => [RefundOptionObject], {
    description:
      'What is given back until when, in order of `sequence`. An empty list where it never can be cancelled, or by support alone.',
  })
  refundOptions!: RefundOptionObject[];

  @Field(() => Int, {
    nullable: true,
    description:
      'How many days after the day of purchase it can be cancelled, by the last of `refundOptions`. Null where it never can be.',
  })
  windowDays!: number | null;

  @Field(() => RefundType, {
    nullable: true,
    description:
      'How the credit is computed by the last of `refundOptions`; null where it can never be cancelled. Earlier options may give back more.',
  })
  refundType!: Relation<RefundType | null>;

  @Field({ description: 'Whether only a support request can cancel it, as with reservations.' })
  supportRequestRequired!: boolean;
}
