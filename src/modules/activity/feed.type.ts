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
      'You have been sent everything up to here. Keep the cursor, and hand it to `after` to go on from here, on any gateway.',
  })
  cursor!: string;
}

@ObjectType('ActivityRecorded', {
  implements: FeedMessageType,
  description: 'A new entry of the activity log, or an old one while the stream replays.',
})
export class ActivityRecorded extends FeedMessageType {
  @Field(() => ActivityEntryType, { description: 'The entry as `Query.activity` has it.' })
  entry!: Relation<ActivityEntryType>;
}

@ObjectType('CancellationConfirmed', {
  implements: FeedMessageType,
  description: 'Fulfilment confirmed a cancellation: its keys and links are revoked and the credit is booked.',
})
export class CancellationConfirmed extends FeedMessageType {
  @Field(() => DateTimeScalar, { description: 'The instant at which fulfilment confirmed it, in UTC.' })
  at!: Date;

  @Field(() => CancellationType, { description: 'The cancellation, with its order and its credit.' })
  cancellation!: Relation<CancellationType>;
}

@ObjectType('FeedCaughtUp', {
  implements: FeedMessageType,
  description: 'Everything until now has been replayed: what follows is live.',
})
export class FeedCaughtUp extends FeedMessageType {}

@ObjectType('FeedCheckpoint', {
  implements: FeedMessageType,
  description:
    'Nothing passed your filter for a while, but the log went on: resume here rather than at your last entry, so that less is read again.',
})
export class FeedCheckpoint extends FeedMessageType {}

@ObjectType('FeedDraining', {
  implements: FeedMessageType,
  description:
    'This gateway is about to stop, and closes the connection. Connect again, to any gateway, and resume here.',
})
export class FeedDraining extends FeedMessageType {}

@ObjectType('AccessChanged', {
  implements: FeedMessageType,
  description: 'Your access was revoked, and the stream ends. Nothing that was committed afterwards has been sent.',
})
export class AccessChanged extends FeedMessageType {
  @Field({ description: 'What happened and what to do, as one English sentence for people.' })
  message!: string;
}

export const ActivityFeedMessage = createUnionType({
  name: 'ActivityFeedMessage',
  description: 'A message of `Subscription.activity`. New kinds of message may join.',
  types: () => [ActivityRecorded, FeedCaughtUp, FeedCheckpoint, FeedDraining, AccessChanged] as const,
  resolveType,
});

export const CancellationFeedMessage = createUnionType({
  name: 'CancellationFeedMessage',
  description: 'A message of `Subscription.cancellationConfirmed`. New kinds of message may join.',
  types: () => [CancellationConfirmed, FeedCaughtUp, FeedCheckpoint, FeedDraining, AccessChanged] as const,
  resolveType,
});
