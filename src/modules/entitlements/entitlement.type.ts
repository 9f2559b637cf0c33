import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { softwareReaders } from '../../auth/role-sets.js';
import { type ProductKind, WindowsServerEdition } from '../../domain/product-kind.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { NodeType } from '../../graphql/node.type.js';
import { PeriodType } from '../../graphql/period.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { SkuType } from '../catalog/catalog.type.js';
import { ProductKindEnum } from '../catalog/catalog-enums.type.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderLineType, OrderType } from '../orders/order.type.js';
import { EntitlementStatus } from './entitlement.entity.js';

registerEnumType(EntitlementStatus, {
  name: 'EntitlementStatus',
  description: 'Where an entitlement is.',
  valuesConfig: {
    PENDING: { description: 'Being provisioned.' },
    ACTIVE: { description: 'In force.' },
    REVOKED: { description: 'Cancelled: keys and links are dead, the item stays listed (rule 18).' },
    EXPIRED: { description: 'Its term is over.' },
  },
});

/** How a licence is brought to Azure. */
export const HybridBenefitUse = { REUSE: 'REUSE', CONVERT: 'CONVERT' } as const;
export type HybridBenefitUse = keyof typeof HybridBenefitUse;
registerEnumType(HybridBenefitUse, {
  name: 'HybridBenefitUse',
  description: 'How a licence is brought to Azure (rule 24).',
  valuesConfig: {
    REUSE: { description: 'Datacenter: used on premises and in Azure at once.' },
    CONVERT: { description: 'Standard: moved to Azure, no longer used on premises.' },
  },
});

@ObjectType('HybridBenefit', { description: 'Whether Azure Hybrid Benefit applies (rule 24).' })
export class HybridBenefitType {
  @Field({ description: 'Whether the licence may lower the rate of virtual machines in Azure.' })
  isEligible!: boolean;

  @Field({ description: 'Why, or why not.' })
  reason!: string;

  @Field(() => WindowsServerEdition, { nullable: true, description: 'Edition that decides how.' })
  edition!: WindowsServerEdition | null;

  @Field(() => HybridBenefitUse, {
    nullable: true,
    description: 'How the licence is brought to Azure; null where not eligible.',
  })
  use!: HybridBenefitUse | null;

  @Field(() => Int, { nullable: true, description: 'Core licences owned: cores of a unit times quantity.' })
  coresOwned!: number | null;

  @Field(() => Int, { nullable: true, description: 'Core licences that a virtual machine needs at least.' })
  coresNeededPerVirtualMachine!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Core licences that a customer needs at least, whatever the virtual machines.',
  })
  coresNeededPerCustomer!: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'What Microsoft documents as saving, as documented; null where not eligible.',
  })
  documentedSaving!: string | null;
}

@ObjectType('Entitlement', {
  implements: NodeType,
  description: `What a customer owns by an order line. Keys are never read, only revealed (rule 8). For ${softwareReaders.join(', ')}.`,
})
@Auth(...softwareReaders)
export class EntitlementType extends NodeType {
  @Field(() => CustomerType, { description: 'Who owns it.' })
  customer!: Relation<CustomerType>;

  @Field(() => OrderLineType, { description: 'What it was bought with.' })
  orderLine!: Relation<OrderLineType>;

  @Field(() => OrderType, { description: 'The order it was bought with.' })
  order!: Relation<OrderType>;

  @Field(() => SkuType, { description: 'What it is.' })
  sku!: Relation<SkuType>;

  @Field(() => Int, { description: 'How many.' })
  quantity!: number;

  @Field(() => EntitlementStatus, { description: 'Where it is.' })
  status!: EntitlementStatus;

  @Field(() => DateTimeScalar, { description: 'Since when.' })
  grantedAt!: string;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the term is over; null for perpetual software.' })
  expiresAt!: string | null;

  @Field(() => PeriodType, { nullable: true, description: 'The paid term; null for perpetual software.' })
  term!: Relation<PeriodType | null>;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When a cancellation revoked it.' })
  revokedAt!: string | null;

  @Field(() => HybridBenefitType, { description: 'Whether Azure Hybrid Benefit applies.' })
  hybridBenefit!: Relation<HybridBenefitType>;
}

/** By what entitlements can be ordered. */
export const EntitlementOrderField = { GRANTED_AT: 'GRANTED_AT' } as const;
export const EntitlementOrder = orderInput('Entitlement', EntitlementOrderField, {
  GRANTED_AT: 'By when it was granted.',
});

@InputType('SoftwareFilter', { description: 'Which entitlements. All that is given must hold.' })
export class SoftwareFilter {
  @Field(() => ID, { nullable: true, description: 'Of this customer.' })
  customerId?: string | null;

  @Field(() => [EntitlementStatus], { nullable: true, description: 'In one of these states.' })
  statuses?: EntitlementStatus[] | null;

  @Field(() => [ProductKindEnum], { nullable: true, description: 'Of one of these kinds.' })
  kinds?: ProductKind[] | null;

  @Field(() => String, { nullable: true, description: 'Of this product: `DG7GMGF0FKZV`.' })
  productId?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Whose term is over before.' })
  expiresBefore?: Date | null;
}

/** Entitlements in Relay's form. */
export const EntitlementConnection = connectionTypes(EntitlementType, 'Entitlement');

@ArgsType()
export class SoftwareArgs extends PageArgsType {
  @Field(() => SoftwareFilter, { nullable: true, description: 'Which entitlements.' })
  filter?: SoftwareFilter | null;

  @Field(() => EntitlementOrder, { nullable: true, description: 'In which order; newest first where left out.' })
  orderBy?: InstanceType<typeof EntitlementOrder> | null;
}
