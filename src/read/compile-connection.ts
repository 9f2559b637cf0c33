import type { FieldNode, GraphQLObjectType } from 'graphql';
import { type RawBuilder, sql } from 'kysely';
import { pageOf } from '../graphql/page.js';
import { type Compiler, columnsOf, jsonOf, type Selected, whereAll } from './compile.js';
import { cursorOf, decodeCursor } from './cursor.js';
import { type Listing, PARENT, type ReadType, type Row, type SortKey, type Sql } from './model.js';
import type { Args, Param } from './param.js';

/**
 * A page of rows as the JSON of its connection type. Only what is selected is computed: one row more than the page
 * tells whether there is a next one, `totalCount` counts in a subquery of its own.
 * @param restrict further conditions, such as the parent's
 */
export function compileConnection(
  compiler: Compiler,
  type: ReadType,
  args: Args,
  nodes: readonly FieldNode[],
  connectionType: string,
  restrict: (row: Row) => Sql[],
): Sql {
  const listing = type.listing;
  if (!listing) throw new Error(`${type.name} has no listing`);
  compiler.readsMany = true;
  const backward = args.given('last') && !args.given('first');
  const size = args.all.map((values) => pageOf(values).size);
  compiler.checks.push(size);
  const orderBy = args.object('orderBy');
  const field = orderBy.known<string | undefined>('field') ?? listing.defaultOrder.field;
  const direction = orderBy.known<string | undefined>('direction') ?? listing.defaultOrder.direction;
  const keys = listing.orders[field] as SortKey[];
  const ascending = (direction === 'ASC') !== backward;
  const tag = `${type.name}:${field}`;
  const { feedCursors } = compiler;
  const valuesOf = (text: string, name: string): string[] => {
    if (!listing.feed) return decodeCursor(text, tag, keys, name).values;
    const { xid, seq } = feedCursors.open(text, name);
    return [String(xid), String(seq)];
  };
  const given = { after: args.given('after'), before: args.given('before') };
  const cursorValues = (name: 'after' | 'before') =>
    keys.map((_key, index) => args.param<string>(name).map((cursor) => valuesOf(cursor, name)[index] as string));

  const isNarrowed = compiler.readsOneTenant(type) || restrict(compiler.rowAs(type, 'any')).length > 0;
  const filter = args.object('filter');
  const conditions = (row: Row, without?: string) => [
    ...restrict(row),
    ...compiler.visible(type, row),
    ...filterConditions(listing, row, filter, isNarrowed, without),
  ];
  const inner = compiler.row(type);
  const [later, earlier] = direction === 'ASC' ? (['>', '<'] as const) : (['<', '>'] as const);
  if (given.after) compiler.checks.push(...cursorValues('after'));
  if (given.before) compiler.checks.push(...cursorValues('before'));
  const bounds = [
    ...(given.after ? [bound(inner, keys, later, cursorValues('after'))] : []),
    ...(given.before ? [bound(inner, keys, earlier, cursorValues('before'))] : []),
  ];
  const way = ascending ? sql`asc` : sql`desc`;
  const sorted = sql.join(keys.map((key) => sql`${inner.col(key.property)} ${way}`));
  const pageRow = compiler.rowAs(type, `${inner.alias}p`);
  const position = sql.ref(`${pageRow.alias}.$i`);
  const shownOrder = backward ? sql`desc` : sql`asc`;
  const shown = sql`${position} <= ${size}::int`;
  const cursor = () => {
    if (!listing.feed) return cursorOf(pageRow, tag, keys);
    compiler.writesFeedCursors = true;
    return feedCursors.placeholder(pageRow);
  };
  // Without an aggregate the statement must not read the page: it would answer a row for each of its rows.
  let readsPage = false;
  const ofPage = <Value>(value: Value): Value => {
    readsPage = true;
    return value;
  };
  const aggregate = (json: Sql) =>
    ofPage(sql`coalesce(json_agg(${json} order by ${position} ${shownOrder}) filter (where ${shown}), '[]')`);
  const node = (selecting: readonly FieldNode[]) => compiler.select(type.name, type.fields, pageRow, selecting, false);

  const selected: Selected[] = [];
  for (const [key, fieldNodes] of subFields(compiler, connectionType, nodes)) {
    const name = (fieldNodes[0] as FieldNode).name.value;
    if (name === '__typename') selected.push({ key, value: sql`${connectionType}::text` });
    if (name === 'nodes') selected.push({ key, value: aggregate(jsonOf(node(fieldNodes))) });
    if (name === 'edges') selected.push({ key, value: aggregate(jsonOf(edge(fieldNodes))) });
    if (name === 'pageInfo') selected.push({ key, value: pageInfo(fieldNodes) });
    if (name === 'totalCount') {
      const counted = compiler.row(type);
      selected.push({
        key,
        value: sql`(select count(*)::int from ${compiler.from(type, counted)}${whereAll(conditions(counted))})`,
      });
    }
  }

  function edge(edgeNodes: readonly FieldNode[]): Selected[] {
    const edgeType = `${type.name}Edge`;
    return subFields(compiler, edgeType, edgeNodes).map(([key, fieldNodes]) => {
      const name = (fieldNodes[0] as FieldNode).name.value;
      if (name === 'cursor') return { key, value: cursor() };
      if (name === 'node') return { key, value: jsonOf(node(fieldNodes)) };
      return { key, value: sql`${edgeType}::text` };
    });
  }

  function pageInfo(pageInfoNodes: readonly FieldNode[]): Sql {
    const more = () => ofPage(sql`coalesce(bool_or(${position} > ${size}::int), false)`);
    const beyond = (given: boolean) => (given ? sql`true` : sql`false`);
    const at = (edgeOrder: RawBuilder<unknown>) =>
      ofPage(sql`(array_agg(${cursor()} order by ${position} ${edgeOrder}) filter (where ${shown}))[1]`);
    const pairs = subFields(compiler, 'PageInfo', pageInfoNodes).map(([key, fieldNodes]) => {
      const value = () => {
        switch ((fieldNodes[0] as FieldNode).name.value) {
          case 'hasNextPage':
            return backward ? beyond(given.before) : more();
          case 'hasPreviousPage':
            return backward ? more() : beyond(given.after);
          case 'startCursor':
            return at(backward ? sql`desc` : sql`asc`);
          case 'endCursor':
            return at(backward ? sql`asc` : sql`desc`);
          default:
            return sql`'PageInfo'::text`;
        }
      };
      return sql`${key}::text, ${value()}`;
    });
    // Aggregates belong to the statement around them: a subselect as jsonOf makes one may not hold them.
    return sql`json_build_object(${sql.join(pairs)})`;
  }

  const implied = listing.implied?.(inner, filter, ascending) ?? [];
  const limited = sql`order by ${sorted} limit ${size.map((rows) => rows + 1)}::int`;
  const wanted = (conditionsOfFilter: Sql[]) =>
    sql`from ${compiler.from(type, inner)}${whereAll([...conditionsOfFilter, ...implied, ...bounds])}`;
  const spread = spreadOf(listing, filter, isNarrowed);
  const source = spread
    ? sql`from (${spread.values}) as "$v" ("value") cross join lateral (select * ${wanted([sql`${inner.col(spread.key)} = "$v"."value"`, ...conditions(inner, spread.replaces)])} ${limited}) as ${sql.id(inner.alias)}`
    : wanted(conditions(inner));
  const rows = sql`select ${sql.id(inner.alias)}.*, row_number() over (order by ${sorted}) as "$i" ${source} ${limited}`;
  return sql`(select to_json("$row") from (select ${columnsOf(selected)}${readsPage ? sql` from (${rows}) as ${sql.id(pageRow.alias)}` : sql``}) as "$row")`;
}

