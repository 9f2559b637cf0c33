import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { SyncKind } from '../../domain/sync-kind.js';
import { UpstreamKind } from '../../domain/upstream.js';
import { DateTimeScalar } from '../../graphql/scalars.js';

registerEnumType(UpstreamKind, {
  name: 'UpstreamKind',
  description: 'An upstream that stands behind the gateway.',
  valuesConfig: { PARTNER_CENTER: { description: 'Microsoft Partner Center, with its portal and its programs.' } },
});
registerEnumType(SyncKind, {
  name: 'SyncKind',
  description: 'What is read of an upstream.',
  valuesConfig: {
    CUSTOMERS: { description: 'The list of customers.' },
    RECORDS: { description: 'Records of what was done there.' },
    ORDERS: { description: 'Orders and subscriptions of customers.' },
    ENTITLEMENTS: { description: 'Entitlements of customers, which are told only to somebody who has signed in.' },
  },
});

/** What all entries say of something that was done upstream. */
@ObjectType()
abstract class UpstreamRecordDetail {
  @Field(() => UpstreamKind, { description: 'The upstream in which it was done.' })
  source!: UpstreamKind;

  @Field({ description: 'The id of the record there.' })
  recordId!: string;

  @Field({ description: 'What was done, in the word of the upstream, such as `create_order`.' })
  operation!: string;

  @Field({ description: 'What kind of thing it was done to, in the word of the upstream, such as `software_key`.' })
  resourceKind!: string;

  @Field({ description: 'How it ended, in the word of the upstream, such as `succeeded`.' })
  recordStatus!: string;

  @Field(() => DateTimeScalar, {
    description:
      'The instant at which it was done there, in UTC. The `at` of the entry is that at which it was heard of.',
  })
  happenedAt!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The id of the order there that the record names; null where it names none.',
  })
  upstreamOrderId!: string | null;
}

const says = (action: string, what: string) => ({
  description: `What an entry of action \`${action}\` says of ${what}.`,
});

@ObjectType('UpstreamOrderPlacedDetail', says('UPSTREAM_ORDER_PLACED', 'the order'))
class UpstreamOrderPlacedDetail extends UpstreamRecordDetail {}

@ObjectType('UpstreamOrderChangedDetail', says('UPSTREAM_ORDER_CHANGED', 'the order'))
class UpstreamOrderChangedDetail extends UpstreamRecordDetail {}

@ObjectType('UpstreamOrderCancelledDetail', says('UPSTREAM_ORDER_CANCELLED', 'the order'))
class UpstreamOrderCancelledDetail extends UpstreamRecordDetail {}

@ObjectType('UpstreamKeyFetchedDetail', says('UPSTREAM_KEY_FETCHED', 'the product key, which is never in the log'))
class UpstreamKeyFetchedDetail extends UpstreamRecordDetail {}

@ObjectType('UpstreamLinkFetchedDetail', says('UPSTREAM_LINK_FETCHED', 'the download link, which is never in the log'))
class UpstreamLinkFetchedDetail extends UpstreamRecordDetail {}

@ObjectType('UpstreamCreditChangedDetail', says('UPSTREAM_CREDIT_CHANGED', 'the credit'))
class UpstreamCreditChangedDetail extends UpstreamRecordDetail {}

@ObjectType('UpstreamInvoiceReadyDetail', says('UPSTREAM_INVOICE_READY', 'the invoice'))
class UpstreamInvoiceReadyDetail extends UpstreamRecordDetail {}

@ObjectType('UpstreamChangedDetail', says('UPSTREAM_CHANGED', 'anything else that was done'))
class UpstreamChangedDetail extends UpstreamRecordDetail {}

/** What entries say of an upstream that cannot be read, or can be again. */
@ObjectType()
abstract class UpstreamStateDetail {
  @Field(() => SyncKind, { description: 'What cannot be read, or can be again.' })
  syncKind!: SyncKind;

  @Field(() => String, { nullable: true, description: 'What went wrong last; null where all is well again.' })
  syncProblem!: string | null;
}

@ObjectType('UpstreamBrokenDetail', says('UPSTREAM_BROKEN', 'what cannot be read'))
class UpstreamBrokenDetail extends UpstreamStateDetail {}

@ObjectType('UpstreamHealedDetail', says('UPSTREAM_HEALED', 'what can be read again'))
class UpstreamHealedDetail extends UpstreamStateDetail {}

/** Details of entries about an upstream. */
export const upstreamDetailTypes = [
  UpstreamOrderPlacedDetail,
  UpstreamOrderChangedDetail,
  UpstreamOrderCancelledDetail,
  UpstreamKeyFetchedDetail,
  UpstreamLinkFetchedDetail,
  UpstreamCreditChangedDetail,
  UpstreamInvoiceReadyDetail,
  UpstreamChangedDetail,
  UpstreamBrokenDetail,
  UpstreamHealedDetail,
];
