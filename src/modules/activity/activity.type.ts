import { ArgsType, createUnionType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { ActivityAction, ActivityOutcome, ResourceType } from '../../activity-log/activity-action.js';
import { Auth } from '../../auth/auth.js';
import { activityReaders, orderReaders } from '../../auth/role-sets.js';
import { connectionTypes, OrderDirection, PageArgsType } from '../../graphql/connection.type.js';
import { memberOf } from '../../graphql/member.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderType } from '../orders/order.type.js';
import { activityDetailTypes } from './activity-detail.type.js';

registerEnumType(ActivityAction, {
  name: 'ActivityAction',
  description: 'What was done. Grows with the product.',
  valuesConfig: {
    ORDER_PLACED: { description: 'Somebody bought.' },
    CANCELLATION_REQUESTED: { description: 'Somebody asked to cancel.' },
    CANCELLATION_CONFIRMED: { description: 'Fulfilment cancelled: keys and links are dead, the credit is booked.' },
    CANCELLATION_REFUSED: { description: 'Fulfilment refused to cancel.' },
    PRODUCT_KEY_REVEALED: { description: 'Somebody read a product key.' },
    DOWNLOAD_LINK_CREATED: { description: 'Somebody had a download link made.' },
    SOFTWARE_DOWNLOADED: { description: 'A download link was used.' },
    SUPPORT_REQUEST_SUBMITTED: { description: 'Somebody asked support.' },
    ACCESS_REVOKED: { description: "A user's access was revoked." },
    ACCESS_DENIED: { description: 'Somebody tried for a key or a link without the right to it (rule 9).' },
  },
});
registerEnumType(ActivityOutcome, {
  name: 'ActivityOutcome',
  description: 'How it ended.',
  valuesConfig: {
    SUCCEEDED: { description: 'It was done.' },
    FAILED: { description: 'It could not be done.' },
    DENIED: { description: 'It was refused.' },
  },
});
registerEnumType(ResourceType, {
  name: 'ActivityResourceType',
  description: 'What kind of thing an entry is about.',
  valuesConfig: {
    ORDER: { description: 'An order.' },
    ENTITLEMENT: { description: 'An entitlement.' },
    DOWNLOAD_LINK: { description: 'A download link.' },
    SUPPORT_REQUEST: { description: 'A support request.' },
    USER: { description: 'A user.' },
  },
});

@ObjectType('ActivityActor', { description: 'Who acted.' })
export class ActivityActorType {
  @Field({ description: 'User principal name.' })
  userPrincipalName!: string;

  @Field({ description: 'In which role.' })
  role!: string;

  @Field(() => String, { nullable: true, description: 'By which application, where the token named one.' })
  application!: string | null;
}

@ObjectType('ActivityResource', { description: 'What an entry is about.' })
export class ActivityResourceType {
  @Field(() => ResourceType, { description: 'What kind of thing.' })
  type!: ResourceType;

  @Field(() => ID, {
    nullable: true,
    description:
      'The id of the order, entitlement or support request that the entry points at, for `node(id:)`; of a download link that of its entitlement. Null for a user, whom `label` names.',
  })
  nodeId!: string | null;

  @Field(() => NodeType, {
    nullable: true,
    description:
      'What `nodeId` is the id of. Null also where your roles or your tenant do not reach it, as `node(id:)` would answer.',
  })
  @Auth(...orderReaders)
  node!: Relation<NodeType | null>;

  @Field({ description: 'What people call it: an order number, a title, a name.' })
  label!: string;
}

export const ActivityDetailUnion = createUnionType({
  name: 'ActivityDetail',
  description: 'More of what was done: one shape per action.',
  types: () => activityDetailTypes as never,
  resolveType: memberOf,
});

@ObjectType('ActivityEntry', {
  implements: NodeType,
  description: `Who did what (rule 22). Never changed, never deleted. For ${activityReaders.join(', ')}.`,
})
@Auth(...activityReaders)
export class ActivityEntryType extends NodeType {
  @Field(() => DateTimeScalar, { description: 'When.' })
  at!: string;

  @Field(() => ActivityAction, { description: 'What was done.' })
  action!: ActivityAction;

  @Field(() => ActivityOutcome, { description: 'How it ended.' })
  outcome!: ActivityOutcome;

  @Field(() => ActivityActorType, { description: 'Who acted.' })
  actor!: Relation<ActivityActorType>;

  @Field(() => CustomerType, { nullable: true, description: 'For which customer.' })
  customer!: Relation<CustomerType | null>;

  @Field(() => OrderType, { nullable: true, description: 'About which order. For those who read orders.' })
  order!: Relation<OrderType | null>;

  @Field(() => ActivityResourceType, { description: 'To which resource.' })
  resource!: Relation<ActivityResourceType>;

  @Field(() => [String], { description: 'Product ids that it concerns.' })
  productIds!: string[];

  @Field({ description: 'The same for all entries of one cause, and in the answer header `x-correlation-id`.' })
  correlationId!: string;

  @Field(() => ActivityDetailUnion, { description: 'More of what was done.' })
  detail!: object;
}

@InputType('ActivityFilter', { description: 'Which entries. All that is given must hold.' })
export class ActivityFilter {
  @Field(() => DateTimeScalar, { nullable: true, description: 'At or after.' })
  from?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Before.' })
  to?: Date | null;

  @Field(() => [ActivityAction], { nullable: true, description: 'One of these was done.' })
  actions?: ActivityAction[] | null;

  @Field(() => String, { nullable: true, description: 'By this user principal name, in any case.' })
  actor?: string | null;

  @Field(() => ID, { nullable: true, description: 'For this customer.' })
  customerId?: string | null;

  @Field(() => ID, { nullable: true, description: 'About this order.' })
  orderId?: string | null;

  @Field(() => String, { nullable: true, description: 'About this product: `DG7GMGF0FKZV`.' })
  productId?: string | null;
}

@InputType('ActivityOrder', {
  description: 'Which way the log runs. It has one order: that in which it was committed.',
})
export class ActivityOrder {
  @Field(() => OrderDirection, { description: 'ASC: oldest first, as the feed delivers it. DESC: newest first.' })
  direction!: OrderDirection;
}

/** Entries in Relay's form. */
export const ActivityConnection = connectionTypes(ActivityEntryType, 'ActivityEntry', 'Activity');

@ArgsType()
export class ActivityArgs extends PageArgsType {
  @Field(() => ActivityFilter, { nullable: true, description: 'Which entries.' })
  filter?: ActivityFilter | null;

  @Field(() => ActivityOrder, {
    nullable: true,
    description: 'Which way; oldest first where left out, so that `after` means later. Cursors are those of the feed.',
  })
  orderBy?: ActivityOrder | null;
}