function subFields(
  compiler: Compiler,
  typeName: string,
  nodes: readonly FieldNode[],
): [string, readonly FieldNode[]][] {
  return [...compiler.subFields(compiler.operation.schema.getType(typeName) as GraphQLObjectType, nodes)];
}

/** The filter that is read as one page per value; none where another one, or what is around the list, narrows more. */
function spreadOf(
  listing: Listing,
  filter: Args,
  isNarrowed: boolean,
): { key: string; values: Sql; replaces: string | undefined } | null {
  if (isNarrowed || !filter.names.every((name) => listing.spread?.[name] || name === 'from' || name === 'to'))
    return null;
  for (const [name, { key, isList, values }] of Object.entries(listing.spread ?? {})) {
    if (!filter.given(name)) continue;
    if (isList && namesOne(filter, name)) return null;
    return { key, values: values(filter.param(name)), replaces: isList ? name : undefined };
  }
  return null;
}

/** Whether a filter by a list has a single value: most do, and then an index has its rows in order. */
function namesOne(filter: Args, name: string): boolean {
  return filter.knownAs(name, (list: readonly unknown[] | null | undefined) => list?.length === 1);
}

function filterConditions(listing: Listing, row: Row, filter: Args, isNarrowed: boolean, without?: string): Sql[] {
  const names = filter.names.filter((name) => name !== without);
  const narrowedBy = new Set([...filter.names, ...(isNarrowed ? [PARENT] : [])]);
  return names.map((name) => {
    const spread = listing.spread?.[name];
    if (spread?.isList && namesOne(filter, name)) {
      const only = filter.param<readonly string[]>(name).map((list) => list[0]);
      return sql`${row.col(spread.key)} = ${only}::text`;
    }
    const condition = listing.filters[name];
    if (!condition) throw new Error(`The read model does not know the filter ${name}`);
    return condition(row, filter.param(name), () => filter.known(name), narrowedBy);
  });
}

/** `(a, b) > (x, y)`: rows behind a cursor; an index on the keys answers it. */
function bound(row: Row, keys: SortKey[], operator: '>' | '<', values: Param<string>[]): Sql {
  const left = sql.join(keys.map((key) => row.col(key.property)));
  const right = sql.join(keys.map((key, index) => sql`${values[index]}::${sql.raw(key.type)}`));
  return sql`(${left}) ${sql.raw(operator)} (${right})`;
}
