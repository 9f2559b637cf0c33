import { IsOptional, ValidateNested } from 'class-validator';
import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { IsCurrency, IsIdempotencyKey, IsList, IsProductId, IsQuantity, IsSkuId } from '../../graphql/input-rules.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import { IdempotencyKeyReused, RequestInProgress } from '../access/idempotency.js';
import { ProductKindEnum } from '../catalog/catalog-enums.type.js';
import { CustomerNotFound } from '../customers/find-customer.js';
import { OrderType } from '../orders/order.type.js';
import { PriceNotFound, ProductNotAvailableInMarket, QuantityOutOfBounds, SkuNotFound } from './purchase.js';

const lineIndex = { type: () => Int, description: 'Which line of the input, from 0.' };
problemType(IdempotencyKeyReused, 'The key was used before with another input (rule 5).');
problemType(RequestInProgress, 'The first request with this key has not ended; send the same again (rule 5).');
problemType(CustomerNotFound, 'No such customer, or not yours.');
problemType(SkuNotFound, 'No such SKU in the catalog.', {
  lineIndex,
  productId: { type: () => String, description: 'The product id sent.' },
  skuId: { type: () => String, description: 'The SKU id sent.' },
});
problemType(QuantityOutOfBounds, "The quantity is outside the SKU's bounds (rule 4).", {
  lineIndex,
  minimum: { type: () => Int, description: 'Least quantity.' },
  maximum: { type: () => Int, description: 'Greatest quantity.' },
});
problemType(ProductNotAvailableInMarket, 'This kind may not be sold where the customer is (rule 1).', {
  lineIndex,
  market: { type: () => String, description: "The customer's market: ISO 3166-1 alpha-2 code." },
  kind: { type: () => ProductKindEnum, description: 'The kind that is closed there.' },
});
problemType(PriceNotFound, "No price holds now for the customer's market and segment in this currency (rule 3).", {
  lineIndex,
  market: { type: () => String, description: "The customer's market." },
  currency: { type: () => String, description: 'The currency asked for.' },
  currencies: { type: () => [String], description: 'Currencies that the market is sold to in.' },
});

@InputType('PurchaseLineInput', { description: 'One SKU to buy.' })
export class PurchaseLineInput {
  @Field({ description: 'Twelve letters and digits: `DG7GMGF0FKZV`.' })
  @IsProductId()
  productId!: string;

  @Field({ description: 'Four letters and digits, zeros kept: `0003`.' })
  @IsSkuId()
  skuId!: string;

  @Field(() => Int, { description: "How many, within the SKU's bounds." })
  @IsQuantity()
  quantity!: number;
}

@InputType('PurchaseInput', { description: 'A purchase on behalf of a customer.' })
export class PurchaseInput {
  @Field({
    description:
      'Made by you, one per purchase: sent again with the same input it buys nothing twice (rule 5). Kept 45 days. A refusal leaves it free.',
  })
  @IsIdempotencyKey()
  idempotencyKey!: string;

  @Field(() => ID, { description: 'For whom.' })
  customerId!: string;

  @Field(() => String, { nullable: true, description: "ISO 4217 code; the market's default currency where left out." })
  @IsOptional()
  @IsCurrency()
  currency?: string | null;

  @Field(() => [PurchaseLineInput], { description: 'What: 1 to 50 lines.' })
  @IsList(50)
  @ValidateNested({ each: true })
  lines!: PurchaseLineInput[];
}

@ObjectType('PurchaseSuccess', { description: 'It was bought.' })
export class PurchaseSuccess {
  @Field(() => OrderType, { description: 'The order.' })
  order!: object;
}

export const PurchaseResult = createUnionType({
  name: 'PurchaseResult',
  description: 'What became of a purchase.',
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
