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
  /**
   * What lies from a cursor on, away from the page: the row of the cursor and those behind it, the nearest first. Null
   * where the cursor is not given.
   */
  beyond(row: Row, bound: 'after' | 'before'): { order: Sql; isAscending: boolean; bounds: Sql[] } | null;
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
  const isListAscending = direction === 'ASC';
  const isAscending = isListAscending !== isBackward;
  // Names had the order of bytes once: a walk that began in that one would skip some, so that its cursors are refused.
  const tag = `${name}:${field}${keys.some(({ type }) => type === 'name') ? ':names' : ''}`;
  const codec = scope.codecOf(listing);
  const keysOf = (text: string, argument: string) =>
    codec ? codec.keysOf(text, argument) : decodeCursor(text, tag, keys, argument);
  const valuesOf = (argument: 'after' | 'before') =>
    keys.map((_key, index) => args.param<string>(argument).map((cursor) => keysOf(cursor, argument)[index] as string));
  const [later, earlier] = isListAscending ? (['>', '<'] as const) : (['<', '>'] as const);
  const after = args.given('after') ? valuesOf('after') : null;
  const before = args.given('before') ? valuesOf('before') : null;
  scope.validations.push(...(after ?? []), ...(before ?? []));
  const orderOf = (row: Row, ascending: boolean) =>
    sql.join(keys.map((key) => sql`${row.col(key.property)} ${ascending ? sql`asc` : sql`desc`}`));
  return {
    size,
    isBackward,
    isAscending,
    order: (row) => orderOf(row, isAscending),
    bounds: (row) => [
      ...(after ? [compared(row, keys, later, after)] : []),
      ...(before ? [compared(row, keys, earlier, before)] : []),
    ],
    beyond: (row, bound) => {
      const values = bound === 'after' ? after : before;
      if (!values) return null;
      const ascending = isListAscending === (bound === 'before');
      return {
        order: orderOf(row, ascending),
        isAscending: ascending,
        bounds: [compared(row, keys, ascending ? '>=' : '<=', values)],
      };
    },
    cursor: (row) => {
      if (!codec) return cursorOf(row, tag, keys);
      scope.usedCodecs.add(codec);
      return codec.placeholder(row);
    },
  };
}

/** `(a, b) > (x, y)`: rows on one side of a cursor; an index on the keys answers it. */
function compared(
  row: Row,
  keys: SortKey[],
  operator: '>' | '<' | '>=' | '<=',
  values: Param<string>[],
): RawBuilder<unknown> {
  const left = sql.join(keys.map((key) => row.col(key.property)));
  const sortValue = (key: SortKey, index: number) =>
    sql`${values[index]}::${sql.raw(key.type === 'name' ? 'text' : key.type)}`;
  // Rows are compared by the first key alone when PostgreSQL judges how many lie beyond a cursor: where one transaction has
  // written most of a log, none, and it would go through all of it for what a filter's index has at hand. What comes
  // out of a subselect it cannot look at.
  const isHidden = keys.some(({ type }) => type === 'xid8');
  const right = sql.join(
    keys.map((key, index) => (isHidden ? sql`(select ${sortValue(key, index)})` : sortValue(key, index))),
  );
  return sql`(${left}) ${sql.raw(operator)} (${right})`;
}
