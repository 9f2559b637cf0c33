import { Field, ID, Int, ObjectType } from 'type-graphql';
import { JobKind } from '../../domain/job-kind.js';

const JOB = 'The global id of the job. One that is done, or was given up, is no longer listed.';
const ORDER = 'The number of the order that it is about. It is its `Order.number`.';
const ATTEMPTS = 'How many attempts had begun.';

@ObjectType('JobRetriedDetail', { description: 'What an entry of action `JOB_RETRIED` says of the job.' })
class JobRetriedDetail {
  @Field(() => ID, { description: JOB })
  jobId!: string;

  @Field(() => JobKind, { description: 'What the provider is asked for.' })
  jobKind!: JobKind;

  @Field({ description: ORDER })
  orderNumber!: string;

  @Field(() => Int, { description: ATTEMPTS })
  attempts!: number;
}

@ObjectType('JobGivenUpDetail', { description: 'What an entry of action `JOB_GIVEN_UP` says of the job.' })
class JobGivenUpDetail {
  @Field(() => ID, { description: JOB })
  jobId!: string;

  @Field(() => JobKind, { description: 'What the provider was asked for.' })
  jobKind!: JobKind;

  @Field({ description: ORDER })
  orderNumber!: string;

  @Field(() => Int, { description: ATTEMPTS })
  attempts!: number;

  // Nullable like every `reason` of a detail: whoever selects several of them could not merge them else.
  @Field(() => String, {
    nullable: true,
    description: 'The reason that was given: what the job was about is refused for it. It is never null today.',
  })
  reason!: string | null;

  @Field({
    description:
      'True where the operator said that the provider has not done it, as is needed where an attempt got no answer.',
  })
  isNotDone!: boolean;
}

/** Details of entries about jobs. */
export const jobDetailTypes = [JobRetriedDetail, JobGivenUpDetail];
