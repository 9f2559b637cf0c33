import { IsOptional } from 'class-validator';
import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { IsIdempotencyKey, IsText } from '../../graphql/input-rules.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import { IdempotencyKeyReused, RequestInProgress } from '../access/idempotency.js';
import { SupportRequestStatus } from './support-request.entity.js';
import { SupportRequestType } from './support-request.type.js';
import { SupportRequestNotFound, SupportStatusNotReachable, TooManyNotes } from './update-support-request.js';

problemType(
  SupportRequestNotFound,
  'Returned when there is no support request with the id, or none that you may see: both look the same.',
);
problemType(
  SupportStatusNotReachable,
  'Returned when a support request does not go from its state to the one that was asked for; `reachable` lists those that it goes to.',
  {
    status: { type: () => SupportRequestStatus, description: 'The state that the request is in.' },
    reachable: { type: () => [SupportRequestStatus], description: 'The states that it can go to from there.' },
  },
);
problemType(TooManyNotes, 'Returned when the support request has 100 notes already.');

@InputType('UpdateSupportRequestInput', {
  description: 'What to change of a support request: its state, or a note that is added to it, or both.',
})
export class UpdateSupportRequestInput {
  @Field({
    description:
      'A key that you make up for each change, 1 to 255 visible ASCII characters such as a UUID. The same key with the same input answers the first success again and changes nothing twice. It is kept for 45 days; a refusal leaves it free.',
  })
  @IsIdempotencyKey()
  idempotencyKey!: string;

  @Field(() => ID, { description: 'The global id of the support request.' })
  supportRequestId!: string;

  @Field(() => SupportRequestStatus, {
    nullable: true,
    description: 'The state that it is to be in; it stays in its state where this is left out.',
  })
  status?: SupportRequestStatus | null;

  @Field(() => String, { nullable: true, description: 'A note to add to it, in 1 to 10000 characters.' })
  @IsOptional()
  @IsText(1, 10_000)
  note?: string | null;
}

@ObjectType('UpdateSupportRequestSuccess', { description: 'Returned when the support request was changed.' })
export class UpdateSupportRequestSuccess {
  @Field(() => SupportRequestType, { description: 'The request as it is now.' })
  supportRequest!: object;
}

export const UpdateSupportRequestResult = createUnionType({
  name: 'UpdateSupportRequestResult',
  description: 'The answer of `updateSupportRequest`: its success or the reason why not.',
  types: () =>
    [
      UpdateSupportRequestSuccess,
      SupportRequestNotFound,
      SupportStatusNotReachable,
      TooManyNotes,
      IdempotencyKeyReused,
      RequestInProgress,
    ] as const,
  resolveType: resultMember('UpdateSupportRequestSuccess'),
});
