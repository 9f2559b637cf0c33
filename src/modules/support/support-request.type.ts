import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { supporters } from '../../auth/role-sets.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderType } from '../orders/order.type.js';
import { SupportImpact, SupportRequestStatus } from './support-request.entity.js';

registerEnumType(SupportImpact, {
  name: 'SupportImpact',
  description: 'How badly it hurts.',
  valuesConfig: {
    CRITICAL: { description: 'Work stands still.' },
    MODERATE: { description: 'Work is hindered.' },
    MINIMAL: { description: 'Work goes on.' },
  },
});
registerEnumType(SupportRequestStatus, {
  name: 'SupportRequestStatus',
  description: 'Where a support request is.',
  valuesConfig: { OPEN: { description: 'Being worked on.' }, CLOSED: { description: 'Answered.' } },
});

@ObjectType('SupportContact', { description: 'Whom support answers.' })
export class SupportContactType {
  @Field({ description: 'Name.' })
  name!: string;

  @Field({ description: 'E-mail address.' })
  email!: string;

  @Field({ description: 'Telephone number.' })
  phone!: string;
}

@ObjectType('SupportFile', { implements: NodeType, description: 'A file attached to a support request.' })
@Auth(...supporters)
export class SupportFileType extends NodeType {
  @Field({ description: 'Name of the file.' })
  name!: string;

  @Field({ description: 'Media type.' })
  contentType!: string;

  @Field(() => Int, { description: 'Bytes.' })
  size!: number;

  @Field({ description: 'SHA-256 of its content, in hexadecimal.' })
  sha256!: string;

  @Field(() => DateTimeScalar, { description: 'When it was uploaded.' })
  uploadedAt!: string;
}

@ObjectType('SupportRequest', {
  implements: NodeType,
  description: `What support was asked on behalf of a customer (rule 21). For ${supporters.join(', ')}.`,
})
@Auth(...supporters)
export class SupportRequestType extends NodeType {
  @Field({ description: 'Fifteen digits.' })
  number!: string;

  @Field(() => CustomerType, { description: 'On whose behalf.' })
  customer!: Relation<CustomerType>;

  @Field(() => OrderType, { nullable: true, description: 'About which order.' })
  order!: Relation<OrderType | null>;

  @Field({ description: 'Type of the problem.' })
  topic!: string;

  @Field(() => SupportImpact, { description: 'How badly it hurts.' })
  impact!: SupportImpact;

  @Field({ description: 'In a line.' })
  title!: string;

  @Field({ description: 'In full.' })
  description!: string;

  @Field(() => String, { nullable: true, description: 'Why money should be given back.' })
  refundReason!: string | null;

  @Field(() => MoneyType, { nullable: true, description: 'How much should be given back.' })
  amount!: Relation<MoneyType | null>;

  @Field(() => SupportContactType, { description: 'Whom support answers.' })
  contact!: Relation<SupportContactType>;

  @Field(() => SupportRequestStatus, { description: 'Where it is.' })
  status!: SupportRequestStatus;

  @Field(() => DateTimeScalar, { description: 'When it was submitted.' })
  submittedAt!: string;

  @Field({ description: 'User principal name of who submitted it.' })
  submittedBy!: string;

  @Field(() => [SupportFileType], { description: 'Attached files, as they were uploaded.' })
  files!: SupportFileType[];
}

/** By what support requests can be ordered. */
export const SupportRequestOrderField = { SUBMITTED_AT: 'SUBMITTED_AT' } as const;
export const SupportRequestOrder = orderInput('SupportRequest', SupportRequestOrderField, {
  SUBMITTED_AT: 'By when it was submitted.',
});

@InputType('SupportRequestFilter', { description: 'Which support requests. All that is given must hold.' })
export class SupportRequestFilter {
  @Field(() => ID, { nullable: true, description: 'Of this customer.' })
  customerId?: string | null;

  @Field(() => SupportRequestStatus, { nullable: true, description: 'In this state.' })
  status?: SupportRequestStatus | null;

  @Field(() => String, { nullable: true, description: 'Of this topic.' })
  topic?: string | null;
}

/** Support requests in Relay's form. */
export const SupportRequestConnection = connectionTypes(SupportRequestType, 'SupportRequest');

@ArgsType()
export class SupportRequestsArgs extends PageArgsType {
  @Field(() => SupportRequestFilter, { nullable: true, description: 'Which support requests.' })
  filter?: SupportRequestFilter | null;

  @Field(() => SupportRequestOrder, { nullable: true, description: 'In which order; newest first where left out.' })
  orderBy?: InstanceType<typeof SupportRequestOrder> | null;
}
