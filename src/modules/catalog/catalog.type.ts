import { Arg, Args, ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { BillingPlan, type ProductKind } from '../../domain/product-kind.js';
import { compiled } from '../../graphql/compiled.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { CancellationPolicyType } from './cancellation-policy.type.js';
import { ProductKindEnum } from './catalog-enums.type.js';
import { PriceArgs, PriceType } from './price.type.js';

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
    description:
      'The term as an ISO 8601 duration such as `P1Y`; null for perpetual software. Others that it is sold for are in `prices`.',
  })
  termDuration!: string | null;

  @Field(() => BillingPlan, {
    description: 'How often the price of the term is billed. Other plans that it is sold with are in `prices`.',
  })
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
      'The price that a purchase of a quantity pays at an instant; where several hold, the one that ends last. Null where none does, so that it is not sold there.',
  })
  price(
    @Args(() => PriceArgs) _args: PriceArgs,
    @Arg('termDuration', () => String, {
      nullable: true,
      description: 'The term to pay, as an ISO 8601 duration such as `P1Y`; that of the SKU where it is left out.',
    })
    _termDuration?: string | null,
    @Arg('billingPlan', () => BillingPlan, {
      nullable: true,
      description: 'How to be billed for the term; as the SKU has it where it is left out.',
    })
    _billingPlan?: BillingPlan | null,
  ): PriceType | null {
    return compiled();
  }

  @Field(() => [PriceType], {
    nullable: true,
    description:
      'What `price` would answer for each term and billing plan that the SKU is sold for, in the order of terms. An empty list where it is not sold.',
  })
  prices(@Args(() => PriceArgs) _args: PriceArgs): PriceType[] | null {
    return compiled();
  }
}

/** What products can be ordered by. */
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
