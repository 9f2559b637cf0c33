import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { idPrefixes, type NodeType } from '../domain/global-id.js';
import { computed, type Leaf, type PerValueUnion, type Sql } from './model.js';
import type { Param } from './param.js';

/** The global id of the row. */
export function globalId(type: NodeType): Leaf {
  return computed((row) => sql`${`${idPrefixes[type]}_`}::text || ${row.col('id')}`);
}

/** Whether a text holds another, in any case; the wildcards of LIKE stand for themselves. */
export function contains(text: Sql, part: Param<string>): RawBuilder<SqlBool> {
  return sql<SqlBool>`${text} ilike ${part.map((value) => `%${value.replace(/[\\%_]/g, '\\$&')}%`)}`;
}

/** Whether a value is one of the list. */
export function among(value: Sql, list: Param<readonly string[]>): RawBuilder<SqlBool> {
  return sql<SqlBool>`${value} = any(${list}::text[])`;
}

/** Whether an instant is at or after the bound. */
export function since(instant: Sql, bound: Param<Date>): RawBuilder<SqlBool> {
  return sql<SqlBool>`${instant} >= ${bound.map((value) => value.toISOString())}::timestamptz`;
}

/** Whether an instant is before the bound. */
export function before(instant: Sql, bound: Param<Date>): RawBuilder<SqlBool> {
  return sql<SqlBool>`${instant} < ${bound.map((value) => value.toISOString())}::timestamptz`;
}

/** A list of values of the column `key`. */
export function eachOf(key: string): PerValueUnion {
  return {
    key,
    isList: true,
    values: (list: Param<readonly string[]>) => sql`select distinct unnest(${list}::text[])`,
  };
}
