import { IsOptional, ValidateNested } from 'class-validator';
import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { BillingPlan } from '../../domain/product-kind.js';
import {
  IsCurrencyCode,
  IsIdempotencyKey,
  IsList,
  IsProductId,
  IsQuantity,
  IsSkuId,
  IsTerm,
} from '../../graphql/input-rules.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { IdempotencyKeyReused, RequestInProgress } from '../access/idempotency.js';
import { ProductKindEnum } from '../catalog/catalog-enums.type.js';
import { CustomerNotFound } from '../customers/find-customer.js';
import { OrderType } from '../orders/order.type.js';
import { MAXIMUM_LINES } from '../orders/order-line.type.js';
import { PriceNotFound, ProductNotAvailableInMarket, QuantityOutOfBounds, SkuNotFound } from './purchase-problems.js';

@ObjectType('Offer', { description: 'A term that a SKU is sold for, and how it is billed.' })
export class OfferType {
  @Field(() => String, {
    nullable: true,
    description: 'The term as an ISO 8601 duration such as `P1Y`; null for perpetual software.',
  })
  termDuration!: string | null;

  @Field(() => BillingPlan, { description: 'How often the price of the term is billed.' })
  billingPlan!: BillingPlan;
}

const lineIndex = { type: () => Int, description: 'The place of the line in `input.lines`, from 0.' };
problemType(
  IdempotencyKeyReused,
  'Returned when the idempotency key was used before with another input. Make a new key for a new request.',
);
problemType(
  RequestInProgress,
  'Returned when the first request with this idempotency key has not ended. Send the same again in a moment.',
);
problemType(
  CustomerNotFound,
  'Returned when there is no customer with the id, or none that you may see: both look the same.',
);
problemType(SkuNotFound, 'Returned when the catalog has no such SKU; `productId` and `skuId` are what was sent.', {
  lineIndex,
  productId: { type: () => String, description: 'The product id that was sent.' },
  skuId: { type: () => String, description: 'The SKU id that was sent.' },
});
problemType(
  QuantityOutOfBounds,
  'Returned when the quantity is outside the bounds of the SKU; `minimum` and `maximum` are those.',
  {
    lineIndex,
    minimum: { type: () => Int, description: 'The smallest quantity of a purchase.' },
    maximum: { type: () => Int, description: 'The largest quantity of a purchase.' },
  },
);
problemType(
  ProductNotAvailableInMarket,
  'Returned when this kind of product may not be sold in the market of the customer.',
  {
    lineIndex,
    market: { type: () => String, description: "The ISO 3166-1 alpha-2 code of the customer's market." },
    kind: { type: () => ProductKindEnum, description: 'The kind of product that may not be sold there.' },
  },
);
problemType(
  PriceNotFound,
  'Returned when no price in this currency, for this term and billing plan, holds now for the market and segment of the customer; `offers` and `currencies` list what to try.',
  {
    lineIndex,
    market: { type: () => String, description: "The ISO 3166-1 alpha-2 code of the customer's market." },
    currency: { type: () => String, description: 'The ISO 4217 code of the currency that was asked for.' },
    currencies: {
      type: () => [String],
      description: 'The ISO 4217 codes of the currencies that customers of the market can pay in.',
    },
    offers: {
      type: () => [OfferType],
      description:
        'The terms and billing plans that the SKU is sold for in this currency; an empty list where it is not.',
    },
  },
);

@InputType('PurchaseLineInput', { description: 'One SKU to buy, and how many of it.' })
export class PurchaseLineInput {
  @Field({ description: "Microsoft's product id: twelve letters and digits such as `DG7GMGF0FKZV`." })
  @IsProductId()
  productId!: string;

  @Field({ description: "Microsoft's SKU id: four letters and digits such as `0003`, whose zeros count." })
  @IsSkuId()
  skuId!: string;

  @Field(() => Int, { description: 'How many units to buy, from `Sku.minimumQuantity` to `Sku.maximumQuantity`.' })
  @IsQuantity()
  quantity!: number;

  @Field(() => String, {
    nullable: true,
    description: 'The term to buy, as an ISO 8601 duration such as `P1Y`; `Sku.termDuration` where it is left out.',
  })
  @IsOptional()
  @IsTerm()
  termDuration?: string | null;

  @Field(() => BillingPlan, {
    nullable: true,
    description: 'How to be billed for the term; `Sku.billingPlan` where it is left out.',
  })
  billingPlan?: Relation<BillingPlan | null>;
}

@InputType('PurchasePreviewInput', { description: 'What would be bought, on behalf of which customer.' })
export class PurchasePreviewInput {
  @Field(() => ID, { description: 'The global id of the customer.' })
  customerId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The ISO 4217 code of the currency to pay in; the first of `Market.currencies` where it is left out.',
  })
  @IsOptional()
  @IsCurrencyCode()
  currency?: string | null;

  @Field(() => [PurchaseLineInput], { description: 'What to buy, in 1 to 50 lines. One SKU may have several.' })
  @IsList(MAXIMUM_LINES)
  @ValidateNested({ each: true })
  lines!: PurchaseLineInput[];
}

@InputType('PurchaseInput', {
  description: 'What to buy, on behalf of which customer. All lines are bought together or none.',
})
export class PurchaseInput extends PurchasePreviewInput {
  @Field({
    description:
      'A key that you make up for each purchase, 1 to 255 visible ASCII characters such as a UUID. The same key with the same input answers the first success again and buys nothing twice. It is kept for 45 days; a refusal leaves it free.',
  })
  @IsIdempotencyKey()
  idempotencyKey!: string;
}

@ObjectType('PurchaseSuccess', { description: 'Returned when it was bought; it is on the next monthly invoice.' })
export class PurchaseSuccess {
  @Field(() => OrderType, { description: 'The order that was placed, with its lines and entitlements.' })
  order!: object;
}

export const PurchaseResult = createUnionType({
  name: 'PurchaseResult',
  description: 'The answer of `purchase`: its success or the reason why not.',
  types: () =>
    [
      PurchaseSuccess,
      ProductNotAvailableInMarket,
      CustomerNotFound,
      SkuNotFound,
      QuantityOutOfBounds,
      PriceNotFound,
      IdempotencyKeyReused,
      RequestInProgress,
    ] as const,
  resolveType: resultMember('PurchaseSuccess'),
});
