import { ArgsType, createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { ActivityAction, ActivityOutcome, ResourceType } from '../../activity-log/activity-action.js';
import { connectionTypes, OrderDirection, PageArgsType } from '../../graphql/connection.type.js';
import { memberOf } from '../../graphql/member.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar, UuidScalar } from '../../graphql/scalars.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderType } from '../orders/order.type.js';
import './activity-enums.type.js';
import { activityDetailTypes } from './activity-detail.type.js';

@ObjectType('ActivityActor', { description: 'The person who acted, as the token named them at the time.' })
export class ActivityActorType {
  @Field({
    description:
      "The user principal name of the person. To callers of a customer's tenant, somebody of another one is `another tenant`, and the other fields but the role are null.",
  })
  userPrincipalName!: string;

  @Field({
    description:
      'The role that allowed the action, a value of `Role`. Where the action was denied, one of the roles of the person; `OPERATOR` for who ran a command of the gateway, `PARTNER_CENTER` for who acted there.',
  })
  role!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The application that the token named; null where it named none. Downloads by link say `download link`.',
  })
  application!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The issuer of the token of the person; the tenant where the address of the issuer is that of the tenant, as with Entra ID, whose versions differ in it. Null, as the next two, in entries from before identities were kept.',
  })
  issuer!: string | null;

  @Field(() => UuidScalar, {
    nullable: true,
    description: 'The tenant that the token was from; null where it named none.',
  })
  tenantId!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The object id of the person at the issuer (`oid`, or `sub` where there is none), which stays when the name changes; null in entries from before identities were kept.',
  })
  objectId!: string | null;
}

@ObjectType('ActivityResource', { description: 'The thing that an entry of the log is about.' })
export class ActivityResourceType {
  @Field(() => ResourceType, { description: 'The kind of thing, which says how to read the id.' })
  type!: ResourceType;

  @Field(() => ID, {
    nullable: true,
    description:
      'The id of the order, entitlement, support request, SKU or reconciliation that the entry points at, for `node(id:)`; of a download link that of its entitlement. Null for a user, whom `label` names.',
  })
  nodeId!: string | null;

  @Field(() => NodeType, {
    nullable: true,
    description:
      'What `nodeId` is the id of. Null also where your roles or your tenant do not reach it, as `node(id:)` would answer.',
  })
  node!: Relation<NodeType | null>;

  @Field({ description: 'What people call the thing: an order number, a title or a name.' })
  label!: string;
}

export const ActivityDetailUnion = createUnionType({
  name: 'ActivityDetail',
  description: 'What an entry says beyond its common fields: one type for each `ActivityAction`.',
  types: () => activityDetailTypes as never,
  resolveType: memberOf,
});

@ObjectType('ActivityEntry', {
  implements: NodeType,
  description:
    'One entry of the activity log: who did what, to what, for which customer, when, and how it ended. Entries are never changed and never deleted.',
})
export class ActivityEntryType extends NodeType {
  @Field(() => DateTimeScalar, { description: 'The instant at which it was done, in UTC.' })
  at!: string;

  @Field(() => ActivityAction, { description: 'What was done; `detail` says more of it.' })
  action!: ActivityAction;

  @Field(() => ActivityOutcome, { description: 'How it ended. Denied attempts are logged too.' })
  outcome!: ActivityOutcome;

  @Field(() => ActivityActorType, { description: 'The person who did it, and in which role.' })
  actor!: Relation<ActivityActorType>;

  @Field(() => CustomerType, {
    nullable: true,
    description: 'The customer it was done for; null where it concerns no single customer.',
  })
  customer!: Relation<CustomerType | null>;

  @Field(() => OrderType, { nullable: true, description: 'The order it is about; null where it is about none.' })
  order!: Relation<OrderType | null>;

  @Field(() => ActivityResourceType, { description: 'The thing it was done to.' })
  resource!: Relation<ActivityResourceType>;

  @Field(() => [String], {
    description:
      'The ids of the products that it concerns, such as `DG7GMGF0FKZV`; an empty list where it concerns none.',
  })
  productIds!: string[];

  @Field({
    description:
      "An id that all entries of one cause share. The answer to the request that caused them has it in its header `x-correlation-id`. To callers of a customer's tenant, an entry of somebody of another one has an id of its own.",
  })
  correlationId!: string;

  @Field(() => ActivityDetailUnion, {
    description: 'What the action adds to these fields, in a type of its own for each action.',
  })
  detail!: object;
}

@InputType('ActivityFilter', {
  description: 'Narrows the activity log. Entries must meet every condition that is given.',
})
export class ActivityFilter {
  @Field(() => DateTimeScalar, { nullable: true, description: 'Only entries of this instant or later.' })
  from?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Only entries from before this instant.' })
  to?: Date | null;

  @Field(() => [ActivityAction], { nullable: true, description: 'Only entries with one of these actions.' })
  actions?: ActivityAction[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Only entries of the person with this user principal name, in either case. Names are compared as you are shown them.',
  })
  actor?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only entries of the person with this object id, as in `ActivityActor.objectId`, case as given.',
  })
  actorObjectId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only entries for the customer with this global id.' })
  customerId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only entries about the order with this global id.' })
  orderId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only entries that concern the product with this product id, such as `DG7GMGF0FKZV`.',
  })
  productId?: string | null;
}

@InputType('ActivityOrder', {
  description:
    'How the activity log is ordered. It has one order, that in which entries were committed, and two directions.',
})
export class ActivityOrder {
  @Field(() => OrderDirection, {
    description: '`ASC` has the oldest entry first, as the feed delivers them; `DESC` the newest.',
  })
  direction!: OrderDirection;
}

/** Entries in Relay's form. */
export const ActivityConnection = connectionTypes(ActivityEntryType, 'ActivityEntry', 'Activity');

@ArgsType()
export class ActivityArgs extends PageArgsType {
  @Field(() => ActivityFilter, {
    nullable: true,
    description: 'Which entries to list; all that you may see where it is left out.',
  })
  filter?: ActivityFilter | null;

  @Field(() => ActivityOrder, {
    nullable: true,
    description:
      'The direction of the log; oldest first where it is left out, so that `after` means later. Its cursors are those of the subscriptions.',
  })
  orderBy?: ActivityOrder | null;
}
