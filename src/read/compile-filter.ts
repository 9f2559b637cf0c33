import { sql } from 'kysely';
import { type Listing, PARENT } from './model.js';
import type { Args } from './param.js';
import { type Row, type Sql } from './row.js';

/** A filter that is read as one page per value. */
export interface ValueUnion {
  /** Property of the column that has the values. */
  key: string;
  /** A query of the values. */
  values: Sql;
  /** The filter that it stands for. */
  replaces: string | undefined;
}

/** The filter that is read as one page per value; none where another one, or what is around the list, narrows more. */
export function perValueUnionOf(listing: Listing, filter: Args, isNarrowed: boolean): ValueUnion | null {
  const unions = listing.perValueUnions ?? {};
  if (isNarrowed || !filter.names.every((name) => unions[name] || name === 'from' || name === 'to')) return null;
  for (const [name, { key, isList, values }] of Object.entries(unions)) {
    if (!filter.given(name)) continue;
    if (isList && namesOne(filter, name)) return null;
    return { key, values: values(filter.param(name)), replaces: isList ? name : undefined };
  }
  return null;
}

/** The conditions of a filter on a row. @param without the filter that is told otherwise */
export function filterConditions(
  listing: Listing,
  row: Row,
  filter: Args,
  isNarrowed: boolean,
  without?: string,
): Sql[] {
  const names = filter.names.filter((name) => name !== without);
  const narrowedBy = new Set([...filter.names, ...(isNarrowed ? [PARENT] : [])]);
  return names.map((name) => {
    const union = listing.perValueUnions?.[name];
    if (union?.isList && namesOne(filter, name)) {
      const only = filter.param<readonly string[]>(name).map((list) => list[0]);
      return sql`${row.col(union.key)} = ${only}::text`;
    }
    const condition = listing.filters[name];
    if (!condition) throw new Error(`The read model does not know the filter ${name}`);
    return condition(row, filter.param(name), () => filter.known(name), narrowedBy);
  });
}

/** Whether a filter by a list has a single value: most do, and then an index has its rows in order. */
function namesOne(filter: Args, name: string): boolean {
  return filter.knownAs(name, (list: readonly unknown[] | null | undefined) => list?.length === 1);
}
