import { ArgsType, Field, Int, ObjectType } from 'type-graphql';
import { BillingPlan, PriceSource, Segment } from '../../domain/product-kind.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { MarketType } from './market.type.js';

@ObjectType('Price', {
  implements: NodeType,
  description:
    'What one unit costs for the whole term, in one market and currency, for one segment, one term and one billing plan.',
})
export class PriceType extends NodeType {
  @Field(() => MoneyType, {
    description:
      'What a purchase pays for one unit for the whole term, without tax except where `market.taxInclusive` is true. It is the listed price, cut to the minor unit of the currency.',
  })
  unitPrice!: Relation<MoneyType>;

  @Field(() => MoneyType, {
    nullable: true,
    description: 'The estimated retail price of one unit; null where the price list names none.',
  })
  erpPrice!: Relation<MoneyType | null>;

  @Field(() => MarketType, { description: 'The market that the price holds in.' })
  market!: Relation<MarketType>;

  @Field(() => Segment, { description: 'The kind of customer that the price holds for.' })
  segment!: Segment;

  @Field(() => String, {
    nullable: true,
    description: 'The term that is paid, as an ISO 8601 duration such as `P1Y`; null for perpetual software.',
  })
  termDuration!: string | null;

  @Field(() => BillingPlan, { description: 'How often the price of the term is billed.' })
  billingPlan!: BillingPlan;

  @Field(() => Int, { description: 'The smallest quantity that the price holds for.' })
  minimumQuantity!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'The largest quantity that the price holds for; null where there is no bound.',
  })
  maximumQuantity!: number | null;

  @Field(() => DateTimeScalar, { description: 'The instant from which the price holds, in UTC.' })
  effectiveStartDate!: string;

  @Field(() => DateTimeScalar, { description: 'The instant at which the price ceases to hold, in UTC.' })
  effectiveEndDate!: string;

  @Field(() => PriceSource, { description: 'Where the price comes from. Prices that are `INVENTED` are not real.' })
  source!: PriceSource;
}

/** Whose price is asked for, and when. */
@ArgsType()
export class PriceArgs {
  @Field({ description: 'The ISO 3166-1 alpha-2 code of the market, such as `US`.' })
  market!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The ISO 4217 code of the currency; the first of `Market.currencies` where it is left out.',
  })
  currency?: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which the price must hold; now where it is left out.',
  })
  at?: Date | null;

  @Field(() => Segment, {
    description: 'The kind of customer that the price must hold for.',
    defaultValue: Segment.COMMERCIAL,
  })
  segment!: Segment;

  @Field(() => Int, {
    description: 'How many units are bought at once, which decides the pricing tier.',
    defaultValue: 1,
  })
  quantity!: number;
}
