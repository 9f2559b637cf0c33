import 'reflect-metadata';
import {
  defaultFieldResolver,
  type GraphQLEnumType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  isInputObjectType,
  isObjectType,
} from 'graphql';
import { buildSchema } from 'type-graphql';
import type { AccessRules } from '../auth/access-rule.js';
import type { Context } from '../context/context.js';
import { ErrorCodeEnum } from '../graphql/error-code.type.js';
import { AccessResolver } from '../modules/access/access.resolver.js';
import { SessionResolver } from '../modules/access/session.resolver.js';
import { ActivityResolver, CustomerActivityResolver } from '../modules/activity/activity.resolver.js';
import { activityDetails } from '../modules/activity/activity-detail.read.js';
import { ActivityFeedResolver, CancellationFeedResolver } from '../modules/activity/feed.resolver.js';
import { CustomerInvoicesResolver, InvoiceResolver } from '../modules/billing/invoice.resolver.js';
import { CancelOrderResolver } from '../modules/cancelling/cancel-order.resolver.js';
import { CatalogResolver } from '../modules/catalog/catalog.resolver.js';
import { MarketResolver } from '../modules/catalog/market.resolver.js';
import { CustomerResolver } from '../modules/customers/customer.resolver.js';
import {
  CustomerSoftwareResolver,
  EntitlementResolver,
  OrderLineEntitlementResolver,
  SoftwareVersionKeysResolver,
} from '../modules/entitlements/entitlement.resolver.js';
import { CreateDownloadLinkResolver, RevealProductKeyResolver } from '../modules/entitlements/software.resolver.js';
import { StoreProductKeysResolver } from '../modules/entitlements/store-product-keys.resolver.js';
import { GiveUpJobResolver, RetryJobResolver } from '../modules/jobs/job.resolver.js';
import { CustomerUpstreamResolver, OrderLineUpstreamResolver } from '../modules/mirroring/mirror.resolver.js';
import { UpstreamResolver } from '../modules/mirroring/upstream.resolver.js';
import { CustomerOrdersResolver, OrderResolver } from '../modules/orders/order.resolver.js';
import { PurchaseResolver } from '../modules/purchasing/purchase.resolver.js';
import {
  InvoiceLineEvidenceResolver,
  OrderImportedFromResolver,
  ReconciliationResolver,
} from '../modules/reconciling/reconciliation.resolver.js';
import { SalesResolver } from '../modules/sales/sales.resolver.js';
import {
  CustomerSupportRequestsResolver,
  SupportRequestResolver,
} from '../modules/support/support-request.resolver.js';
import { UpdateSupportRequestResolver } from '../modules/support/update-support-request.resolver.js';
import type { Tree } from '../read/reader.js';
import { accessRules } from './access-rules.js';
import { authDirective, guardGraph } from './guard-graph.js';
import { NodeResolver } from './node.resolver.js';
import { readModel, rootReads } from './read-model.js';

type Field = GraphQLField<unknown, Context>;

/**
 * The executable schema: TypeGraphQL's types, with the read model's fields and the guards put in.
 * @throws where the table of access does not fit it
 */
export async function buildGraph(rules: AccessRules = accessRules): Promise<GraphQLSchema> {
  const built = await buildSchema({
    resolvers: [
      AccessResolver,
      ActivityFeedResolver,
      ActivityResolver,
      CancelOrderResolver,
      CancellationFeedResolver,
      CatalogResolver,
      CreateDownloadLinkResolver,
      CustomerActivityResolver,
      CustomerInvoicesResolver,
      CustomerOrdersResolver,
      CustomerUpstreamResolver,
      OrderLineUpstreamResolver,
      UpstreamResolver,
      CustomerResolver,
      CustomerSoftwareResolver,
      CustomerSupportRequestsResolver,
      EntitlementResolver,
      GiveUpJobResolver,
      InvoiceResolver,
      MarketResolver,
      NodeResolver,
      OrderLineEntitlementResolver,
      SoftwareVersionKeysResolver,
      OrderResolver,
      PurchaseResolver,
      ReconciliationResolver,
      OrderImportedFromResolver,
      InvoiceLineEvidenceResolver,
      RetryJobResolver,
      RevealProductKeyResolver,
      SalesResolver,
      SessionResolver,
      StoreProductKeysResolver,
      SupportRequestResolver,
      UpdateSupportRequestResolver,
    ],
    validate: false,
    // TypeGraphQL wants one where there are subscriptions; ours bring their own streams.
    pubSub: { publish: () => undefined, subscribe: () => (async function* () {})() as never },
  });
  for (const type of Object.values(built.getTypeMap())) {
    if (isInputObjectType(type))
      type.isOneOf = type.astNode?.directives?.some((directive) => directive.name.value === 'oneOf') ?? false;
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    if (comesFromTree(type)) readFromTree(type);
    for (const field of Object.values(type.getFields())) {
      if (type.name === 'Query' && Object.hasOwn(rootReads, field.name)) field.resolve = readRoot as never;
    }
  }
  for (const [name, description] of Object.entries(rootDescriptions)) {
    (built.getType(name) as GraphQLObjectType).description = description;
  }
  guardGraph(built, rules);
  const role = built.getType('Role') as GraphQLEnumType;
  const { types, directives, ...config } = built.toConfig();
  return new GraphQLSchema({
    ...config,
    types: [...types, ErrorCodeEnum],
    directives: [...directives, authDirective(role)],
  });
}

/** What the root types are: TypeGraphQL gives them no description. */
const rootDescriptions = {
  Query:
    'What can be read. A field that your roles may not read is null, and one error names its coordinate (`extensions.coordinate`); the rest of the answer stands.',
  Mutation:
    'What can be done. Each mutation takes one `input` and answers its success or a `Problem` that says what to do instead.',
  Subscription:
    'What can be followed as it is committed: over WebSocket (`graphql-transport-ws`) at `/graphql`, or as server-sent events at `/graphql/stream`. A stream that your roles may not read ends at once with a `FORBIDDEN` error.',
};

/** Types that a reader answers as trees under response keys; their embedded ones are found by their parents. */
function comesFromTree(type: GraphQLObjectType): boolean {
  const name = type.name;
  return readModel.has(name) || name === 'PageInfo' || /(Connection|Edge)$/.test(name) || readEmbedded.has(name);
}

/** Objects made of another row's columns. */
const readEmbedded = new Set([
  'CustomerContact',
  'HybridBenefit',
  'Identity',
  'MarketClosure',
  'OrderLineRefundOption',
  'RefundOption',
  'SupportContact',
  'ActivityActor',
  'ActivityResource',
  'Money',
  'Period',
  ...Object.values(activityDetails).map((detail) => detail.type),
]);

/** Puts the reader of the tree in the place of a type's resolvers. A field that the read model does not know stops the start. */
function readFromTree(type: GraphQLObjectType): void {
  const known = readModel.get(type.name)?.fields;
  for (const field of Object.values(type.getFields()) as Field[]) {
    if (known && !known[field.name])
      throw new Error(`${type.name}.${field.name} is in the schema but not in the read model`);
    field.resolve = byResponseKey;
  }
}

/** Money also comes from use cases, as an instance of its class: its keys are field names, not response keys. */
const byResponseKey: GraphQLFieldResolver<unknown, Context> = (source, args, context, info: GraphQLResolveInfo) => {
  const isTree = Object.getPrototypeOf(source) === Object.prototype;
  return isTree ? (source as Tree)[info.path.key] : defaultFieldResolver(source, args, context, info);
};

const readRoot: GraphQLFieldResolver<unknown, Context> = (_source, _args, { read }, info) => read.root(info);
