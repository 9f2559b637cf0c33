import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, ID, Info, Resolver, Root, Subscription } from 'type-graphql';
import { ACCESS_REVOKED } from '../../auth/revocations.js';
import type { Context } from '../../context/context.js';
import type { FeedMessage } from '../../feed/delivery/feed-message.js';
import { openFeedSubscription } from '../../feed/delivery/subscription.js';
import { idOf } from '../../graphql/id-of.js';
import { ActivityFilter } from './activity.type.js';
import { ActivityFeedMessage, ActivityRecorded, CancellationConfirmed, CancellationFeedMessage } from './feed.type.js';

const AFTER =
  'The last cursor that you had, from here or from `Query.activity`: everything after it comes first, then the stream is live. Without it the stream begins now.';

/** A message as its GraphQL type; `entryType` is that of an entry. */
function toGraphQL(message: FeedMessage, entryType: 'ActivityRecorded' | 'CancellationConfirmed') {
  if (message.type === 'entry')
    return {
      __typename: entryType,
      cursor: message.cursor,
      at: new Date(message.entry.at),
      entryId: message.entry.id,
      cancellationId: message.entry.cancellationId,
    };
  const { type, cursor } = message;
  return type === 'AccessChanged'
    ? { __typename: type, cursor, message: ACCESS_REVOKED }
    : { __typename: type, cursor };
}

@Resolver(() => ActivityRecorded)
export class ActivityFeedResolver {
  @Subscription(() => ActivityFeedMessage, {
    description:
      "The activity log as it grows: history and live in one stream, in commit order, no entry missed. An entry may come twice after a reconnection; its cursor tells. Callers of a customer's tenant hear of that customer only.",
    subscribe: (async ({
      args,
      context,
    }: {
      args: { after?: string | null; filter?: ActivityFilter | null };
      context: Context;
    }) => {
      const filter = args.filter ?? {};
      return openFeedSubscription(context.services, context, context.resumeAfter ?? args.after ?? null, {
        ...filter,
        customerId: filter.customerId != null ? idOf('Customer', filter.customerId, 'filter.customerId') : null,
        orderId: filter.orderId != null ? idOf('Order', filter.orderId, 'filter.orderId') : null,
      });
    }) as never,
  })
  activity(
    @Root() message: FeedMessage,
    @Arg('after', () => String, { nullable: true, description: AFTER }) _after?: string | null,
    @Arg('filter', () => ActivityFilter, {
      nullable: true,
      description: 'Which entries to send; all that you may see where it is left out.',
    })
    _filter?: ActivityFilter | null,
  ) {
    return toGraphQL(message, 'ActivityRecorded');
  }

  @FieldResolver()
  entry(@Root() recorded: { entryId: string }, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.load('ActivityEntry', recorded.entryId, info);
  }
}

@Resolver(() => CancellationConfirmed)
export class CancellationFeedResolver {
  @Subscription(() => CancellationFeedMessage, {
    description:
      "Cancellations as fulfilment confirms them, with the same delivery as `activity`. Callers of a customer's tenant hear of that customer only.",
    subscribe: (async ({
      args,
      context,
    }: {
      args: { after?: string | null; customerId?: string | null };
      context: Context;
    }) =>
      openFeedSubscription(context.services, context, context.resumeAfter ?? args.after ?? null, {
        actions: ['CANCELLATION_CONFIRMED'],
        customerId: args.customerId != null ? idOf('Customer', args.customerId, 'customerId') : null,
      })) as never,
  })
  cancellationConfirmed(
    @Root() message: FeedMessage,
    @Arg('after', () => String, { nullable: true, description: AFTER }) _after?: string | null,
    @Arg('customerId', () => ID, {
      nullable: true,
      description: 'Only cancellations of the customer with this global id.',
    })
    _customerId?: string | null,
  ) {
    return toGraphQL(message, 'CancellationConfirmed');
  }

  @FieldResolver()
  cancellation(
    @Root() confirmed: { cancellationId: string },
    @Ctx() { read }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    return read.load('Cancellation', confirmed.cancellationId, info);
  }
}
