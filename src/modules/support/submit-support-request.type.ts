import { IsIn, IsOptional, ValidateNested } from 'class-validator';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { supportTopics } from '../../domain/support-topics.js';
import { IsIdempotencyKey, IsMailAddress, IsPhone, IsText } from '../../graphql/input-rules.js';
import { MoneyInput } from '../../graphql/money.type.js';
import { resultMember } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { IdempotencyKeyReused, RequestInProgress } from '../access/idempotency.js';
import { CustomerNotFound } from '../customers/find-customer.js';
import { OrderNotFound } from '../orders/find-order.js';
import { SupportImpact } from './support-request.entity.js';
import { SupportRequestType } from './support-request.type.js';

@InputType('ContactInput', { description: 'Whom support answers.' })
export class ContactInput {
  @Field({ description: 'Name.' })
  @IsText(1, 200)
  name!: string;

  @Field({ description: 'E-mail address.' })
  @IsMailAddress()
  email!: string;

  @Field({ description: 'Telephone number.' })
  @IsPhone()
  phone!: string;
}

@InputType('SubmitSupportRequestInput', { description: 'What to ask support.' })
export class SubmitSupportRequestInput {
  @Field({ description: 'Made by you, one per request (rule 5). A refusal leaves it free.' })
  @IsIdempotencyKey()
  idempotencyKey!: string;

  @Field(() => ID, { description: 'On whose behalf.' })
  customerId!: string;

  @Field(() => ID, { nullable: true, description: 'About which order.' })
  orderId?: string | null;

  @Field({ description: 'One of `supportTopics`.' })
  @IsIn([...supportTopics], { message: `must be one of: ${supportTopics.join('; ')}` })
  topic!: string;

  @Field(() => SupportImpact, { description: 'How badly it hurts.' })
  impact!: SupportImpact;

  @Field({ description: 'In a line: 1 to 200 characters.' })
  @IsText(1, 200)
  title!: string;

  @Field({ description: 'In full: 1 to 10000 characters.' })
  @IsText(1, 10_000)
  description!: string;

  @Field(() => String, { nullable: true, description: 'Why money should be given back: 1 to 1000 characters.' })
  @IsOptional()
  @IsText(1, 1_000)
  refundReason?: string | null;

  @Field(() => MoneyInput, { nullable: true, description: 'How much should be given back.' })
  @IsOptional()
  @ValidateNested()
  amount?: Relation<MoneyInput | null>;

  @Field(() => ContactInput, { description: 'Whom support answers.' })
  @ValidateNested()
  contact!: Relation<ContactInput>;
}

@ObjectType('SubmitSupportRequestSuccess', { description: 'Support was asked.' })
export class SubmitSupportRequestSuccess {
  @Field(() => SupportRequestType, { description: 'The request.' })
  supportRequest!: object;

  @Field(() => String, {
    nullable: true,
    description:
      'POST files here as multipart/form-data, within a day: up to 10 of 10 MiB, PDF, PNG, JPEG, text or CSV.',
  })
  uploadUrl!: string | null;
}

export const SubmitSupportRequestResult = createUnionType({
  name: 'SubmitSupportRequestResult',
  description: 'What became of asking support.',
  types: () =>
    [SubmitSupportRequestSuccess, CustomerNotFound, OrderNotFound, IdempotencyKeyReused, RequestInProgress] as const,
  resolveType: resultMember('SubmitSupportRequestSuccess'),
});
