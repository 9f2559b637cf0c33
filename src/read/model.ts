import { type SqlBool, sql } from 'kysely';
import type { RowRule } from '../auth/access-rule.js';
import type { NodeType } from '../domain/global-id.js';
import type { Args, Param } from './param.js';
import type { Row, Sql } from './row.js';
import type { FilterWeight, Rows } from './weights.js';

/** What every field may say of its price. */
interface Weighed {
  /** Points that it costs for each row, beyond what reading a field does (`cost/points.ts`). */
  weight?: number;
}
/** A scalar or a list of scalars. */
export interface Leaf extends Weighed {
  kind: 'leaf';
  sql(row: Row): Sql;
}
/** An object made of the same row, such as Money. */
export interface Embedded extends Weighed {
  kind: 'embedded';
  fields: Fields;
  /** The object is null where this is. */
  presence?: (row: Row) => Sql;
}
/** A union whose member is told by a value of the row. */
export interface Union extends Weighed {
  kind: 'union';
  discriminator(row: Row): Sql;
  /** GraphQL type and fields by the value of the discriminator. */
  members: Record<string, { type: string; fields: Fields }>;
}
/** At most one row of another type. */
export interface One extends Weighed {
  kind: 'one';
  type: string;
  on(parent: Row, child: Row, args: Args): Sql<SqlBool>;
  /** Which row, where several match: the first one in this order. */
  first?: (child: Row) => Sql[];
}
/** All rows of another type that belong to this one: short by nature, never paged. */
export interface Many extends Weighed {
  kind: 'many';
  type: string;
  on(parent: Row, child: Row, args: Args): Sql<SqlBool>;
  orderBy(child: Row): Sql[];
}
/** Objects that the row holds in a column, or that a query finds, in order: few by nature, without ids and never paged. */
export interface Elements extends Weighed {
  kind: 'elements';
  /** What they are read from, under the alias `as`, with columns that are named as the fields read them. */
  from(row: Row, as: Sql): Sql;
  orderBy(element: Row): Sql[];
  fields: Fields;
}
/** A page of the rows of another type that belong to this one. */
export interface NestedConnection extends Weighed {
  kind: 'connection';
  type: string;
  on(parent: Row, child: Row): Sql<SqlBool>;
}
/** The row, of one of several types that go by a UUID, that a global id names; null where the viewer reaches none. */
export interface Reference extends Weighed {
  kind: 'reference';
  types: readonly NodeType[];
  /** The global id of one of those types, or null. */
  globalId(row: Row): Sql;
}
export type Field = Leaf | Embedded | Union | One | Many | Elements | NestedConnection | Reference;
export type Fields = Record<string, Field>;
/** Fields that a module adds to types below it, by GraphQL name: the lower module need not know who leads away from it. */
export type TypeExtensions = Readonly<Record<string, Fields>>;

/** How a column is compared and put into a cursor: a name as people read it (`database/collation.ts`), a text by its bytes. */
export type SortType = 'name' | 'text' | 'timestamptz' | 'uuid' | 'date' | 'bigint' | 'xid8';
export interface SortKey {
  property: string;
  type: SortType;
}

/** What else narrows a list: the other filters by name, `PARENT` where it belongs to a row or is read for one tenant. */
export type Narrowing = ReadonlySet<string>;
export const PARENT = '(parent)';

/** A condition on a row; the value comes at each run. `known` tells it where it decides the statement's shape. */
// biome-ignore lint/suspicious/noExplicitAny: each filter says what its value is; the schema has coerced it
export type Filter = (row: Row, value: Param<any>, known: () => any, narrowedBy: Narrowing) => Sql<SqlBool>;

