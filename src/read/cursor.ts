import { sql } from 'kysely';
import { badUserInput } from '../graphql/errors.js';
import { isLowerCaseUuid } from '../lib/uuid.js';
import { type SortKey, type SortType } from './model.js';
import { instant, type Row, type Sql } from './row.js';

/** A name of a company, in base64 and with all else that a cursor holds, is shorter. */
const MAXIMUM_CURSOR_LENGTH = 8_000;
/** PostgreSQL knows neither a year 0 nor a 31 February; JavaScript knows both. */
const isInstant = (text: string) =>
  !text.startsWith('0000') && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text;
const isBelow2To63 = (text: string) => /^\d{1,19}$/.test(text) && BigInt(text) < 2n ** 63n;

/** Whether a text may stand for a value of the type. Cursors are hostile input: nothing else reaches the database. */
const fits: Record<SortType, (text: string) => boolean> = {
  name: (text) => !text.includes('\0'),
  text: (text) => !text.includes('\0'),
  uuid: isLowerCaseUuid,
  timestamptz: (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && isInstant(text),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && isInstant(`${text}T00:00:00.000Z`),
  bigint: isBelow2To63,
  // The keys of cursors that are signed.
  xid8: isBelow2To63,
};

/**
 * The cursor of a row, made by PostgreSQL: base64 of a JSON array, of a tag that says which list and order it is from, and
 * of the values of the sort keys.
 */
export function cursorOf(row: Row, tag: string, keys: SortKey[]): Sql {
  const values = keys.map((key) =>
    key.type === 'timestamptz' ? instant(row.col(key.property)) : sql`${row.col(key.property)}::text`,
  );
  // encode() breaks lines after 76 characters; json_build_array would put a blank after each comma.
  const text = sql`'[' || to_json(${tag}::text)::text || ${sql.join(
    values.map((value) => sql`',' || to_json(${value})::text`),
    sql` || `,
  )} || ']'`;
  return sql`translate(encode(convert_to(${text}, 'UTF8'), 'base64'), E'\n', '')`;
}

/**
 * The values of the sort keys in a cursor that a client sent.
 * @throws BAD_USER_INPUT naming the argument
 */
export function decodeCursor(text: string, tag: string, keys: SortKey[], argument: string): string[] {
  const wrong = () => badUserInput(argument, 'must be a cursor that this list gave, in the same order');
  if (text.length > MAXIMUM_CURSOR_LENGTH) throw wrong();
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  } catch {
    throw wrong();
  }
  if (!Array.isArray(parts) || parts.length !== keys.length + 1 || !parts.every((part) => typeof part === 'string'))
    throw wrong();
  const [given = '', ...values] = parts as string[];
  if (given !== tag || !keys.every((key, index) => fits[key.type](values[index] as string))) throw wrong();
  return values;
}
