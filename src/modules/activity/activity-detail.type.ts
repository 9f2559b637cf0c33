import { Field, Int, ObjectType } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { billingReaders, orderReaders } from '../../auth/role-sets.js';
import { MoneyType } from '../../graphql/money.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';

@ObjectType('OrderPlacedDetail', { description: 'Of ORDER_PLACED.' })
class OrderPlacedDetail {
  @Field({ description: 'Number of the order.' })
  orderNumber!: string;

  @Field(() => Int, { description: 'How many lines.' })
  lineCount!: number;

  @Field(() => MoneyType, { nullable: true, description: `What it costs. For ${orderReaders.join(', ')}.` })
  @Auth(...orderReaders)
  total!: Relation<MoneyType | null>;
}

@ObjectType('CancellationRequestedDetail', { description: 'Of CANCELLATION_REQUESTED.' })
class CancellationRequestedDetail {
  @Field({ description: 'Number of the order.' })
  orderNumber!: string;

  @Field(() => [Int], { description: 'Lines to cancel.' })
  lineNumbers!: number[];

  @Field(() => MoneyType, { nullable: true, description: `What will be given back. For ${billingReaders.join(', ')}.` })
  @Auth(...billingReaders)
  credit!: Relation<MoneyType | null>;

  @Field(() => String, { nullable: true, description: 'The reason given.' })
  reason!: string | null;
}

@ObjectType('CancellationConfirmedDetail', { description: 'Of CANCELLATION_CONFIRMED.' })
class CancellationConfirmedDetail {
  @Field({ description: 'Number of the order.' })
  orderNumber!: string;

  @Field(() => [Int], { description: 'Lines cancelled.' })
  lineNumbers!: number[];

  @Field(() => MoneyType, {
    nullable: true,
    description: `What is given back on the next invoice. For ${billingReaders.join(', ')}.`,
  })
  @Auth(...billingReaders)
  credit!: Relation<MoneyType | null>;
}

@ObjectType('CancellationRefusedDetail', { description: 'Of CANCELLATION_REFUSED.' })
class CancellationRefusedDetail {
  @Field({ description: 'Number of the order.' })
  orderNumber!: string;

  @Field(() => [Int], { description: 'Lines that stand again.' })
  lineNumbers!: number[];

  @Field({ description: 'Why.' })
  problem!: string;
}

@ObjectType('ProductKeyRevealedDetail', { description: 'Of PRODUCT_KEY_REVEALED. Never the key (rule 8).' })
class ProductKeyRevealedDetail {
  @Field({ description: 'Version of the software.' })
  version!: string;
}

@ObjectType('DownloadLinkCreatedDetail', { description: 'Of DOWNLOAD_LINK_CREATED. Never the link (rule 8).' })
class DownloadLinkCreatedDetail {
  @Field({ description: 'Version of the software.' })
  version!: string;

  @Field({ description: 'Language.' })
  language!: string;

  @Field({ description: 'Architecture.' })
  architecture!: string;

  @Field(() => DateTimeScalar, { description: 'When the link dies.' })
  expiresAt!: string;
}

@ObjectType('SoftwareDownloadedDetail', { description: 'Of SOFTWARE_DOWNLOADED.' })
class SoftwareDownloadedDetail {
  @Field({ description: 'Version of the software.' })
  version!: string;

  @Field({ description: 'Language.' })
  language!: string;

  @Field({ description: 'Architecture.' })
  architecture!: string;

  @Field(() => Int, { description: 'Downloads left.' })
  remainingDownloads!: number;
}

@ObjectType('SupportRequestSubmittedDetail', { description: 'Of SUPPORT_REQUEST_SUBMITTED.' })
class SupportRequestSubmittedDetail {
  @Field({ description: 'Number of the request.' })
  supportRequestNumber!: string;

  @Field({ description: 'Its topic.' })
  topic!: string;

  @Field({ description: 'Its impact.' })
  impact!: string;
}

@ObjectType('AccessRevokedDetail', { description: 'Of ACCESS_REVOKED.' })
class AccessRevokedDetail {
  @Field({ description: 'Whose access.' })
  userPrincipalName!: string;

  @Field(() => String, { nullable: true, description: 'The reason given.' })
  reason!: string | null;
}

@ObjectType('AccessDeniedDetail', { description: 'Of ACCESS_DENIED.' })
class AccessDeniedDetail {
  @Field({ description: 'What was tried.' })
  operation!: string;

  @Field({ description: 'Why it was refused.' })
  reason!: string;
}

/** Every member of the union ActivityDetail. */
export const activityDetailTypes = [
  OrderPlacedDetail,
  CancellationRequestedDetail,
  CancellationConfirmedDetail,
  CancellationRefusedDetail,
  ProductKeyRevealedDetail,
  DownloadLinkCreatedDetail,
  SoftwareDownloadedDetail,
  SupportRequestSubmittedDetail,
  AccessRevokedDetail,
  AccessDeniedDetail,
];
