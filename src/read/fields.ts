import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { idPrefixes, type NodeType, patternOf } from '../domain/global-id.js';
import { computed, type KeyColumn, type Leaf, type PerValueUnion, type Reference, UUID_KEY } from './model.js';
import type { Param } from './param.js';
import { type Row, type Sql } from './row.js';

/** The global id of the row. */
export function globalId(type: NodeType, key: readonly KeyColumn[] = UUID_KEY): Leaf {
  return computed((row) => {
    const parts = key.map(({ property }) => row.col(property));
    return sql`${`${idPrefixes[type]}_`}::text || ${sql.join(parts, sql` || '_' || `)}`;
  });
}

/** What a column's global id names, where it holds one of these types and not another text. */
export function reference(property: string, types: readonly NodeType[]): { nodeId: Leaf; node: Reference } {
  const nodeId = (row: Row) => sql`case when ${row.col(property)} ~ ${patternOf(types)} then ${row.col(property)} end`;
  return { nodeId: computed(nodeId), node: { kind: 'reference', types, globalId: nodeId } };
}

/** Whether a text holds another, in any case; blanks around it do not count, and the wildcards of LIKE stand for themselves. */
export function contains(text: Sql, part: Param<string>): RawBuilder<SqlBool> {
  return sql<SqlBool>`${text} ilike ${part.map((value) => `%${value.trim().replace(/[\\%_]/g, '\\$&')}%`)}`;
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
