import { randomBytes, randomUUID } from 'node:crypto';

/** What a trigger or a sequence makes: the bare statements leave it to them as the gateway does. */
const MADE = new Set(['seq', 'xid', 'at', 'revision']);

/**
 * The rows that the gateway wrote for one order, as insert statements that write them again under new ids: text and
 * values, by table.
 */
export async function rowsOf(client, orderId, wanted) {
  const tables = [];
  for (const { table, where } of wanted) {
    const { rows: columns } = await client.query(
      `select column_name as name from information_schema.columns
       where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER' order by ordinal_position`,
      [table],
    );
    const names = columns.map(({ name }) => name).filter((name) => !MADE.has(name));
    const list = names.map((name) => `"${name}"`).join();
    const { rows } = await client.query({
      text: `select ${names.map((name) => `"${name}"::text`).join()} from "${table}" where ${where}`,
      values: [orderId],
      rowMode: 'array',
    });
    // One statement for all rows of a table, as whoever writes SQL by hand would.
    const places = rows.map((_, row) => `(${names.map((_, at) => `$${row * names.length + at + 1}`).join()})`);
    const text = `insert into "${table}" (${list}) values ${places.join()}`;
    if (rows.length > 0) tables.push({ table, text, values: rows.flat() });
  }
  return tables;
}

/** Statements with new ids in the place of those that rows of their own had. @param known ids that are old, with new ones */
export function renamed(statements, fresh) {
  const rename = (value) => {
    if (typeof value !== 'string') return value;
    let text = value;
    for (const [old, id] of fresh) if (text.includes(old)) text = text.replaceAll(old, id);
    return text;
  };
  return statements.map(({ table, text, values }) => ({
    name: `write ${table} ${text.length}`,
    text,
    values: values.map(rename),
  }));
}

/** New ids for old ones: of rows, and of numbers that people read. */
export const freshOf = (uuids, numbers) =>
  new Map([
    ...uuids.map((old) => [old, randomUUID()]),
    ...numbers.map((old) => [old, randomBytes(6).toString('hex').slice(0, old.length)]),
  ]);
