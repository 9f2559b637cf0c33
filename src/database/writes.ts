import type { EntityName, EventSubscriber, FlushEventArgs, RequiredEntityData } from '@mikro-orm/core';
import type { SqlEntityManager as Em } from '@mikro-orm/postgresql';
import { preparedToGoAlong } from './prepared.js';
import { query } from './query.js';

/** A statement that writes, with `$1` in the place of its values. */
interface Write {
  text: string;
  values: readonly unknown[];
}

/** Rows of one table, by column. */
interface Rows {
  columns: Set<string>;
  rows: Record<string, unknown>[];
}

/** What a column is filled with: the value of one statement, an array with an element for each row. */
export interface Filled<Property extends string> extends Write {
  property: Property;
}

/** What the ORM knows of a table. */
interface Table {
  tableName: string;
  properties: Record<string, { fieldNames: string[] }>;
}

/** What a transaction writes at its end. */
interface Pending {
  writes: Write[];
  inserts: Map<string, Rows>;
}

const pending = new WeakMap<object, Pending>();

/** Texts of all that a transaction writes, by those of its parts: as many as there are kinds of transactions. */
const together = new Map<string, string>();

/**
 * Writes at the end of the transaction, together with all that it writes by this and by `insert`: one statement for the
 * whole, and one round trip. Each sees the rows as they were before all of them, so no two may change the same row.
 */
export function write(em: Em, text: string, values: readonly unknown[]): void {
  pendingOf(em).writes.push({ text, values });
}

/** Inserts a row at the end of the transaction, with the others of its table. Of columns that none of them names the table says what they are. */
export function insert<Entity extends object>(
  em: Em,
  entity: EntityName<Entity>,
  row: RequiredEntityData<Entity>,
): void {
  const table: Table = em.getMetadata().get(entity as never);
  const { inserts } = pendingOf(em);
  const { columns, rows } = inserts.get(table.tableName) ?? { columns: new Set(), rows: [] };
  inserts.set(table.tableName, { columns, rows });
  rows.push(rowOf(table, columns, row));
}

/** The same with rows of which one property is known to the database alone. */
export function insertFilled<Entity extends object, Property extends string & keyof RequiredEntityData<Entity>>(
  em: Em,
  entity: EntityName<Entity>,
  given: readonly Omit<RequiredEntityData<Entity>, Property>[],
  { property, text, values }: Filled<Property>,
): void {
  const table: Table = em.getMetadata().get(entity as never);
  const columns = new Set<string>();
  const rows = given.map((row) => rowOf(table, columns, row));
  const list = listOf(columns);
  write(
    em,
    `with "filled" as materialized (${numberedAfter(1, text)})
    insert into "${table.tableName}" (${list}, "${columnOf(table, property)}")
    select ${list}, (select * from "filled")[ordinality::int]
    from json_populate_recordset(null::"${table.tableName}", $1::text::json) with ordinality`,
    [JSON.stringify(rows), ...values],
  );
}

const listOf = (columns: ReadonlySet<string>) => [...columns].map((column) => `"${column}"`).join();

/** A statement whose values come after so many others. */
const numberedAfter = (count: number, text: string) =>
  text.replaceAll(/\$(\d+)/g, (_, number) => `$${count + Number(number)}`);

function rowOf(table: Table, columns: Set<string>, row: object): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value === undefined) continue;
    const column = columnOf(table, name);
    columns.add(column);
    values[column] = value;
  }
  return values;
}

function columnOf({ tableName, properties }: Table, name: string): string {
  const column = properties[name]?.fieldNames[0];
  if (column === undefined) throw new Error(`${tableName} has no ${name}`);
  return column;
}

/** Writes what transactions have left to their end: where the ORM flushes, after its own rows, as it does before a commit. */
export const writesAtFlush: EventSubscriber = {
  afterFlush: async ({ em }: FlushEventArgs) => {
    const { writes, inserts } = pending.get(em) ?? {};
    pending.delete(em);
    if (!writes || !inserts) return;
    const all = [...writes, ...[...inserts].map(([table, rows]) => insertion(table, rows))];
    await query(
      em as Em,
      inOne(all),
      all.flatMap(({ values }) => values),
    );
  },
};

function pendingOf(em: Em): Pending {
  if (!em.isInTransaction()) throw new Error('what is left to the end of a transaction needs one');
  const known = pending.get(em) ?? { writes: [], inserts: new Map() };
  pending.set(em, known);
  return known;
}

/** The rows as one parameter: however many there are, the text is the same. */
function insertion(table: string, { columns, rows }: Rows): Write {
  const list = listOf(columns);
  return {
    text: `insert into "${table}" (${list}) select ${list} from json_populate_recordset(null::"${table}", $1::text::json)`,
    values: [JSON.stringify(rows)],
  };
}

function inOne(writes: readonly Write[]): string {
  const key = writes.map(({ text }) => text).join(';');
  const known = together.get(key);
  if (known) return known;
  let before = 0;
  const parts = writes.map(({ text, values }, place) => {
    const numbered = numberedAfter(before, text);
    before += values.length;
    return `"write_${place}" as (${numbered})`;
  });
  const text = preparedToGoAlong('writes', `with ${parts.join(', ')} select`);
  together.set(key, text);
  return text;
}
