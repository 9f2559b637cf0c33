import 'reflect-metadata';
import {
  defaultFieldResolver,
  type GraphQLEnumType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { buildSchema } from 'type-graphql';
import { authDirective, isGuarded, logsDenial } from '../auth/auth.js';
import { accessRevoked } from '../auth/revocations.js';
import type { Context } from '../context/context.js';
import { inTransaction } from '../context/transaction.js';
import { parseGlobalId } from '../domain/global-id.js';
import { ErrorCodeEnum } from '../graphql/error-code.type.js';
import { AccessResolver } from '../modules/access/access.resolver.js';
import { activityDetails } from '../modules/activity/activity.read.js';
import { ActivityResolver, CustomerActivityResolver } from '../modules/activity/activity.resolver.js';
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
} from '../modules/entitlements/entitlement.resolver.js';
import { CreateDownloadLinkResolver, RevealProductKeyResolver } from '../modules/entitlements/software.resolver.js';
import { recordRoleDenied } from '../modules/entitlements/software-choice.js';
import { CustomerOrdersResolver, OrderResolver } from '../modules/orders/order.resolver.js';
import { PurchaseResolver } from '../modules/purchasing/purchase.resolver.js';
import { SalesResolver } from '../modules/sales/sales.resolver.js';
import {
  CustomerSupportRequestsResolver,
  SupportRequestResolver,
} from '../modules/support/support-request.resolver.js';
import type { Tree } from '../read/reader.js';
import { NodeResolver } from './node.resolver.js';
import { readModel, rootReads } from './read-model.js';

type Field = GraphQLField<unknown, Context>;

/** The executable schema: TypeGraphQL's types, with the read model's fields and the guards put in. */
export async function buildGraph(): Promise<GraphQLSchema> {
  const built = await buildSchema({
    resolvers: [
      AccessResolver,
      ActivityFeedResolver,
      ActivityResolver,
      CancellationFeedResolver,
      CancelOrderResolver,
      CatalogResolver,
      CreateDownloadLinkResolver,
      CustomerActivityResolver,
      CustomerInvoicesResolver,
      CustomerOrdersResolver,
      CustomerResolver,
      CustomerSoftwareResolver,
      CustomerSupportRequestsResolver,
      EntitlementResolver,
      InvoiceResolver,
      MarketResolver,
      NodeResolver,
      OrderLineEntitlementResolver,
      OrderResolver,
      PurchaseResolver,
      RevealProductKeyResolver,
      SalesResolver,
      SupportRequestResolver,
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
      tellOfRefusal(field);
      if (type.name === 'Query' && Object.hasOwn(rootReads, field.name)) field.resolve = readRoot as never;
      guardRoot(type, field);
    }
  }
  for (const [name, description] of Object.entries(rootDescriptions)) {
    (built.getType(name) as GraphQLObjectType).description = description;
  }
  const role = built.getType('Role') as GraphQLEnumType;
  const { types, directives, ...config } = built.toConfig();
  return new GraphQLSchema({
    ...config,
    types: [...types, ErrorCodeEnum],
    directives: [...directives, authDirective(role)],
  });
}

/** Says of a field behind a guard, its own or that of the type it returns, what a refusal looks like: one wording for all. */
function tellOfRefusal(field: GraphQLField<unknown, unknown>): void {
  if (isNonNullType(field.type)) return;
  if (isGuarded(field.extensions) || isGuarded(getNamedType(field.type).extensions))
    field.description += ' Null, with a `FORBIDDEN` error, where your roles do not allow it.';
}

/** What the root types are: TypeGraphQL gives them no description. */
const rootDescriptions = {
  Query:
    'What can be read. A field that your roles may not read is null, and one error names the roles that may (`extensions.requires`); the rest of the answer stands.',
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
  'CancellationPolicy',
  'CustomerContact',
  'HybridBenefit',
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

/**
 * Refuses root fields by the table of access; the read model refuses all others while it compiles. Also refuses who was
 * revoked since the request or the socket was let in; a stream says so itself.
 */
function guardRoot(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): void {
  if (!['Query', 'Mutation', 'Subscription'].includes(type.name)) return;
  const { resolve = defaultFieldResolver, subscribe } = field as Field;
  const requires = (context: Context) => context.access.denies(type.name, field.name);
  field.resolve = (async (source, args, context: Context, info) => {
    if (!subscribe && context.services.revocations.covers(context.viewer)) throw accessRevoked();
    const denied = requires(context);
    if (!denied)
      return resolve(source, args, type.name === 'Mutation' ? withActingRole(context, field.name) : context, info);
    context.denials.add(`${type.name}.${field.name}`, denied, info.fieldNodes, [info.path.key]);
    if (logsDenial(field.extensions)) await logDenial(context, field.name, args);
    return null;
  }) as GraphQLFieldResolver<unknown, unknown>;
  if (subscribe) {
    field.subscribe = ((source, args, context: Context, info) => {
      const denied = requires(context);
      if (!denied) return subscribe(source, args, context, info);
      context.denials.add(`${type.name}.${field.name}`, denied, info.fieldNodes, [info.path.key]);
      throw context.denials.errors[0];
    }) as GraphQLFieldResolver<unknown, unknown>;
  }
}

/** The context of a unit. Of several roles that one comes first which allows it: the log names it (rule 22). */
function withActingRole(context: Context, mutation: string): Context {
  const { viewer, services } = context;
  const allowing = services.accessTable.requires(`Mutation.${mutation}`) ?? [];
  const roles = [...viewer.roles].sort((a, b) => Number(allowing.includes(b)) - Number(allowing.includes(a)));
  return { ...context, viewer: { ...viewer, roles } };
}

/** Rule 9: a refused attempt at a key or a link is logged too. Callers without a token are nobody to write down. */
async function logDenial(
  context: Context,
  operation: string,
  args: { input?: { entitlementId?: string } },
): Promise<void> {
  const target = parseGlobalId(args.input?.entitlementId ?? '');
  if (!context.viewer.identity || target?.type !== 'Entitlement') return;
  await inTransaction(context, (unit) => recordRoleDenied(unit, operation, target.id));
}
