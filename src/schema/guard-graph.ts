import {
  DirectiveLocation,
  defaultFieldResolver,
  GraphQLDirective,
  type GraphQLEnumType,
  type GraphQLField,
  type GraphQLFieldResolver,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { AccessRule, AccessRules } from '../auth/access-rule.js';
import { REFUSAL } from '../auth/schema-view.js';
import type { Context } from '../context/context.js';
import { inTransaction } from '../context/transaction.js';
import { clientGone } from '../database/cancellable-pool.js';
import { parseGlobalId } from '../domain/global-id.js';
import { EntitlementNotFound, recordRoleDenied } from '../modules/entitlements/software-choice.js';

type Field = GraphQLField<unknown, Context>;

const ROOTS = ['Query', 'Mutation', 'Subscription'];

/** The definition of `@auth` for the schema that holds the enum `Role`. */
export function authDirective(role: GraphQLEnumType): GraphQLDirective {
  return new GraphQLDirective({
    name: 'auth',
    description:
      'Guards a field, or every field that returns the type it stands on. Callers without one of the roles get null there and one error of code `FORBIDDEN`, or `UNAUTHENTICATED` where they sent no token; the rest of the answer stands.',
    locations: [DirectiveLocation.OBJECT, DirectiveLocation.FIELD_DEFINITION],
    args: {
      requires: {
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(role))),
        description: 'The roles that may use it; any one of them is enough.',
      },
    },
  });
}

/**
 * Puts the table of access into a schema: `@auth` on what it guards, and the refusal of root fields. The read model
 * refuses all others while it compiles.
 * @throws where a coordinate is none of the schema's, and where a root field or a type with ids has no rule
 */
export function guardGraph(schema: GraphQLSchema, rules: AccessRules): void {
  requireWhole(schema, rules);
  for (const type of objectTypesOf(schema)) {
    showRule(type, rules[type.name]);
    for (const field of Object.values(type.getFields())) {
      const rule = rules[`${type.name}.${field.name}`];
      showRule(field, rule);
      if (!isNonNullType(field.type) && (isGuarded(rule) || isGuarded(rules[getNamedType(field.type).name])))
        field.description += REFUSAL;
      if (ROOTS.includes(type.name)) guardRoot(type, field, rule as AccessRule);
    }
  }
}

function objectTypesOf(schema: GraphQLSchema): GraphQLObjectType[] {
  return Object.values(schema.getTypeMap()).filter(
    (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'),
  );
}

/** Nothing is for everybody that the table does not say so of. */
function requireWhole(schema: GraphQLSchema, rules: AccessRules): void {
  const types = objectTypesOf(schema);
  const coordinates = new Set(
    types.flatMap((type) => [type.name, ...Object.keys(type.getFields()).map((field) => `${type.name}.${field}`)]),
  );
  const astray = Object.keys(rules).filter((coordinate) => !coordinates.has(coordinate));
  if (astray.length > 0) throw new Error(`The table of access names what is not in the schema: ${astray.join(', ')}`);
  const wanted = types.flatMap((type) => {
    if (ROOTS.includes(type.name)) return Object.keys(type.getFields()).map((field) => `${type.name}.${field}`);
    return type.getInterfaces().some(({ name }) => name === 'Node') ? [type.name] : [];
  });
  const open = wanted.filter((coordinate) => rules[coordinate]?.roles === undefined);
  if (open.length > 0) throw new Error(`The table of access does not say who may use: ${open.join(', ')}`);
}

/** Whether roles guard a field or a type. */
function isGuarded(rule: AccessRule | undefined): boolean {
  return rule?.roles !== undefined && rule.roles !== 'everyone';
}

function showRule(guarded: GraphQLObjectType | Field, rule: AccessRule | undefined): void {
  if (!isGuarded(rule)) return;
  guarded.extensions = { ...guarded.extensions, directives: { auth: { requires: rule?.roles } } };
}

/**
 * Refuses a root field by its rule. Also refuses who was revoked since the request or the socket was let in; a stream
 * says so itself.
 */
function guardRoot(type: GraphQLObjectType, field: Field, rule: AccessRule): void {
  const { resolve = defaultFieldResolver, subscribe } = field;
  const isDenied = (context: Context) => context.access.denies(type.name, field.name);
  field.resolve = (async (source, args, context: Context, info) => {
    const refusal = subscribe ? null : context.services.revocations.refusal(context.viewer);
    if (refusal) throw refusal;
    // A mutation's fields run one after the other: what is not begun when the client goes is for nobody.
    if (type.name === 'Mutation' && context.abort?.aborted) throw clientGone();
    const answer = async () => {
      if (!isDenied(context))
        return resolve(source, args, type.name === 'Mutation' ? withActingRole(context, rule) : context, info);
      context.denials.add(`${type.name}.${field.name}`, info.fieldNodes, [info.path.key]);
      if (rule.logsDenial) await logDenial(context, field.name, args);
      return null;
    };
    return rule.logsDenial && context.viewer.identity ? attempted(context, answer) : answer();
  }) as GraphQLFieldResolver<unknown, Context>;
  if (subscribe) {
    field.subscribe = ((source, args, context: Context, info) => {
      if (!isDenied(context)) return subscribe(source, args, context, info);
      context.denials.add(`${type.name}.${field.name}`, info.fieldNodes, [info.path.key]);
      throw context.denials.errors[0];
    }) as GraphQLFieldResolver<unknown, Context>;
  }
}

/** What is written down where it is refused: a user has a budget of that. */
async function attempted(context: Context, answer: () => Promise<unknown>): Promise<unknown> {
  const end = await context.services.costs.secrets.begin(context.user);
  let isRefused = false;
  try {
    const answered = await answer();
    isRefused = answered === null || answered instanceof EntitlementNotFound;
    return answered;
  } finally {
    await end(isRefused);
  }
}

/** The context of a unit. Of several roles that one comes first which allows it: the log names it (rule 22). */
function withActingRole(context: Context, { roles: allowing = [] }: AccessRule): Context {
  const { viewer } = context;
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
  // Also of who has gone: else nobody would be written down who hangs up in time.
  await inTransaction({ ...context, abort: undefined }, (unit) => recordRoleDenied(unit, operation, target.id));
}
