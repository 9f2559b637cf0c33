import { Field, Int, ObjectType } from 'type-graphql';
import { MoneyType } from '../../graphql/money.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { fileDetailTypes } from './file-detail.type.js';
import { jobDetailTypes } from './job-detail.type.js';
import { supportDetailTypes } from './support-detail.type.js';
import { upstreamDetailTypes } from './upstream-detail.type.js';

@ObjectType('OrderPlacedDetail', { description: 'What an entry of action `ORDER_PLACED` says of the purchase.' })
class OrderPlacedDetail {
  @Field({ description: 'The number of the order. It is its `Order.number`.' })
  orderNumber!: string;

  @Field(() => Int, { description: 'How many lines the order has.' })
  lineCount!: number;

  @Field(() => MoneyType, { nullable: true, description: 'The sum of all lines as bought.' })
  total!: Relation<MoneyType | null>;
}

@ObjectType('OrderConfirmedDetail', {
  description: 'What an entry of action `ORDER_CONFIRMED` says of the purchase.',
})
class OrderConfirmedDetail {
  @Field({ description: 'The number of the order. It is its `Order.number`.' })
  orderNumber!: string;

  @Field(() => Int, { description: 'How many lines the order has.' })
  lineCount!: number;

  @Field(() => MoneyType, { nullable: true, description: 'The sum of all lines, which is charged from now on.' })
  total!: Relation<MoneyType | null>;
}

@ObjectType('OrderRefusedDetail', { description: 'What an entry of action `ORDER_REFUSED` says of the refusal.' })
class OrderRefusedDetail {
  @Field({ description: 'The number of the order. It is its `Order.number`.' })
  orderNumber!: string;

  @Field(() => Int, { description: 'How many lines the order has.' })
  lineCount!: number;

  @Field({ description: 'Why the provider refused, in its own words.' })
  problem!: string;
}

@ObjectType('CancellationRequestedDetail', {
  description: 'What an entry of action `CANCELLATION_REQUESTED` says of the request.',
})
class CancellationRequestedDetail {
  @Field({ description: 'The number of the order. It is its `Order.number`.' })
  orderNumber!: string;

  @Field(() => [Int], { description: 'The numbers of the lines that are to be cancelled.' })
  lineNumbers!: number[];

  @Field(() => MoneyType, { nullable: true, description: 'What is given back once fulfilment confirms.' })
  credit!: Relation<MoneyType | null>;

  @Field(() => String, { nullable: true, description: 'The reason that the caller gave; null where they gave none.' })
  reason!: string | null;
}

@ObjectType('CancellationConfirmedDetail', {
  description: 'What an entry of action `CANCELLATION_CONFIRMED` says of the cancellation.',
})
class CancellationConfirmedDetail {
  @Field({ description: 'The number of the order. It is its `Order.number`.' })
  orderNumber!: string;

  @Field(() => [Int], { description: 'The numbers of the lines that are cancelled now.' })
  lineNumbers!: number[];

  @Field(() => MoneyType, {
    nullable: true,
    description: 'What is given back on the next monthly invoice.',
  })
  credit!: Relation<MoneyType | null>;
}

@ObjectType('CancellationRefusedDetail', {
  description: 'What an entry of action `CANCELLATION_REFUSED` says of the refusal.',
})
class CancellationRefusedDetail {
  @Field({ description: 'The number of the order. It is its `Order.number`.' })
  orderNumber!: string;

  @Field(() => [Int], { description: 'The numbers of the lines that are active again.' })
  lineNumbers!: number[];

  @Field({ description: 'Why fulfilment refused, in its own words.' })
  problem!: string;
}

@ObjectType('ProductKeyRevealedDetail', {
  description: 'What an entry of action `PRODUCT_KEY_REVEALED` says of the key. The key itself is never in the log.',
})
class ProductKeyRevealedDetail {
  @Field({ description: 'The version of the software. It is its `SoftwareVersion.version`.' })
  version!: string;

  @Field({
    description:
      'Whether the key was invented for a customer of the demonstration: it activates nothing. In entries from before keys were stored it is true, as all of them were.',
  })
  isInvented!: boolean;
}

@ObjectType('ProductKeysStoredDetail', {
  description:
    'What an entry of action `PRODUCT_KEYS_STORED` says of the keys. The keys themselves are never in the log.',
})
class ProductKeysStoredDetail {
  @Field({ description: 'The version of the software. It is its `SoftwareVersion.version`.' })
  version!: string;

  @Field(() => Int, { description: 'How many keys were stored, without those that were there before.' })
  count!: number;
}

