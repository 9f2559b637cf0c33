import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { JobKind } from '../../domain/job-kind.js';
import { SyncKind } from '../../domain/sync-kind.js';
import { UpstreamKind } from '../../domain/upstream.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { IntentState } from '../fulfilling/intent.entity.js';

registerEnumType(IntentState, {
  name: 'IntentState',
  description: 'How far something is that the upstream is asked to do.',
  valuesConfig: {
    REQUESTED: { description: 'It is written down, and was not sent yet.' },
    SENT: { description: 'It was sent, and waits for its answer.' },
    UNKNOWN: { description: 'It was sent and nothing was answered: it may have been done, and is looked for.' },
    DONE: { description: 'It was done, as the upstream has answered.' },
    REFUSED: { description: 'It was refused, and surely not done.' },
  },
});

@ObjectType('UpstreamSync', { description: 'How one thing fares that is read of the upstream.' })
export class UpstreamSyncType {
  @Field(() => SyncKind, { description: 'What of the upstream is read.' })
  kind!: SyncKind;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which the pass began that is under way, in UTC; null between two.',
  })
  startedAt!: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which a pass was last complete, in UTC; null before the first time.',
  })
  finishedAt!: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which something of it was last read, in UTC; null before the first time.',
  })
  succeededAt!: Date | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'How many seconds old what is here may be: since the list, or the customer that waits longest, was read. Null where nothing was read yet.',
  })
  lagSeconds!: number | null;

  @Field(() => Int, { description: 'How much the pass that is under way has read, or the last one in all.' })
  itemsRead!: number;

  @Field(() => Int, { description: 'How many readings have failed since one succeeded; 0 where all is well.' })
  failures!: number;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant of the last failure, in UTC; null where none was since one succeeded.',
  })
  failedAt!: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'What went wrong last, in words; null where nothing has since a reading succeeded.',
  })
  lastError!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'The instant since which it counts as broken, with an entry of the log, in UTC; null where it does not.',
  })
  brokenSince!: Date | null;
}

@ObjectType('UpstreamIntents', { description: 'How many things that the upstream is asked to do are in one state.' })
export class UpstreamIntentsType {
  @Field(() => JobKind, { description: 'What it is asked to do.' })
  kind!: JobKind;

  @Field(() => IntentState, { description: 'How far all of them are.' })
  state!: IntentState;

  @Field(() => Int, { description: 'How many of them there are.' })
  count!: number;

  @Field(() => DateTimeScalar, { description: 'The instant at which the oldest of them was asked for, in UTC.' })
  oldestAt!: Date;
}

@ObjectType('UpstreamFailure', { description: 'Something that went wrong with the upstream, and is not right yet.' })
export class UpstreamFailureType {
  @Field({
    description: 'What it is about: a kind of reading, the domain of a customer, or the number of an order.',
  })
  about!: string;

  @Field({ description: 'What went wrong, in words, with the id by which the upstream finds the call.' })
  problem!: string;

  @Field(() => DateTimeScalar, { description: 'The instant at which it went wrong, in UTC.' })
  at!: Date;
}

@ObjectType('Upstream', {
  description: 'The upstream behind the gateway, and how what is read of it and asked of it fares, on all gateways.',
})
export class UpstreamType {
  @Field(() => UpstreamKind, { description: 'Which upstream it is.' })
  kind!: UpstreamKind;

  @Field({ description: 'Whether it is a sandbox, in which nothing is paid for.' })
  isSandbox!: boolean;

  @Field(() => [UpstreamSyncType], { description: 'How what is read of it fares, each kind once.' })
  syncs!: UpstreamSyncType[];

  @Field(() => Int, { description: 'How many calls all gateways together may make in a minute.' })
  callsPerMinute!: number;

  @Field(() => Int, { description: 'How many of them were made in the minute that is running.' })
  callsUsed!: number;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description:
      'The instant by which somebody has to sign in again, unless the sign-in is used before, in UTC; null where nobody is signed in: entitlements are not read then.',
  })
  signInDueAt!: Date | null;

  @Field(() => Int, { description: 'How many customers it lists.' })
  customers!: number;

  @Field(() => Int, { description: 'How many of them were never read.' })
  customersNeverRead!: number;

  @Field(() => Int, { description: 'How many of them could not be read, or not wholly: `Customer.upstream.problem`.' })
  customersWithProblem!: number;

  @Field(() => [UpstreamIntentsType], { description: 'What it is asked to do, counted by kind and state.' })
  intents!: UpstreamIntentsType[];

  @Field(() => [UpstreamFailureType], {
    description: 'What went wrong last and is not right yet, the newest first, 20 at most.',
  })
  failures!: UpstreamFailureType[];
}