/** A filter that names several values of one column, each of which an index has in every order of the list. */
export interface PerValueUnion {
  /** Property of the column. */
  key: string;
  /** Whether the values are those of the filter's list: then they say all that the filter says. */
  isList?: boolean;
  /** A query of the values, each once, in one column. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  values(value: Param<any>): Sql;
}

/** Cursors that a statement cannot make by itself, such as signed ones: it writes placeholders, which are filled in after. */
export interface CursorCodec {
  /**
   * The values of the sort keys that a client's cursor holds.
   * @throws BAD_USER_INPUT naming the argument, or what else is wrong with the cursor
   */
  keysOf(cursor: string, argument: string): string[];
  /** What a statement writes in the place of a row's cursor. */
  placeholder(row: Row): Sql;
  /** JSON text of a statement with placeholders, with cursors in their places. */
  fill(text: string): string;
}

/** How a type is listed: by which filters, in which orders. */
export interface Listing {
  /** Conditions by the names of the filter input's fields. */
  filters: Record<string, Filter>;
  /** Sort keys by the values of `orderBy.field`; each ends in a unique column, so that pages neither repeat nor skip. */
  orders: Record<string, SortKey[]>;
  defaultOrder: { field: string; direction: 'ASC' | 'DESC' };
  /**
   * Filters, by name, that are read as one page per value, out of which the page is made. Else the statement would read
   * either rows until enough have the value, or all that have it. Not where another filter or a parent narrows more.
   */
  perValueUnions?: Record<string, PerValueUnion>;
  /** What else follows from the filters, said so that an index can begin where the page does. */
  derivedBounds?: (row: Row, filter: Args, ascending: boolean) => Sql[];
  /** The rows that readers may see at all, whoever they are. */
  defaultScope?: (row: Row) => Sql<SqlBool>;
  /** What filters make of the price of counting the list, by name; those left out make nothing of it. */
  weights?: Record<string, FilterWeight>;
  /** The name of the codec of its cursors, where they are not the ordinary ones of `cursor.ts`. */
  cursorCodec?: string;
}

/** A column of a primary key, and the type that a part of a global id is compared with it as. */
export interface KeyColumn {
  property: string;
  type: 'uuid' | 'text' | 'bpchar';
}
/** The key of most rows. */
export const UUID_KEY: readonly KeyColumn[] = [{ property: 'id', type: 'uuid' }];

/** The one description of how a GraphQL type is read. */
export interface ReadType {
  /** Name of the GraphQL type. */
  name: string;
  /** MikroORM entity whose table it is read from. */
  entity: string;
  /** The columns by which its global ids name a row; `UUID_KEY` where left out. */
  key?: readonly KeyColumn[];
  fields: Fields;
  /** Which rows a viewer reaches, out of the table of access; without a way to a customer, a type is not tied to a tenant. */
  rows?: RowRule | undefined;
  listing?: Listing;
}

/** How a root field is read. */
export type RootRead =
  | { kind: 'connection'; type: string }
  /** Rows of any type that implements Node, by their global ids. */
  | { kind: 'node' }
  | { kind: 'nodes' }
  | { kind: 'one'; type: string; where(row: Row, args: Args): Sql }
  | { kind: 'list'; type: string; where(row: Row, args: Args): Sql[]; orderBy(row: Row): Sql[] }
  /** Rows of a statement of its own, such as a grouping; the type reads the aliases of its columns. */
  | {
      kind: 'grouped';
      type: string;
      /** @param manyOf a table in it, of which many rows may be read */
      query(args: Args, manyOf: (table: string) => Sql): Sql;
      orderBy(row: Row): Sql[];
      /** About how many rows it answers, and the points that making them costs, by its arguments as given. */
      groups(values: Record<string, unknown>, rows: Rows): number;
      weight(values: Record<string, unknown>, rows: Rows): number;
    };
/** Root fields by name. */
export type RootReads = Record<string, RootRead>;

/** A property of the entity under its own or another name. */
export function property(name: string): Leaf {
  return { kind: 'leaf', sql: (row) => row.wire(name) };
}

/** Properties of the entity, each under its own name. */
export function properties(...names: string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, property(name)]));
}

/** A value computed in SQL, in wire form. */
export function computed(expression: Leaf['sql']): Leaf {
  return { kind: 'leaf', sql: expression };
}

/** Money of an amount column and a currency expression; null where the amount is. */
export function money(amount: (row: Row) => Sql, currency: (row: Row) => Sql): Embedded {
  return {
    kind: 'embedded',
    presence: amount,
    fields: {
      amount: computed((row) => sql`(${amount(row)})::text`),
      currency: computed((row) => sql`(${currency(row)})::text`),
    },
  };
}

/** Calendar days from one date to another, both included; null where the first is. */
export function period(start: (row: Row) => Sql, end: (row: Row) => Sql): Embedded {
  return {
    kind: 'embedded',
    presence: start,
    fields: {
      start: computed((row) => sql`(${start(row)})::text`),
      end: computed((row) => sql`(${end(row)})::text`),
    },
  };
}

/** The row of `type` whose `key` the parent's `property` holds. */
export function one(type: string, foreign: string, key = 'id'): One {
  return { kind: 'one', type, on: (parent, child) => sql<SqlBool>`${child.col(key)} = ${parent.col(foreign)}` };
}

/** All rows of `type` whose `foreign` holds the parent's id. */
export function many(type: string, foreign: string, orderBy: Many['orderBy']): Many {
  return {
    kind: 'many',
    type,
    on: (parent, child) => sql<SqlBool>`${child.col(foreign)} = ${parent.col('id')}`,
    orderBy,
  };
}

/** A page of the rows of `type` whose `foreign` holds the parent's id. */
export function connection(type: string, foreign: string): NestedConnection {
  return { kind: 'connection', type, on: (parent, child) => sql<SqlBool>`${child.col(foreign)} = ${parent.col('id')}` };
}