@ObjectType('ProductKeysRanOutDetail', {
  description: 'What an entry of action `PRODUCT_KEYS_RAN_OUT` says of the software that there is no key of.',
})
class ProductKeysRanOutDetail {
  @Field({ description: 'The version of the software. It is its `SoftwareVersion.version`.' })
  version!: string;
}

@ObjectType('DownloadLinkCreatedDetail', {
  description: 'What an entry of action `DOWNLOAD_LINK_CREATED` says of the link. The link itself is never in the log.',
})
class DownloadLinkCreatedDetail {
  @Field({ description: 'The version of the software. It is its `SoftwareVersion.version`.' })
  version!: string;

  @Field({ description: 'The language of the software, as a BCP 47 tag such as `en-US`.' })
  language!: string;

  @Field({ description: 'The architecture of the software, such as `x64`.' })
  architecture!: string;

  @Field(() => DateTimeScalar, { description: 'The instant from which the link answers 410 Gone.' })
  expiresAt!: string;
}

@ObjectType('SoftwareDownloadedDetail', {
  description: 'What an entry of action `SOFTWARE_DOWNLOADED` says of the download.',
})
class SoftwareDownloadedDetail {
  @Field({ description: 'The version of the software. It is its `SoftwareVersion.version`.' })
  version!: string;

  @Field({ description: 'The language of the software, as a BCP 47 tag such as `en-US`.' })
  language!: string;

  @Field({ description: 'The architecture of the software, such as `x64`.' })
  architecture!: string;

  @Field(() => Int, { description: 'How many downloads the link has left after this one.' })
  remainingDownloads!: number;

  @Field(() => String, {
    nullable: true,
    description:
      'The network address that the link was used from, of IPv6 its /64; null in entries from before it was kept. One entry stands for all that the address downloads by the link on that day.',
  })
  address!: string | null;
}

@ObjectType('AccessRevokedDetail', { description: 'What an entry of action `ACCESS_REVOKED` says of the user.' })
class AccessRevokedDetail {
  @Field({ description: 'The user principal name of the user whose access was revoked.' })
  userPrincipalName!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The object id of the user; null in entries from before object ids were kept.',
  })
  objectId!: string | null;

  @Field(() => String, { nullable: true, description: 'The reason that was given; null where none was.' })
  reason!: string | null;
}

@ObjectType('AccessRestoredDetail', { description: 'What an entry of action `ACCESS_RESTORED` says of the user.' })
class AccessRestoredDetail {
  @Field({ description: 'The user principal name of the user whose access was given back.' })
  userPrincipalName!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The object id of the user; null for one who was revoked before object ids were kept.',
  })
  objectId!: string | null;

  @Field(() => String, { nullable: true, description: 'The reason that was given; null where none was.' })
  reason!: string | null;
}

@ObjectType('SessionEndedDetail', { description: 'What an entry of action `SESSION_ENDED` says of the session.' })
class SessionEndedDetail {
  @Field({ description: 'The user principal name of the user whose session was ended.' })
  userPrincipalName!: string;

  @Field(() => String, { nullable: true, description: 'The object id of the user; null for a caller without a token.' })
  objectId!: string | null;

  @Field({ description: 'How the session was connected: WEBSOCKET, EVENT_STREAM or EXPORT.' })
  transport!: string;
}

@ObjectType('AccessDeniedDetail', { description: 'What an entry of action `ACCESS_DENIED` says of the attempt.' })
class AccessDeniedDetail {
  @Field({ description: 'The name of the mutation that was tried.' })
  operation!: string;

  @Field({ description: 'Why the attempt was refused, in a few words for people.' })
  reason!: string;

  @Field(() => Int, {
    description:
      'How many attempts the entry stands for. The first has an entry of its own; the same ones of the ten minutes after it have one together.',
  })
  attempts!: number;
}

/** Every member of the union ActivityDetail. */
export const activityDetailTypes = [
  OrderPlacedDetail,
  OrderConfirmedDetail,
  OrderRefusedDetail,
  CancellationRequestedDetail,
  CancellationConfirmedDetail,
  CancellationRefusedDetail,
  ...jobDetailTypes,
  ProductKeyRevealedDetail,
  ProductKeysStoredDetail,
  ProductKeysRanOutDetail,
  DownloadLinkCreatedDetail,
  SoftwareDownloadedDetail,
  ...supportDetailTypes,
  ...fileDetailTypes,
  ...upstreamDetailTypes,
  AccessRevokedDetail,
  AccessRestoredDetail,
  SessionEndedDetail,
  AccessDeniedDetail,
];
