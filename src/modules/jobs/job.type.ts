import { ArgsType, createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { JobKind, JobState } from '../../domain/job-kind.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { IsLine } from '../../graphql/input-rules.js';
import { NodeType } from '../../graphql/node.type.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { OrderType } from '../orders/order.type.js';
import { JobMayBeDone, JobNotFound, JobRunning } from './retry-job.js';

registerEnumType(JobKind, {
  name: 'JobKind',
  description: 'What the provider is asked for by a job.',
  valuesConfig: {
    PURCHASE: { description: 'The provider is asked to fulfil an order.' },
    CANCELLATION: { description: 'The provider is asked to cancel lines of an order.' },
  },
});
registerEnumType(JobState, {
  name: 'JobState',
  description: 'How far a job is. One that is done is no longer listed.',
  valuesConfig: {
    WAITING: { description: 'It waits for its first attempt.' },
    RUNNING: { description: 'A gateway asks the provider just now.' },
    RETRYING: { description: 'Its last attempt failed, and it waits for the next one.' },
    FAILED: { description: 'Its attempts are used up: it waits until somebody begins it anew or gives it up.' },
  },
});
problemType(JobNotFound, 'Returned when there is no such job, or no longer: it is done, or was given up.');
problemType(JobRunning, 'Returned when the job is being attempted just now.');
problemType(
  JobMayBeDone,
  'Returned when Partner Center has done what the job is about, or may have, because an attempt got no answer: the job goes on.',
  {
    isDone: {
      type: () => Boolean,
      description: 'True where it is known to be done; its next attempt writes that down.',
    },
  },
);

@ObjectType('Job', {
  implements: NodeType,
  description: 'Work that waits for the provider: a purchase or a cancellation that it has not answered yet.',
})
export class JobType extends NodeType {
  @Field(() => JobKind, { description: 'What the provider is asked for.' })
  kind!: JobKind;

  @Field(() => JobState, { description: 'How far the job is on its way to an answer of the provider.' })
  state!: JobState;

  @Field(() => OrderType, { description: 'The order that it is about.' })
  order!: Relation<OrderType>;

  @Field(() => Int, { description: 'How many attempts have begun.' })
  attempts!: number;

  @Field(() => Int, { description: 'The number of attempts after which it waits for an operator.' })
  maximumAttempts!: number;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was enqueued, in UTC.' })
  enqueuedAt!: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant from which its next attempt may begin, in UTC; null while one runs and after the last.',
  })
  nextAttemptAt!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which its latest attempt began, in UTC; null before the first.',
  })
  startedAt!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which its last attempt failed, in UTC; null before that.',
  })
  failedAt!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What went wrong in its latest attempt that failed; null where none did.',
  })
  lastError!: string | null;
}

/** What jobs can be ordered by. */
export const JobOrderField = { ENQUEUED_AT: 'ENQUEUED_AT' } as const;
export const JobOrder = orderInput('Job', JobOrderField, {
  ENQUEUED_AT: 'The instant at which it was enqueued.',
});

@InputType('JobFilter', { description: 'Narrows a list of jobs. Jobs must meet every condition that is given.' })
export class JobFilter {
  @Field(() => [JobKind], { nullable: true, description: 'Only jobs of one of these kinds.' })
  kinds?: JobKind[] | null;

  @Field(() => [JobState], { nullable: true, description: 'Only jobs in one of these states.' })
  states?: JobState[] | null;
}

/** Jobs in Relay's form. */
export const JobConnection = connectionTypes(JobType, 'Job');

@ArgsType()
export class JobsArgs extends PageArgsType {
  @Field(() => JobFilter, { nullable: true, description: 'Which jobs to list; all that wait where it is left out.' })
  filter?: JobFilter | null;

  @Field(() => JobOrder, {
    nullable: true,
    description: 'How to order the list; what has waited longest comes first where it is left out.',
  })
  orderBy?: InstanceType<typeof JobOrder> | null;
}

@InputType('RetryJobInput', { description: 'Which job is to begin at once.' })
export class RetryJobInput {
  @Field(() => ID, { description: 'The global id of the job, as in `Job.id`.' })
  jobId!: string;
}

@InputType('GiveUpJobInput', { description: 'Which job is given up, and why.' })
export class GiveUpJobInput {
  @Field(() => ID, { description: 'The global id of the job, as in `Job.id`.' })
  jobId!: string;

  @Field({
    description:
      'Why it is given up, in one line of 1 to 1000 characters. Whoever waits reads it as the reason of a refusal.',
  })
  @IsLine(1, 1_000)
  reason!: string;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'True where you have looked in Partner Center and what the job is about is not done there. Needed where an attempt got no answer: else `JobMayBeDone` is answered and the job goes on.',
  })
  notDone?: boolean | null;
}

@ObjectType('RetryJobSuccess', {
  description: 'Returned when the job begins at once; after its last attempt it gets one more.',
})
export class RetryJobSuccess {
  @Field(() => OrderType, { description: 'The order that the job is about.' })
  order!: object;
}

@ObjectType('GiveUpJobSuccess', {
  description: 'Returned when the job is gone, and what it was about is refused.',
})
export class GiveUpJobSuccess {
  @Field(() => OrderType, { description: 'The order that the job was about.' })
  order!: object;
}

export const RetryJobResult = createUnionType({
  name: 'RetryJobResult',
  description: 'The answer of `retryJob`: its success or the reason why not.',
  types: () => [RetryJobSuccess, JobNotFound, JobRunning] as const,
  resolveType: resultMember('RetryJobSuccess'),
});

export const GiveUpJobResult = createUnionType({
  name: 'GiveUpJobResult',
  description: 'The answer of `giveUpJob`: its success or the reason why not.',
  types: () => [GiveUpJobSuccess, JobNotFound, JobRunning, JobMayBeDone] as const,
  resolveType: resultMember('GiveUpJobSuccess'),
});
