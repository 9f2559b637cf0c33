import { Arg, ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { PriceSource, type ProductKind, Segment } from '../../domain/product-kind.js';
import { compiled } from '../../graphql/compiled.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { CancellationPolicyType } from './cancellation-policy.type.js';
import { BillingPlan, ProductKindEnum } from './catalog-enums.type.js';
import { MarketType } from './market.type.js';

@ObjectType('Product', {
  implements: NodeType,
  description: 'A family of SKUs under one product id, such as all editions of SQL Server.',
})
export class ProductType extends NodeType {
  @Field(() => ID, { description: "Microsoft's product id: twelve letters and digits such as `DG7GMGF0FKZV`." })
  productId!: string;

  @Field({ description: 'The title of the product, as the catalog has it.' })
  title!: string;

  @Field({ description: 'The company that makes the product.' })
  publisher!: string;

  @Field(() => [SkuType], { description: 'What can be bought of the product, in the order of SKU ids.' })
  skus!: SkuType[];
}

@ObjectType('SoftwareVersion', {
  implements: NodeType,
  description: 'A version of the software, with the languages and architectures it can be downloaded in.',
})
export class SoftwareVersionType extends NodeType {
  @Field({
    description: 'The name of the version, such as `2022`. `revealProductKey` and `createDownloadLink` take it.',
  })
  version!: string;

  @Field(() => [String], { description: 'The languages it can be downloaded in, as BCP 47 tags such as `en-US`.' })
  languages!: string[];

  @Field(() => [String], { description: 'The architectures it can be downloaded for: `x64`, `x86` or `arm64`.' })
  architectures!: string[];
}

@ObjectType('Price', {
  implements: NodeType,
  description: 'What one unit costs for the whole term, in one market and currency and for one segment.',
})
export class PriceType extends NodeType {
  @Field(() => MoneyType, {
    description: 'The price of one unit for the whole term, without tax except where `market.taxInclusive` is true.',
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

  @Field(() => DateTimeScalar, { description: 'The instant from which the price holds, in UTC.' })
  effectiveStartDate!: string;

  @Field(() => DateTimeScalar, { description: 'The instant at which the price ceases to hold, in UTC.' })
  effectiveEndDate!: string;

  @Field(() => PriceSource, { description: 'Where the price comes from. Prices that are `INVENTED` are not real.' })
  source!: PriceSource;
}

@ObjectType('Sku', {
  implements: NodeType,
  description: 'What is bought: a product in a certain edition, size and term.',
})
export class SkuType extends NodeType {
  @Field(() => ID, {
    description: "Microsoft's SKU id: four letters and digits such as `0003`, unique only inside the product.",
  })
  skuId!: string;

  @Field(() => ProductType, { description: 'The product that the SKU belongs to.' })
  product!: Relation<ProductType>;

  @Field({ description: 'The title of the SKU, as the catalog has it.' })
  title!: string;

  @Field(() => ProductKindEnum, { description: 'The kind of thing it is, which decides how it is sold and cancelled.' })
  kind!: ProductKind;

  @Field(() => String, {
    nullable: true,
    description: 'The term as an ISO 8601 duration such as `P1Y`; null for perpetual software.',
  })
  termDuration!: string | null;

  @Field(() => BillingPlan, { description: 'How often the price of the term is billed.' })
  billingPlan!: BillingPlan;

  @Field(() => Int, { description: 'The smallest quantity of a purchase.' })
  minimumQuantity!: number;

  @Field(() => Int, { description: 'The largest quantity of a purchase.' })
  maximumQuantity!: number;

  @Field(() => CancellationPolicyType, {
    description: 'Whether and how purchases of today can be cancelled. Earlier ones keep what their order lines say.',
  })
  cancellationPolicy!: Relation<CancellationPolicyType>;

  @Field(() => [CancellationPolicyType], {
    description:
      'The policies of all days, past and to come, newest first: those of the SKU itself, then those of its kind, which hold where it has none in effect.',
  })
  cancellationPolicies!: CancellationPolicyType[];

  @Field(() => [SoftwareVersionType], {
    description:
      'The versions to choose from for keys and downloads, newest first. An empty list where it comes without software.',
  })
  softwareVersions!: SoftwareVersionType[];

  @Field(() => PriceType, {
    nullable: true,
    description:
      'The price that holds at an instant; where several do, the one that ends last. Null where none does, so that it is not sold there.',
  })
  price(
    @Arg('market', { description: 'The ISO 3166-1 alpha-2 code of the market, such as `US`.' }) _market: string,
    @Arg('currency', () => String, {
      nullable: true,
      description: 'The ISO 4217 code of the currency; the first of `Market.currencies` where it is left out.',
    })
    _currency?: string | null,
    @Arg('at', () => DateTimeScalar, {
      nullable: true,
      description: 'The instant at which the price must hold; now where it is left out.',
    })
    _at?: Date | null,
    @Arg('segment', () => Segment, {
      description: 'The kind of customer that the price must hold for.',
      defaultValue: Segment.COMMERCIAL,
    })
    _segment?: Segment,
  ): PriceType | null {
    return compiled();
  }
}

/** By what products can be ordered. */
export const ProductOrderField = { TITLE: 'TITLE', PRODUCT_ID: 'PRODUCT_ID' } as const;
export const ProductOrder = orderInput('Product', ProductOrderField, {
  TITLE: 'The title of the product.',
  PRODUCT_ID: 'The product id of Microsoft.',
});

@InputType('ProductFilter', {
  description: 'Narrows a list of products. Products must meet every condition that is given.',
})
export class ProductFilter {
  @Field(() => ProductKindEnum, { nullable: true, description: 'Only products that have a SKU of this kind.' })
  kind?: ProductKind | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Only products where the title, the product id or the title of a SKU contains this text, in either case.',
  })
  search?: string | null;

  @Field(() => String, { nullable: true, description: 'Only products of exactly this publisher.' })
  publisher?: string | null;
}

/** Products in Relay's form. */
export const ProductConnection = connectionTypes(ProductType, 'Product');

@ArgsType()
export class ProductsArgs extends PageArgsType {
  @Field(() => ProductFilter, {
    nullable: true,
    description: 'Which products to list; the whole catalog where it is left out.',
  })
  filter?: ProductFilter | null;

  @Field(() => ProductOrder, {
    nullable: true,
    description: 'How to order the list; titles from A to Z where it is left out.',
  })
  orderBy?: InstanceType<typeof ProductOrder> | null;
}
