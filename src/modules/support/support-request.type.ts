import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderType } from '../orders/order.type.js';
import { ScanVerdict, SupportImpact, SupportRequestStatus } from './support-request.entity.js';

registerEnumType(SupportImpact, {
  name: 'SupportImpact',
  description: 'How much a problem gets in the way of work.',
  valuesConfig: {
    CRITICAL: { description: 'Work stands still until the problem is solved.' },
    MODERATE: { description: 'Work goes on, but the problem hinders it.' },
    MINIMAL: { description: 'Work goes on as if there were no problem.' },
  },
});
registerEnumType(SupportRequestStatus, {
  name: 'SupportRequestStatus',
  description: 'How far a support request is.',
  valuesConfig: {
    OPEN: { description: 'Support has yet to answer the request.' },
    ATTENTION_NEEDED: { description: 'Support has answered, and waits for whoever asked.' },
    CLOSED: { description: 'Support has answered, and the request is closed.' },
  },
});

/** Whether a file was judged, and how. */
export const SupportFileState = { UNSCANNED: 'UNSCANNED', ...ScanVerdict } as const;
export type SupportFileState = keyof typeof SupportFileState;
registerEnumType(SupportFileState, {
  name: 'SupportFileState',
  description: 'What was found of a file by the scanner that the gateway may have.',
  valuesConfig: {
    UNSCANNED: {
      description: 'Nobody has judged the file. Where the gateway has a scanner it cannot be downloaded until then.',
    },
    CLEAN: { description: 'The scanner found nothing wrong with the file.' },
    REFUSED: { description: 'The scanner refused the file: nobody can download it. `refusalReason` says why.' },
  },
});

@ObjectType('SupportContact', { description: 'The person that support answers.' })
export class SupportContactType {
  @Field({ description: 'The name of the person.' })
  name!: string;

  @Field({ description: 'The e-mail address of the person.' })
  email!: string;

  @Field({
    description:
      'The telephone number of the person in E.164, with its extension as RFC 3966 has it: `+14255550100;ext=5`. Requests from before have it as it was sent.',
  })
  phone!: string;
}

@ObjectType('SupportFile', { implements: NodeType, description: 'A file that is attached to a support request.' })
export class SupportFileType extends NodeType {
  @Field({ description: 'The name of the file, as it was uploaded.' })
  name!: string;

  @Field({ description: 'The media type of the file, such as `application/pdf`.' })
  contentType!: string;

  @Field(() => Int, { description: 'The size of the file in bytes.' })
  size!: number;

  @Field({ description: 'The SHA-256 digest of the content, in hexadecimal.' })
  sha256!: string;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was uploaded, in UTC.' })
  uploadedAt!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The user principal name of whoever uploaded it; null in files from before it was kept.',
  })
  uploadedBy!: string | null;

  @Field(() => SupportFileState, { description: 'Whether the file was judged, and how.' })
  state!: SupportFileState;

  @Field(() => String, {
    nullable: true,
    description: "Why the file was refused, in the scanner's words; null where it was not.",
  })
  refusalReason!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Where the content is, below the address of the gateway: GET it with the token in `Authorization`. Ranges and `If-None-Match` are answered. Null where the file was refused.',
  })
  downloadPath!: string | null;
}

@ObjectType('SupportNote', { description: 'A note to a support request, for those who serve it.' })
export class SupportNoteType {
  @Field({ description: 'The text of the note, which may have several lines.' })
  text!: string;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was added, in UTC.' })
  createdAt!: string;

  @Field({ description: 'The user principal name of the person who added it.' })
  createdBy!: string;
}

@ObjectType('SupportRequest', {
  implements: NodeType,
  description: 'What support was asked on behalf of a customer, and how far it is.',
})
export class SupportRequestType extends NodeType {
  @Field({ description: 'The number of the request: fifteen digits.' })
  number!: string;

  @Field(() => CustomerType, { description: 'The customer on whose behalf support was asked.' })
  customer!: Relation<CustomerType>;

  @Field(() => OrderType, { nullable: true, description: 'The order that it is about; null where it is about none.' })
  order!: Relation<OrderType | null>;

  @Field({ description: 'What it is about, one of `supportTopics`.' })
  topic!: string;

  @Field(() => SupportImpact, { description: 'How much the problem gets in the way of work.' })
  impact!: SupportImpact;

  @Field({ description: 'The problem in one line.' })
  title!: string;

  @Field({ description: 'The problem in full, as it was submitted.' })
  description!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Why money should be given back; null where none was asked for.',
  })
  refundReason!: string | null;

  @Field(() => MoneyType, {
    nullable: true,
    description: 'How much money should be given back; null where none was asked for.',
  })
  amount!: Relation<MoneyType | null>;

  @Field(() => SupportContactType, { description: 'The person that support answers.' })
  contact!: Relation<SupportContactType>;

  @Field(() => SupportRequestStatus, { description: 'How far it is. `updateSupportRequest` changes it.' })
  status!: SupportRequestStatus;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was submitted, in UTC.' })
  submittedAt!: string;

  @Field({ description: 'The user principal name of the person who submitted it.' })
  submittedBy!: string;

  @Field(() => [SupportFileType], { description: 'The attached files, in the order in which they were uploaded.' })
  files!: SupportFileType[];

  @Field(() => [SupportNoteType], { description: 'The notes of those who serve it, oldest first, at most 100.' })
  notes!: SupportNoteType[];
}

/** What support requests can be ordered by. */
export const SupportRequestOrderField = { SUBMITTED_AT: 'SUBMITTED_AT' } as const;
export const SupportRequestOrder = orderInput('SupportRequest', SupportRequestOrderField, {
  SUBMITTED_AT: 'The instant at which it was submitted.',
});

@InputType('SupportRequestFilter', {
  description: 'Narrows a list of support requests. Requests must meet every condition that is given.',
})
export class SupportRequestFilter {
  @Field(() => ID, { nullable: true, description: 'Only requests on behalf of the customer with this global id.' })
  customerId?: string | null;

  @Field(() => SupportRequestStatus, { nullable: true, description: 'Only requests in this state.' })
  status?: SupportRequestStatus | null;

  @Field(() => String, { nullable: true, description: 'Only requests of this topic, word for word.' })
  topic?: string | null;
}

/** Support requests in Relay's form. */
export const SupportRequestConnection = connectionTypes(SupportRequestType, 'SupportRequest');

@ArgsType()
export class SupportRequestsArgs extends PageArgsType {
  @Field(() => SupportRequestFilter, {
    nullable: true,
    description: 'Which support requests to list; all that you may see where it is left out.',
  })
  filter?: SupportRequestFilter | null;

  @Field(() => SupportRequestOrder, {
    nullable: true,
    description: 'How to order the list; the newest comes first where it is left out.',
  })
  orderBy?: InstanceType<typeof SupportRequestOrder> | null;
}
