import { Arg, ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { catalogReaders } from '../../auth/role-sets.js';
import { PriceSource, type ProductKind, RefundType, Segment } from '../../domain/product-kind.js';
import { compiled } from '../../graphql/compiled.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { BillingPlan, ProductKindEnum } from './catalog-enums.type.js';
import { MarketType } from './market.type.js';

@ObjectType('Product', { implements: NodeType, description: 'A family of SKUs under one product id.' })
export class ProductType extends NodeType {
  @Field(() => ID, { description: 'Twelve letters and digits: `DG7GMGF0FKZV`.' })
  productId!: string;

  @Field({ description: 'What people call it.' })
  title!: string;

  @Field({ description: 'Who makes it.' })
  publisher!: string;

  @Field(() => [SkuType], { description: 'What can be bought of it, by SKU id.' })
  skus!: SkuType[];
}

@ObjectType('SoftwareVersion', {
  implements: NodeType,
  description: 'A version that keys and downloads are given for, with its choices (rule 7).',
})
export class SoftwareVersionType extends NodeType {
  @Field({ description: 'As it is asked for: `2022`.' })
  version!: string;

  @Field(() => [String], { description: 'Languages to download, as BCP 47 tags.' })
  languages!: string[];

  @Field(() => [String], { description: 'Architectures to download: `x64`, `x86`, `arm64`.' })
  architectures!: string[];
}

@ObjectType('CancellationPolicy', { description: 'Whether and how a SKU can be cancelled (rules 13, 16, 20).' })
export class CancellationPolicyType {
  @Field({ description: 'Whether `cancelOrder` can cancel it while its window is open.' })
  isCancellable!: boolean;

  @Field(() => Int, {
    nullable: true,
    description: 'Calendar days after the purchase (UTC) until 23:59:00Z of the last one.',
  })
  windowDays!: number | null;

  @Field(() => RefundType, { nullable: true, description: 'How the credit is computed.' })
  refundType!: Relation<RefundType | null>;

  @Field({ description: 'Whether it is cancelled by a support request instead.' })
  supportRequestRequired!: boolean;
}

@ObjectType('Price', { implements: NodeType, description: 'What one unit costs for the whole term (rule 3).' })
@Auth(...catalogReaders)
export class PriceType extends NodeType {
  @Field(() => MoneyType, {
    description: 'Price of one unit; without tax, except where the market includes it (rule 2).',
  })
  unitPrice!: Relation<MoneyType>;

  @Field(() => MoneyType, { nullable: true, description: 'Estimated retail price, where the list names one.' })
  erpPrice!: Relation<MoneyType | null>;

  @Field(() => MarketType, { description: 'Where it holds.' })
  market!: Relation<MarketType>;

  @Field(() => Segment, { description: 'For whom it holds.' })
  segment!: Segment;

  @Field(() => DateTimeScalar, { description: 'From when it holds.' })
  effectiveStartDate!: string;

  @Field(() => DateTimeScalar, { description: 'Until when it holds.' })
  effectiveEndDate!: string;

  @Field(() => PriceSource, { description: 'Where it comes from; INVENTED ones are not real.' })
  source!: PriceSource;
}

@ObjectType('Sku', { implements: NodeType, description: 'What is bought: a product in a certain form and term.' })
export class SkuType extends NodeType {
  @Field(() => ID, { description: 'Four letters and digits, unique only inside the product: `0003`.' })
  skuId!: string;

  @Field(() => ProductType, { description: 'The product it belongs to.' })
  product!: Relation<ProductType>;

  @Field({ description: 'What people call it.' })
  title!: string;

  @Field(() => ProductKindEnum, { description: 'What it is.' })
  kind!: ProductKind;

  @Field(() => String, { nullable: true, description: 'ISO 8601 duration such as `P1Y`; null for perpetual software.' })
  termDuration!: string | null;

  @Field(() => BillingPlan, { description: 'How the term is billed.' })
  billingPlan!: BillingPlan;

  @Field(() => Int, { description: 'Least quantity of a purchase.' })
  minimumQuantity!: number;

  @Field(() => Int, { description: 'Greatest quantity of a purchase.' })
  maximumQuantity!: number;

  @Field(() => CancellationPolicyType, { description: 'Whether and how it can be cancelled.' })
  cancellationPolicy!: Relation<CancellationPolicyType>;

  @Field(() => [SoftwareVersionType], {
    description: 'Versions to choose from for keys and downloads, newest first; none for what has no software.',
  })
  softwareVersions!: SoftwareVersionType[];

  @Field(() => PriceType, {
    nullable: true,
    description: `The price valid at an instant; on overlap the one that ends last (rule 3). Null where it is not sold. For ${catalogReaders.join(', ')}.`,
  })
  @Auth(...catalogReaders)
  price(
    @Arg('market', { description: 'ISO 3166-1 alpha-2 code.' }) _market: string,
    @Arg('currency', () => String, {
      nullable: true,
      description: "ISO 4217 code; the market's default one where left out.",
    })
    _currency?: string | null,
    @Arg('at', () => DateTimeScalar, { nullable: true, description: 'When; now where left out.' }) _at?: Date | null,
    @Arg('segment', () => Segment, { description: 'For whom.', defaultValue: Segment.COMMERCIAL }) _segment?: Segment,
  ): PriceType | null {
    return compiled();
  }
}

/** By what products can be ordered. */
export const ProductOrderField = { TITLE: 'TITLE', PRODUCT_ID: 'PRODUCT_ID' } as const;
export const ProductOrder = orderInput('Product', ProductOrderField, {
  TITLE: 'By title.',
  PRODUCT_ID: 'By product id.',
});

@InputType('ProductFilter', { description: 'Which products. All that is given must hold.' })
export class ProductFilter {
  @Field(() => ProductKindEnum, { nullable: true, description: 'With a SKU of this kind.' })
  kind?: ProductKind | null;

  @Field(() => String, {
    nullable: true,
    description: 'Whose title or product id, or a title of whose SKUs, contains this text, in any case.',
  })
  search?: string | null;

  @Field(() => String, { nullable: true, description: 'Made by exactly this publisher.' })
  publisher?: string | null;
}

/** Products in Relay's form. */
export const ProductConnection = connectionTypes(ProductType, 'Product');

@ArgsType()
export class ProductsArgs extends PageArgsType {
  @Field(() => ProductFilter, { nullable: true, description: 'Which products.' })
  filter?: ProductFilter | null;

  @Field(() => ProductOrder, { nullable: true, description: 'In which order; by title where left out.' })
  orderBy?: InstanceType<typeof ProductOrder> | null;
}
