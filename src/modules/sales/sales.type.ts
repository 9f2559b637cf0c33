import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { ProductKind } from '../../domain/product-kind.js';
import { MoneyType } from '../../graphql/money.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar, DateTimeScalar, SafeIntScalar } from '../../graphql/scalars.js';
import { ProductType } from '../catalog/catalog.type.js';
import { ProductKindEnum } from '../catalog/catalog-enums.type.js';
import { MarketType } from '../catalog/market.type.js';
import { CustomerType } from '../customers/customer.type.js';

/** By what sales can be grouped. */
export const SalesDimension = {
  CUSTOMER: 'CUSTOMER',
  MARKET: 'MARKET',
  PRODUCT: 'PRODUCT',
  KIND: 'KIND',
  MONTH: 'MONTH',
} as const;
export type SalesDimension = keyof typeof SalesDimension;
registerEnumType(SalesDimension, {
  name: 'SalesDimension',
  description: 'By what sales can be grouped. Every group is of one currency: amounts in different ones do not add.',
  valuesConfig: {
    CUSTOMER: { description: 'By customer.' },
    MARKET: { description: 'By market.' },
    PRODUCT: { description: 'By product.' },
    KIND: { description: 'By kind of product.' },
    MONTH: { description: 'By calendar month of the purchase, in UTC.' },
  },
});

@ObjectType('SalesGroup', {
  description: 'Order lines that have the grouped dimensions and the currency in common, added up.',
})
export class SalesGroupType {
  @Field(() => CustomerType, { nullable: true, description: 'Where grouped by CUSTOMER.' })
  customer!: Relation<CustomerType | null>;

  @Field(() => MarketType, { nullable: true, description: 'Where grouped by MARKET.' })
  market!: Relation<MarketType | null>;

  @Field(() => ProductType, { nullable: true, description: 'Where grouped by PRODUCT.' })
  product!: Relation<ProductType | null>;

  @Field(() => ProductKindEnum, { nullable: true, description: 'Where grouped by KIND.' })
  kind!: ProductKind | null;

  @Field(() => DateScalar, { nullable: true, description: 'First day of the month, where grouped by MONTH.' })
  month!: string | null;

  @Field(() => Int, { description: 'How many order lines.' })
  count!: number;

  @Field(() => SafeIntScalar, { description: 'How many units.' })
  quantity!: number;

  @Field(() => MoneyType, { description: 'What they cost.' })
  gross!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'What confirmed cancellations gave back of it.' })
  credited!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'Gross less credited.' })
  net!: Relation<MoneyType>;
}

@InputType('SalesFilter', { description: 'Which order lines. All that is given must hold.' })
export class SalesFilter {
  @Field(() => DateTimeScalar, { nullable: true, description: 'Bought at or after.' })
  from?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Bought before.' })
  to?: Date | null;

  @Field(() => ID, { nullable: true, description: 'For this customer.' })
  customerId?: string | null;

  @Field(() => [String], { nullable: true, description: 'In one of these markets: ISO 3166-1 alpha-2 codes.' })
  markets?: string[] | null;

  @Field(() => [ProductKindEnum], { nullable: true, description: 'Of one of these kinds.' })
  kinds?: ProductKind[] | null;

  @Field(() => String, { nullable: true, description: 'Of this product: `DG7GMGF0FKZV`.' })
  productId?: string | null;

  @Field(() => String, { nullable: true, description: 'In this currency: ISO 4217 code.' })
  currency?: string | null;
}
