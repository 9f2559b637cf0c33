import { createUnionType, Field, InterfaceType, ObjectType } from 'type-graphql';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { CancellationType } from '../orders/order.type.js';
import { ActivityEntryType } from './activity.type.js';

const resolveType = (message: object) => (message as { __typename: string }).__typename;

/** What all messages of the feeds have in common. */
@InterfaceType('FeedMessage', {
  description:
    'A message of a feed. Select `... on FeedMessage { cursor }` to have the cursor of each, whatever else it says; new kinds of message may join.',
  resolveType,
})
export abstract class FeedMessageType {
  @Field({
    description:
      'Everything up to here has been said to you. Keep it, and hand it to `after` to go on from here, on any gateway.',
  })
  cursor!: string;
}

@ObjectType('ActivityRecorded', { implements: FeedMessageType, description: 'An entry of the activity log.' })
export class ActivityRecorded extends FeedMessageType {
  @Field(() => ActivityEntryType, { description: 'The entry.' })
  entry!: Relation<ActivityEntryType>;
}

@ObjectType('CancellationConfirmed', {
  implements: FeedMessageType,
  description: 'A cancellation was confirmed: keys and links are dead, the credit is booked.',
})
export class CancellationConfirmed extends FeedMessageType {
  @Field(() => DateTimeScalar, { description: 'When.' })
  at!: Date;

  @Field(() => CancellationType, { description: 'The cancellation.' })
  cancellation!: Relation<CancellationType>;
}

@ObjectType('FeedCaughtUp', { implements: FeedMessageType, description: 'Replay is over: what follows is live.' })
export class FeedCaughtUp extends FeedMessageType {}

@ObjectType('FeedCheckpoint', {
  implements: FeedMessageType,
  description: 'Nothing for you in a while; the log went on. Resume here, not at your last entry.',
})
export class FeedCheckpoint extends FeedMessageType {}

@ObjectType('FeedDraining', {
  implements: FeedMessageType,
  description: 'This gateway stops. Connect again, to any, and resume here.',
})
export class FeedDraining extends FeedMessageType {}

@ObjectType('AccessChanged', { implements: FeedMessageType, description: 'Your access was revoked: the stream ends.' })
export class AccessChanged extends FeedMessageType {
  @Field({ description: 'In words.' })
  message!: string;
}

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
