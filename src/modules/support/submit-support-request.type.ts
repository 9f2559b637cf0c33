import { IsIn, IsOptional, ValidateNested } from 'class-validator';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { supportTopics } from '../../domain/support-topics.js';
import { IsIdempotencyKey, IsLine, IsMailAddress, IsPhone, IsText } from '../../graphql/input-rules.js';
import { MoneyInput } from '../../graphql/money.type.js';
import { resultMember } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { IdempotencyKeyReused, RequestInProgress } from '../access/idempotency.js';
import { CustomerNotFound } from '../customers/find-customer.js';
import { OrderNotFound } from '../orders/find-order.js';
import { SupportImpact } from './support-request.entity.js';
import { SupportRequestType } from './support-request.type.js';

@InputType('ContactInput', { description: 'The person that support answers.' })
export class ContactInput {
  @Field({ description: 'The name of the person, in 1 to 200 characters.' })
  @IsLine(1, 200)
  name!: string;

  @Field({ description: 'The e-mail address of the person.' })
  @IsMailAddress()
  email!: string;

  @Field({
    description:
      "The telephone number of the person, as people write it: with its country code, such as `+1 425 555 0100`, or as it is dialled in the customer's country, such as `(425) 555-0100 ext. 5`.",
  })
  @IsPhone()
  phone!: string;
}

@InputType('SubmitSupportRequestInput', { description: 'What to ask of support, on behalf of which customer.' })
export class SubmitSupportRequestInput {
  @Field({
    description:
      'A key that you make up for each request, 1 to 255 visible ASCII characters such as a UUID. The same key with the same input answers the first success again and asks nothing twice. It is kept for 45 days; a refusal leaves it free.',
  })
  @IsIdempotencyKey()
  idempotencyKey!: string;

  @Field(() => ID, { description: 'The global id of the customer on whose behalf you ask.' })
  customerId!: string;

  @Field(() => ID, { nullable: true, description: 'The global id of the order that it is about, if it is about one.' })
  orderId?: string | null;

  @Field({ description: 'What it is about, word for word one of `supportTopics`.' })
  @IsIn([...supportTopics], { message: `must be one of: ${supportTopics.join('; ')}` })
  topic!: string;

  @Field(() => SupportImpact, { description: 'How much the problem gets in the way of work.' })
  impact!: SupportImpact;

  @Field({ description: 'The problem in one line, in 1 to 200 characters.' })
  @IsLine(1, 200)
  title!: string;

  @Field({ description: 'The problem in full, in 1 to 10000 characters.' })
  @IsText(1, 10_000)
  description!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Why money should be given back, in one line of 1 to 1000 characters.',
  })
  @IsOptional()
  @IsLine(1, 1_000)
  refundReason?: string | null;

  @Field(() => MoneyInput, { nullable: true, description: 'How much money should be given back.' })
  @IsOptional()
  @ValidateNested()
  amount?: Relation<MoneyInput | null>;

  @Field(() => ContactInput, { description: 'The person that support answers.' })
  @ValidateNested()
  contact!: Relation<ContactInput>;
}

@ObjectType('SubmitSupportRequestSuccess', {
  description: 'Returned when the request was submitted. Files can be attached to it for a day.',
})
export class SubmitSupportRequestSuccess {
  @Field(() => SupportRequestType, { description: 'The request as it was submitted.' })
  supportRequest!: object;

  @Field(() => String, {
    nullable: true,
    description:
      'The address to POST files to as `multipart/form-data`, within 24 hours: up to 10 of 10 MiB each, as PDF, PNG, JPEG, plain text or CSV. Null where files cannot be attached.',
  })
  uploadUrl!: string | null;
}

export const SubmitSupportRequestResult = createUnionType({
  name: 'SubmitSupportRequestResult',
  description: 'The answer of `submitSupportRequest`: its success or the reason why not.',
  types: () =>
    [SubmitSupportRequestSuccess, CustomerNotFound, OrderNotFound, IdempotencyKeyReused, RequestInProgress] as const,
  resolveType: resultMember('SubmitSupportRequestSuccess'),
});
