import {
  type GraphQLArgument,
  type GraphQLField,
  GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';

/** A repeatable random number below 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Values that arguments of a name may take, as GraphQL literals. */
export type Pool = Record<string, readonly string[]>;

const MAXIMUM_DEPTH = 5;

/**
 * A random query over the schema: aliases, arguments, fragments on concrete types, interfaces and unions, `@skip` and
 * `@include` by variables. Root fields out of `roots`.
 */
export function randomOperation(schema: GraphQLSchema, roots: readonly string[], pool: Pool, random: () => number) {
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;
  const chance = (share: number) => random() < share;
  let aliases = 0;

  const literal = (name: string, argument: GraphQLArgument): string | null => {
    const type = getNamedType(argument.type);
    const known = pool[name] ?? pool[type.name];
    if (known) return pick(known);
    if (isEnumType(type)) return pick(type.getValues()).name;
    return null;
  };
  const args = (field: GraphQLField<unknown, unknown>) => {
    // A page is of the first or of the last ones.
    const ways = [
      ['last', 'before'],
      ['first', 'after'],
    ] as const;
    const left = ways[chance(0.5) ? 0 : 1] as readonly string[];
    const given = field.args.flatMap((argument) => {
      if (['last', 'before', 'after'].includes(argument.name) && !pool[argument.name]) return [];
      if (pool['last'] && left.includes(argument.name)) return [];
      const required = isNonNullType(argument.type) && argument.defaultValue === undefined;
      if (!required && chance(0.6)) return [];
      const value = literal(argument.name, argument);
      return value === null ? [] : [`${argument.name}: ${value}`];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  };
  const directive = () => (chance(0.08) ? ` ${pick(['@include', '@skip'])}(if: ${pick(['$yes', '$no'])})` : '');

  const selection = (type: GraphQLObjectType, depth: number): string => {
    const fields = Object.values(type.getFields()).filter(
      (field) => depth < MAXIMUM_DEPTH || isLeafType(getNamedType(field.type)),
    );
    const chosen = fields.filter(() => chance(Math.min(0.5, 5 / fields.length)));
    const parts = (chosen.length > 0 ? chosen : [pick(fields)]).flatMap((field) => fieldText(field, depth));
    if (chance(0.2)) parts.push('__typename');
    if (chance(0.12) && fields.length > 0)
      parts.push(`... on ${type.name} { ${fieldText(pick(fields), depth).join(' ') || '__typename'} }`);
    if (chance(0.08)) {
      const [implemented] = type.getInterfaces();
      if (implemented) parts.push(`... on ${implemented.name} { __typename }`);
    }
    return `{ ${parts.length > 0 ? parts.join(' ') : '__typename'} }`;
  };
  const fieldText = (field: GraphQLField<unknown, unknown>, depth: number): string[] => {
    const type = getNamedType(field.type);
    aliases += 1;
    // Aliases of their own keep two selections of one field from clashing.
    const head = `f${aliases}: ${field.name}${args(field)}${directive()}`;
    if (isLeafType(type)) return [head];
    if (isUnionType(type) || isInterfaceType(type)) {
      const possible = schema.getPossibleTypes(type);
      const members = possible.filter(() => chance(Math.min(0.5, 5 / possible.length)));
      const spreads = members.map((member) => `... on ${member.name} ${selection(member, depth + 1)}`);
      return [`${head} { ${chance(0.5) || spreads.length === 0 ? '__typename' : ''} ${spreads.join(' ')} }`];
    }
    return isObjectType(type) ? [`${head} ${selection(type, depth + 1)}`] : [];
  };

  const query = schema.getQueryType() as GraphQLObjectType;
  const chosen = Array.from(
    { length: chance(0.3) ? 2 : 1 },
    () => query.getFields()[pick(roots)] as GraphQLField<unknown, unknown>,
  );
  const body = chosen.flatMap((field) => fieldText(field, 0)).join(' ');
  const variables = { yes: true, no: false };
  return {
    query: `query Random($yes: Boolean = true, $no: Boolean = false) { ${body} used: __typename @include(if: $yes) @skip(if: $no) }`,
    variables,
  };
}
