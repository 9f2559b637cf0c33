import { type RawBuilder, sql } from 'kysely';
import { pageOf } from '../graphql/page.js';
import type { CompileScope } from './compile-scope.js';
import { cursorOf, decodeCursor } from './cursor.js';
import type { Listing, ReadType, SortKey } from './model.js';
import type { Args, Param } from './param.js';
import type { Row, Sql } from './row.js';

/** Which part of a list is asked for: the Relay arguments and the order, as SQL. */
export interface PageWindow {
  /** Rows of a full page. */
  size: Param<number>;
  /** Whether the page is counted from the end (`last`). */
  isBackward: boolean;
  /** Whether rows are read in ascending order; those of a backward page are turned round afterwards. */
  isAscending: boolean;
  /** `a asc, b asc` */
  order(row: Row): Sql;
  /** The rows after `after` and before `before`. */
  bounds(row: Row): Sql[];
  /** Which bounds there are. */
  given: { after: boolean; before: boolean };
  /** The cursor of a row. */
  cursor(row: Row): Sql;
}

/** The window that the arguments of a listing ask for. What does not hold is refused at each run. */
export function pageWindow(scope: CompileScope, { name }: ReadType, listing: Listing, args: Args): PageWindow {
  const isBackward = args.given('last') && !args.given('first');
  const size = args.all.map((values) => pageOf(values).size);
  scope.validations.push(size);
  const orderBy = args.object('orderBy');
  const field = orderBy.known<string | undefined>('field') ?? listing.defaultOrder.field;
  const direction = orderBy.known<string | undefined>('direction') ?? listing.defaultOrder.direction;
  const keys = listing.orders[field] as SortKey[];
  const isAscending = (direction === 'ASC') !== isBackward;
  const tag = `${name}:${field}`;
  const codec = scope.codecOf(listing);
  const keysOf = (text: string, argument: string) =>
    codec ? codec.keysOf(text, argument) : decodeCursor(text, tag, keys, argument).values;
  const valuesOf = (argument: 'after' | 'before') =>
    keys.map((_key, index) => args.param<string>(argument).map((cursor) => keysOf(cursor, argument)[index] as string));
  const given = { after: args.given('after'), before: args.given('before') };
  const [later, earlier] = direction === 'ASC' ? (['>', '<'] as const) : (['<', '>'] as const);
  const edges = [
    ...(given.after ? [{ operator: later, values: valuesOf('after') }] : []),
    ...(given.before ? [{ operator: earlier, values: valuesOf('before') }] : []),
  ];
  scope.validations.push(...edges.flatMap(({ values }) => values));
  const way = isAscending ? sql`asc` : sql`desc`;
  return {
    size,
    isBackward,
    isAscending,
    given,
    order: (row) => sql.join(keys.map((key) => sql`${row.col(key.property)} ${way}`)),
    bounds: (row) => edges.map(({ operator, values }) => beyond(row, keys, operator, values)),
    cursor: (row) => {
      if (!codec) return cursorOf(row, tag, keys);
      scope.usedCodecs.add(codec);
      return codec.placeholder(row);
    },
  };
}

/** `(a, b) > (x, y)`: rows behind a cursor; an index on the keys answers it. */
function beyond(row: Row, keys: SortKey[], operator: '>' | '<', values: Param<string>[]): RawBuilder<unknown> {
  const left = sql.join(keys.map((key) => row.col(key.property)));
  const right = sql.join(keys.map((key, index) => sql`${values[index]}::${sql.raw(key.type)}`));
  return sql`(${left}) ${sql.raw(operator)} (${right})`;
}
