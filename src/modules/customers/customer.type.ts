import { ArgsType, Directive, Field, ID, InputType, ObjectType } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { contactReaders } from '../../auth/role-sets.js';
import { Segment } from '../../domain/product-kind.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar, UuidScalar } from '../../graphql/scalars.js';
import { MarketType } from '../catalog/market.type.js';

@ObjectType('CustomerContact', { description: 'How to reach a person at the customer.' })
export class CustomerContactType {
  @Field({ description: 'Given name.' })
  firstName!: string;

  @Field({ description: 'Family name.' })
  lastName!: string;

  @Field({ description: 'E-mail address.' })
  email!: string;

  @Field(() => String, { nullable: true, description: 'Telephone number.' })
  phone!: string | null;
}

@ObjectType('Customer', { implements: NodeType, description: 'A company that the partner sells to.' })
export class CustomerType extends NodeType {
  @Field(() => UuidScalar, { description: "GUID of the customer's tenant." })
  tenantId!: string;

  @Field({ description: 'Domain of the tenant, in lower case.' })
  domain!: string;

  @Field({ description: 'Name of the company.' })
  companyName!: string;

  @Field(() => MarketType, { description: 'Where the tenant is: it decides what may be sold (rule 1).' })
  market!: Relation<MarketType>;

  @Field(() => Segment, { description: 'Which prices hold.' })
  segment!: Segment;

  @Field(() => DateTimeScalar, { description: 'Since when it is a customer.' })
  createdAt!: string;

  @Field(() => CustomerContactType, { nullable: true, description: `Whom to reach. For ${contactReaders.join(', ')}.` })
  @Auth(...contactReaders)
  contact!: Relation<CustomerContactType | null>;
}

@Directive('@oneOf')
@InputType('CustomerBy', { description: 'Which customer: exactly one of these.' })
export class CustomerBy {
  @Field(() => ID, { nullable: true, description: "The graph's id." })
  id?: string | null;

  @Field(() => UuidScalar, { nullable: true, description: "GUID of the customer's tenant." })
  tenantId?: string | null;

  @Field(() => String, { nullable: true, description: 'Domain of the tenant, in any case.' })
  domain?: string | null;
}

/** By what customers can be ordered. */
export const CustomerOrderField = { COMPANY_NAME: 'COMPANY_NAME', CREATED_AT: 'CREATED_AT' } as const;
export const CustomerOrder = orderInput('Customer', CustomerOrderField, {
  COMPANY_NAME: 'By name of the company.',
  CREATED_AT: 'By when it became a customer.',
});

@InputType('CustomerFilter', { description: 'Which customers. All that is given must hold.' })
export class CustomerFilter {
  @Field(() => String, { nullable: true, description: 'Whose name or domain contains this text, in any case.' })
  search?: string | null;

  @Field(() => String, { nullable: true, description: 'In this market: ISO 3166-1 alpha-2 code.' })
  market?: string | null;

  @Field(() => String, { nullable: true, description: 'With exactly this domain, in any case.' })
  domain?: string | null;

  @Field(() => Segment, { nullable: true, description: 'Of this segment.' })
  segment?: Segment | null;
}

/** Customers in Relay's form. */
export const CustomerConnection = connectionTypes(CustomerType, 'Customer');

@ArgsType()
export class CustomersArgs extends PageArgsType {
  @Field(() => CustomerFilter, { nullable: true, description: 'Which customers.' })
  filter?: CustomerFilter | null;

  @Field(() => CustomerOrder, { nullable: true, description: 'In which order; by name where left out.' })
  orderBy?: InstanceType<typeof CustomerOrder> | null;
}
