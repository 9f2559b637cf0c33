import type { EntityMetadata } from '@mikro-orm/core';
import { type Expression, type RawBuilder, sql } from 'kysely';

/** An SQL expression; identifiers and values in it are Kysely's job. */
export type Sql<T = unknown> = Expression<T>;

/** One row in a statement under construction: names its columns by the entity's property names. */
export class Row {
  constructor(
    readonly alias: string,
    private readonly meta: EntityMetadata | null,
    /** What the viewer is shown of a column, where that is not always what it holds. */
    private readonly shown: (property: string, column: RawBuilder<unknown>) => RawBuilder<unknown> = (_, column) =>
      column,
  ) {}

  /** A reference to the column of a property, or of that very name where the source is a query. */
  col(property: string): RawBuilder<unknown> {
    const name = this.meta ? this.meta.properties[property as never]?.['fieldNames'][0] : property;
    if (!name) throw new Error(`${this.meta?.className} has no property ${property}`);
    return this.shown(property, sql.ref(`${this.alias}.${name}`));
  }

  /**
   * The id of the customer at the end of a way: each property but the last leads to the row of another table, the last one
   * holds the id. An empty way: the row is the customer.
   */
  customer(way: readonly string[]): RawBuilder<unknown> {
    const [first = 'id', ...others] = way;
    if (others.length === 0) return this.col(first);
    const owner = new Row(`${this.alias}_owner`, this.meta?.properties[first as never]?.['targetMeta'] ?? null);
    if (!owner.meta) throw new Error(`${this.meta?.className}.${first} leads to no table`);
    return sql`(select ${owner.customer(others)} from ${sql.table(owner.meta.tableName)} as ${sql.id(owner.alias)} where ${owner.col('id')} = ${this.col(first)})`;
  }

  /** The column in the form in which it goes over the wire: instants in ISO 8601 UTC, decimals and big integers as text. */
  wire(property: string): Sql {
    const column = this.col(property);
    const type = this.meta?.properties[property as never]?.['columnTypes'][0] ?? '';
    if (type.startsWith('timestamptz')) return instant(column);
    if (type === 'date' || type === 'numeric' || type === 'bigint' || type === 'bigserial' || type === 'xid8')
      return sql`${column}::text`;
    return column;
  }
}

/** An instant as ISO 8601 text in UTC, with milliseconds. */
export function instant(expression: Sql): Sql<string> {
  return sql<string>`to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
