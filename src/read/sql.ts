import { type RawBuilder, sql } from 'kysely';
import type { Selected } from './operation.js';
import type { Sql } from './row.js';

/** ` where a and b`, or nothing. */
export function whereAll(conditions: Sql[]): RawBuilder<unknown> {
  return conditions.length > 0 ? sql` where ${sql.join(conditions, sql` and `)}` : sql``;
}

/** `a as "x", b as "y"` */
export function columnsOf(selected: Selected[]): RawBuilder<unknown> {
  // A GraphQL name cannot hold "$": the row's own alias never clashes with a response key.
  return sql.join(selected.map(({ key, value }) => sql`${value} as ${sql.id(key)}`));
}

/** JSON object of expressions over rows in reach. */
export function jsonOf(selected: Selected[]): RawBuilder<unknown> {
  return sql`(select to_json("$row") from (select ${columnsOf(selected)}) as "$row")`;
}
