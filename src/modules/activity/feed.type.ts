import { createUnionType, Field, ObjectType } from 'type-graphql';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { CancellationType } from '../orders/order.type.js';
import { ActivityEntryType } from './activity.type.js';

const CURSOR = 'Where to resume: hand it to `after`.';

@ObjectType('ActivityRecorded', { description: 'An entry of the activity log.' })
export class ActivityRecorded {
  @Field({ description: CURSOR })
  cursor!: string;

  @Field(() => ActivityEntryType, { description: 'The entry.' })
  entry!: Relation<ActivityEntryType>;
}

@ObjectType('CancellationConfirmed', {
  description: 'A cancellation was confirmed: keys and links are dead, the credit is booked.',
})
export class CancellationConfirmed {
  @Field({ description: CURSOR })
  cursor!: string;

  @Field(() => DateTimeScalar, { description: 'When.' })
  at!: Date;

  @Field(() => CancellationType, { description: 'The cancellation.' })
  cancellation!: Relation<CancellationType>;
}

@ObjectType('FeedCaughtUp', { description: 'Replay is over: what follows is live.' })
export class FeedCaughtUp {
  @Field({ description: CURSOR })
  cursor!: string;
}

@ObjectType('FeedCheckpoint', {
  description: 'Nothing for you in a while; the log went on. Resume here, not at your last entry.',
})
export class FeedCheckpoint {
  @Field({ description: CURSOR })
  cursor!: string;
}

@ObjectType('FeedDraining', { description: 'This gateway stops. Connect again, to any, and resume here.' })
export class FeedDraining {
  @Field({ description: CURSOR })
  cursor!: string;
}

@ObjectType('AccessChanged', { description: 'Your access was revoked: the stream ends.' })
export class AccessChanged {
  @Field({ description: 'In words.' })
  message!: string;
}

const resolveType = (message: object) => (message as { __typename: string }).__typename;

export const ActivityFeedMessage = createUnionType({
  name: 'ActivityFeedMessage',
  description: 'What the activity feed says.',
  types: () => [ActivityRecorded, FeedCaughtUp, FeedCheckpoint, FeedDraining, AccessChanged] as const,
  resolveType,
});

export const CancellationFeedMessage = createUnionType({
  name: 'CancellationFeedMessage',
  description: 'What the feed of confirmed cancellations says.',
  types: () => [CancellationConfirmed, FeedCaughtUp, FeedCheckpoint, FeedDraining, AccessChanged] as const,
  resolveType,
});
