import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { ProductKind } from '../../domain/product-kind.js';
import { MoneyType } from '../../graphql/money.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar, DateTimeScalar, SafeIntScalar } from '../../graphql/scalars.js';
import { ProductType } from '../catalog/catalog.type.js';
import { ProductKindEnum } from '../catalog/catalog-enums.type.js';
import { MarketType } from '../catalog/market.type.js';
import { CustomerType } from '../customers/customer.type.js';

/** Dimensions that sales can be grouped by. */
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
  description:
    'A dimension that sales can be grouped by. Every group is of one currency besides, because amounts in different ones do not add.',
  valuesConfig: {
    CUSTOMER: { description: 'One group for each customer; `SalesGroup.customer` says which.' },
    MARKET: { description: 'One group for each market; `SalesGroup.market` says which.' },
    PRODUCT: { description: 'One group for each product; `SalesGroup.product` says which.' },
    KIND: { description: 'One group for each kind of product; `SalesGroup.kind` says which.' },
    MONTH: { description: 'One group for each calendar month of the purchase in UTC; `SalesGroup.month` says which.' },
  },
});

@ObjectType('SalesGroup', {
  description: 'Order lines that have the chosen dimensions and the currency in common, added up.',
})
export class SalesGroupType {
  @Field(() => CustomerType, {
    nullable: true,
    description: 'The customer of the group; null where sales are not grouped by `CUSTOMER`.',
  })
  customer!: Relation<CustomerType | null>;

  @Field(() => MarketType, {
    nullable: true,
    description: 'The market of the group; null where sales are not grouped by `MARKET`.',
  })
  market!: Relation<MarketType | null>;

  @Field(() => ProductType, {
    nullable: true,
    description: 'The product of the group; null where sales are not grouped by `PRODUCT`.',
  })
  product!: Relation<ProductType | null>;

  @Field(() => ProductKindEnum, {
    nullable: true,
    description: 'The kind of product of the group; null where sales are not grouped by `KIND`.',
  })
  kind!: ProductKind | null;

  @Field(() => DateScalar, {
    nullable: true,
    description: 'The first day of the month of the group; null where sales are not grouped by `MONTH`.',
  })
  month!: string | null;

  @Field(() => SafeIntScalar, { description: 'How many order lines are added up.' })
  count!: number;

  @Field(() => SafeIntScalar, { description: 'How many units the lines have together, cancelled ones too.' })
  quantity!: number;

  @Field(() => MoneyType, { description: 'The sum of the lines as bought.' })
  gross!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'What confirmed cancellations gave back of it, whenever that was.' })
  credited!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'What is left: `gross` less `credited`.' })
  net!: Relation<MoneyType>;
}

@InputType('SalesFilter', {
  description: 'Narrows the order lines that are added up. Lines must meet every condition that is given.',
})
export class SalesFilter {
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only lines that were bought at this instant or later.' })
  from?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Only lines that were bought before this instant.' })
  to?: Date | null;

  @Field(() => ID, { nullable: true, description: 'Only lines for the customer with this global id.' })
  customerId?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Only lines in one of these markets, by their ISO 3166-1 alpha-2 codes.',
  })
  markets?: string[] | null;

  @Field(() => [ProductKindEnum], { nullable: true, description: 'Only lines of one of these kinds of product.' })
  kinds?: ProductKind[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only lines of the product with this product id, such as `DG7GMGF0FKZV`.',
  })
  productId?: string | null;

  @Field(() => String, { nullable: true, description: 'Only lines in this currency, by its ISO 4217 code.' })
  currency?: string | null;
}
