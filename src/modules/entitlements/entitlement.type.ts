import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type ProductKind, WindowsServerEdition } from '../../domain/product-kind.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { NodeType } from '../../graphql/node.type.js';
import { PeriodType } from '../../graphql/period.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar, SafeIntScalar } from '../../graphql/scalars.js';
import { SkuType } from '../catalog/catalog.type.js';
import { ProductKindEnum } from '../catalog/catalog-enums.type.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderType } from '../orders/order.type.js';
import { OrderLineType } from '../orders/order-line.type.js';
import { EntitlementStatus } from './entitlement.entity.js';

registerEnumType(EntitlementStatus, {
  name: 'EntitlementStatus',
  description: 'Whether an entitlement can be used, and why not.',
  valuesConfig: {
    PENDING: { description: 'It is being provisioned, and cannot be used yet.' },
    ACTIVE: { description: 'It is in force: keys and downloads can be had.' },
    REVOKED: { description: 'A cancellation revoked it, its keys and its download links. It stays listed.' },
    EXPIRED: { description: 'Its term is over, and nobody revoked it.' },
  },
});

/** How a licence is brought to Azure. */
export const HybridBenefitUse = { REUSE: 'REUSE', CONVERT: 'CONVERT' } as const;
export type HybridBenefitUse = keyof typeof HybridBenefitUse;
registerEnumType(HybridBenefitUse, {
  name: 'HybridBenefitUse',
  description: 'How a licence is brought to Azure under Azure Hybrid Benefit.',
  valuesConfig: {
    REUSE: { description: 'The licence is used on premises and in Azure at once, as Datacenter allows.' },
    CONVERT: { description: 'The licence moves to Azure and is no longer used on premises, as Standard demands.' },
  },
});

@ObjectType('HybridBenefit', {
  description: 'Whether Azure Hybrid Benefit lowers the rate of virtual machines in Azure, and what it takes.',
})
export class HybridBenefitType {
  @Field({ description: 'Whether the licence may lower the rate of virtual machines in Azure now.' })
  isEligible!: boolean;

  @Field({ description: 'Why it is eligible or why not, as an English sentence for people.' })
  reason!: string;

  @Field(() => WindowsServerEdition, {
    nullable: true,
    description: 'The edition, which decides how the licence is used. Null where it is no Windows Server.',
  })
  edition!: WindowsServerEdition | null;

  @Field(() => HybridBenefitUse, {
    nullable: true,
    description: 'How the licence is brought to Azure; null where it is not eligible.',
  })
  use!: HybridBenefitUse | null;

  @Field(() => SafeIntScalar, {
    nullable: true,
    description:
      'How many core licences are owned: those of one unit times the quantity. Null where it is not eligible.',
  })
  coresOwned!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many core licences a virtual machine needs at least; null where it is not eligible.',
  })
  coresNeededPerVirtualMachine!: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'How many core licences a customer needs at least, whatever the virtual machines; null where it is not eligible.',
  })
  coresNeededPerCustomer!: number | null;

  @Field(() => String, {
    nullable: true,
    description: "The saving in the words of Microsoft's documentation; null where it is not eligible.",
  })
  documentedSaving!: string | null;
}

@ObjectType('Entitlement', {
  implements: NodeType,
  description:
    'What a customer owns by one line of an order. Its product key cannot be read here: `revealProductKey` shows it, and logs who saw it.',
})
export class EntitlementType extends NodeType {
  @Field(() => CustomerType, { description: 'The customer that owns it.' })
  customer!: Relation<CustomerType>;

  @Field(() => OrderLineType, { description: 'The line of the order that it was bought with.' })
  orderLine!: Relation<OrderLineType>;

  @Field(() => OrderType, { description: 'The order that it was bought with.' })
  order!: Relation<OrderType>;

  @Field(() => SkuType, { description: 'The SKU that was bought.' })
  sku!: Relation<SkuType>;

  @Field(() => Int, { description: 'How many units are owned.' })
  quantity!: number;

  @Field(() => EntitlementStatus, { description: 'Whether it can be used, and why not.' })
  status!: EntitlementStatus;

  @Field(() => DateTimeScalar, { description: 'The instant since which it is owned, in UTC.' })
  grantedAt!: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which the term is over, in UTC; null for perpetual software.',
  })
  expiresAt!: string | null;

  @Field(() => PeriodType, {
    nullable: true,
    description: 'The paid term, as on its order line; null for perpetual software.',
  })
  term!: Relation<PeriodType | null>;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which a cancellation revoked it, in UTC; null where none did.',
  })
  revokedAt!: string | null;

  @Field(() => HybridBenefitType, { description: 'Whether and how Azure Hybrid Benefit applies to the licence.' })
  hybridBenefit!: Relation<HybridBenefitType>;
}

/** What entitlements can be ordered by. */
export const EntitlementOrderField = { GRANTED_AT: 'GRANTED_AT' } as const;
export const EntitlementOrder = orderInput('Entitlement', EntitlementOrderField, {
  GRANTED_AT: 'The instant since which it is owned.',
});

@InputType('SoftwareFilter', {
  description: 'Narrows a list of entitlements. Entitlements must meet every condition that is given.',
})
export class SoftwareFilter {
  @Field(() => ID, { nullable: true, description: 'Only entitlements of the customer with this global id.' })
  customerId?: string | null;

  @Field(() => [EntitlementStatus], { nullable: true, description: 'Only entitlements in one of these states.' })
  statuses?: EntitlementStatus[] | null;

  @Field(() => [ProductKindEnum], {
    nullable: true,
    description: 'Only entitlements of one of these kinds of product.',
  })
  kinds?: ProductKind[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only entitlements of the product with this product id, such as `DG7GMGF0FKZV`.',
  })
  productId?: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Only entitlements whose term is over before this instant.',
  })
  expiresBefore?: Date | null;
}

/** Entitlements in Relay's form. */
export const EntitlementConnection = connectionTypes(EntitlementType, 'Entitlement');

@ArgsType()
export class SoftwareArgs extends PageArgsType {
  @Field(() => SoftwareFilter, {
    nullable: true,
    description: 'Which entitlements to list; all that you may see where it is left out.',
  })
  filter?: SoftwareFilter | null;

  @Field(() => EntitlementOrder, {
    nullable: true,
    description: 'How to order the list; the newest comes first where it is left out.',
  })
  orderBy?: InstanceType<typeof EntitlementOrder> | null;
}
