import { Field, Int, ObjectType } from 'type-graphql';
import { BillingPlan } from '../../domain/product-kind.js';
import { AtMost } from '../../graphql/cost.js';
import { MoneyType } from '../../graphql/money.type.js';
import { PeriodType } from '../../graphql/period.type.js';
import { ProblemType } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { MAXIMUM_LINES } from '../orders/order-line.type.js';

@ObjectType('PurchasePreviewLine', { description: 'What one line of a purchase would cost.' })
export class PurchasePreviewLineType {
  @Field(() => Int, { description: 'The place of the line in `input.lines`, from 0.' })
  lineIndex!: number;

  @Field({ description: 'The title of the SKU.' })
  title!: string;

  @Field(() => Int, { description: 'How many units would be bought.' })
  quantity!: number;

  @Field(() => BillingPlan, { description: 'How often the price of the term would be billed.' })
  billingPlan!: Relation<BillingPlan>;

  @Field(() => String, {
    nullable: true,
    description: 'The term as an ISO 8601 duration such as `P1Y`; null for perpetual software.',
  })
  termDuration!: string | null;

  @Field(() => PeriodType, {
    nullable: true,
    description: 'The term that would be paid, from today on; null for perpetual software.',
  })
  term!: Relation<PeriodType | null>;

  @Field(() => MoneyType, { description: 'What one unit would cost for the whole term, in the tier of the quantity.' })
  unitPrice!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'The unit price times the quantity.' })
  total!: Relation<MoneyType>;
}

@ObjectType('PurchasePreview', {
  description: 'What `purchase` would do with the same input now. Nothing is bought, and no price is held.',
})
export class PurchasePreviewType {
  @Field({ description: 'Whether `purchase` would accept it now; `problem` says why not.' })
  allowed!: boolean;

  @Field(() => ProblemType, {
    nullable: true,
    description: 'The problem that `purchase` would answer; null where it is allowed.',
  })
  problem!: object | null;

  @AtMost(MAXIMUM_LINES)
  @Field(() => [PurchasePreviewLineType], {
    description: 'The lines in the order of `input.lines`; an empty list where it is not allowed.',
  })
  lines!: PurchasePreviewLineType[];

  @Field(() => MoneyType, {
    nullable: true,
    description: 'What the order would cost, to the cent; null where it is not allowed.',
  })
  total!: Relation<MoneyType | null>;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether the amounts include tax; null where it is not allowed.',
  })
  taxIncluded!: boolean | null;

  @Field(() => DateTimeScalar, { description: 'The instant that all prices are of, in UTC.' })
  pricedAt!: Date;
}
