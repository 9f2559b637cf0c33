import { ArgsType, Directive, Field, ID, InputType, ObjectType } from 'type-graphql';
import { Segment } from '../../domain/product-kind.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar, UuidScalar } from '../../graphql/scalars.js';
import { MarketType } from '../catalog/market.type.js';

@ObjectType('CustomerContact', { description: 'A person at the customer, and how to reach them.' })
export class CustomerContactType {
  @Field({ description: 'The given name of the person.' })
  firstName!: string;

  @Field({ description: 'The family name of the person.' })
  lastName!: string;

  @Field({ description: 'The e-mail address of the person.' })
  email!: string;

  @Field(() => String, { nullable: true, description: 'The telephone number of the person; null where none is known.' })
  phone!: string | null;
}

@ObjectType('Customer', {
  implements: NodeType,
  description: 'A company that the partner sells to, with a tenant of its own.',
})
export class CustomerType extends NodeType {
  @Field(() => UuidScalar, { description: "The GUID of the customer's tenant in Microsoft Entra ID." })
  tenantId!: string;

  @Field({ description: 'The domain of the tenant in lower case, such as `contoso.example`.' })
  domain!: string;

  @Field({ description: 'The name of the company, as people know it.' })
  companyName!: string;

  @Field(() => MarketType, {
    description: 'The country or territory of the tenant, which decides what may be sold and in which currencies.',
  })
  market!: Relation<MarketType>;

  @Field(() => Segment, { description: 'The kind of customer, which decides the prices that hold.' })
  segment!: Segment;

  @Field(() => DateTimeScalar, { description: 'The instant since which it is a customer, in UTC.' })
  createdAt!: string;

  @Field(() => CustomerContactType, { nullable: true, description: 'The person to reach at the customer.' })
  contact!: Relation<CustomerContactType | null>;
}

@Directive('@oneOf')
@InputType('CustomerBy', { description: 'Names one customer, by exactly one of these fields.' })
export class CustomerBy {
  @Field(() => ID, { nullable: true, description: 'The global id of the customer.' })
  id?: string | null;

  @Field(() => UuidScalar, { nullable: true, description: "The GUID of the customer's tenant in Microsoft Entra ID." })
  tenantId?: string | null;

  @Field(() => String, { nullable: true, description: 'The domain of the tenant, in either case.' })
  domain?: string | null;
}

/** What customers can be ordered by. */
export const CustomerOrderField = { COMPANY_NAME: 'COMPANY_NAME', CREATED_AT: 'CREATED_AT' } as const;
export const CustomerOrder = orderInput('Customer', CustomerOrderField, {
  COMPANY_NAME: 'The name of the company.',
  CREATED_AT: 'The instant at which it became a customer.',
});

@InputType('CustomerFilter', {
  description: 'Narrows a list of customers. Customers must meet every condition that is given.',
})
export class CustomerFilter {
  @Field(() => String, {
    nullable: true,
    description: 'Only customers whose name or domain contains this text, in either case.',
  })
  search?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only customers in this market, by its ISO 3166-1 alpha-2 code.',
  })
  market?: string | null;

  @Field(() => String, { nullable: true, description: 'Only the customer with exactly this domain, in either case.' })
  domain?: string | null;

  @Field(() => Segment, { nullable: true, description: 'Only customers of this segment.' })
  segment?: Segment | null;
}

/** Customers in Relay's form. */
export const CustomerConnection = connectionTypes(CustomerType, 'Customer');

@ArgsType()
export class CustomersArgs extends PageArgsType {
  @Field(() => CustomerFilter, {
    nullable: true,
    description: 'Which customers to list; all that you may see where it is left out.',
  })
  filter?: CustomerFilter | null;

  @Field(() => CustomerOrder, {
    nullable: true,
    description: 'How to order the list; names from A to Z where it is left out.',
  })
  orderBy?: InstanceType<typeof CustomerOrder> | null;
}
