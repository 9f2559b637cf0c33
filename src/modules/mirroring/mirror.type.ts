import { Field, Int, ObjectType } from 'type-graphql';
import { DateTimeScalar, UuidScalar } from '../../graphql/scalars.js';

@ObjectType('UpstreamCustomer', { description: 'A customer as the upstream lists them.' })
export class UpstreamCustomerType {
  @Field(() => DateTimeScalar, { description: 'The instant at which the upstream listed them last, in UTC.' })
  seenAt!: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant since which the upstream lists them no more, in UTC; null where it does.',
  })
  goneAt!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which their orders and licences were last read, in UTC; null before the first time.',
  })
  readAt!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'What they are to the partner, in the words of the upstream, such as `reseller`; null where it does not say.',
  })
  relationship!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why what they have could not be read, or not all of it; null where it could.',
  })
  problem!: string | null;
}

@ObjectType('UpstreamLine', { description: 'The line of an order of the upstream that an order line here is.' })
export class UpstreamLineType {
  @Field({ description: 'The id of the order in the upstream. Case counts.' })
  upstreamOrderId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The short id of that order, as invoices name it; null where it has none.',
  })
  alternateId!: string | null;

  @Field(() => Int, { description: 'The number of the line in that order.' })
  lineNumber!: number;

  @Field(() => UuidScalar, {
    nullable: true,
    description: 'The id of the subscription that the line has become; null where it has become none.',
  })
  subscriptionId!: string | null;

  @Field({ description: 'The state of the order, or of the subscription, in the words of the upstream.' })
  state!: string;

  @Field({
    description:
      'Whether it came here by the mirror: nothing is charged for it here. False where it was bought through the gateway.',
  })
  isMirrored!: boolean;

  @Field({ description: 'Whether the upstream says what it costs; where it does not, its price here is 0.' })
  isPriced!: boolean;

  @Field(() => DateTimeScalar, { description: 'The instant at which the upstream was last seen to have it, in UTC.' })
  seenAt!: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant since which the upstream has it no more, in UTC; null where it has.',
  })
  goneAt!: string | null;
}
