import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { plainText, readCsvRecords } from '../files/csv-records.js';
import { FileRefused } from '../files/file-refused.js';
import { openFile, type Progress } from '../files/open-file.js';
import { quoted, withoutStop } from '../files/shown-text.js';
import { columnOf, judgeColumns, type ReconciliationColumn } from './columns.js';

/** In which form a reconciliation file is: Partner Center's, or the billing export's with one object a line. */
export type ReconciliationFormat = 'CSV' | 'JSON_LINES';

/** The cells of a row as text, trimmed, by the names that this gateway has for them; what is empty or left out is ''. */
export type ReconciliationCells = Readonly<Partial<Record<ReconciliationColumn, string>>>;

/** A row of a file; `line` counts from 1, a header included. */
export type ReconciliationLine =
  /** `content` is the whole row as it stands, columns that are not known among them: a JSON object as text. */
  { line: number; cells: ReconciliationCells; content: string } | { line: number; unreadable: string };

/** What a file says of itself before its rows. */
export interface ReconciliationHeader {
  format: ReconciliationFormat;
  /** Names as they are written, in their order; of the billing export those of the first line. */
  columns: string[];
  /** Those of them that are not known; they are kept with their rows. */
  unknown: string[];
}

/** A line of the billing export is one row: more than this is another file. */
const MAX_LINE_CHARACTERS = 1024 * 1024;

/** SHA-256 of the bytes of a file, in hexadecimal digits. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * Tells which of the two formats a file is in: JSON begins with a brace, whatever the file is packed in.
 * @throws {FileRefused} where it is a JSON document, or cannot be opened
 */
export async function formatOf(path: string): Promise<ReconciliationFormat> {
  for await (const text of textOf(path)) {
    const start = text.trimStart()[0];
    if (start === '[')
      throw new FileRefused('This is one JSON document. The files of the billing export have one object a line.');
    if (start !== undefined) return start === '{' ? 'JSON_LINES' : 'CSV';
  }
  throw new FileRefused('The file is empty.');
}

/**
 * Reads a reconciliation file row by row, its header first: CSV, or JSON lines as of the billing export, plain, zipped or
 * gzipped. Columns come in any order and under any of their names. Memory does not grow with the file.
 * @throws {FileRefused} where the file as a whole cannot be taken
 */
export async function* readReconciliationLines(
  path: string,
  onProgress?: Progress,
): AsyncGenerator<ReconciliationHeader | ReconciliationLine> {
  const format = await formatOf(path);
  yield* format === 'CSV' ? readCsv(path, onProgress) : readJson(path, onProgress);
}

async function* readCsv(
  path: string,
  onProgress?: Progress,
): AsyncGenerator<ReconciliationHeader | ReconciliationLine> {
  let columns: string[] = [];
  let known: (ReconciliationColumn | undefined)[] = [];
  let keys: string[] = [];
  for await (const row of readCsvRecords(path, onProgress)) {
    if ('header' in row) {
      columns = namesOf(row.header);
      known = columns.map(columnOf);
      keys = columns.map((name) => `${JSON.stringify(name)}:`);
      yield { format: 'CSV', columns, unknown: judgeColumns(columns) };
    } else if ('unreadable' in row) yield row;
    else if (row.record.length !== columns.length)
      yield {
        line: row.line,
        unreadable: `has ${row.record.length} columns where the header has ${columns.length}`,
      };
    else {
      const cells: Partial<Record<ReconciliationColumn, string>> = {};
      for (const [at, cell] of row.record.entries()) {
        const column = known[at];
        if (column) cells[column] = cell.trim();
      }
      const content = row.record.map((cell, at) => keys[at] + JSON.stringify(cell));
      yield kept(row.line, cells, `{${content.join()}}`);
    }
  }
}

/** A header whose columns can be told apart: what has no name gets its number, what is there again too. */
function namesOf(header: readonly string[]): string[] {
  const names = header.map((name) => name.trim());
  return names.map((name, at) => {
    const isAgain = names.indexOf(name) !== at && columnOf(name) === undefined;
    return name === '' || isAgain ? `${name || 'column'} ${at + 1}` : name;
  });
}

async function* readJson(
  path: string,
  onProgress?: Progress,
): AsyncGenerator<ReconciliationHeader | ReconciliationLine> {
  let hasHeader = false;
  let rows = 0;
  for await (const { line, text } of linesOf(path, onProgress)) {
    if (text.trim() === '') continue;
    const row = parseObject(text);
    rows += 1;
    if (!row) {
      yield { line, unreadable: `is no JSON object: ${quoted(text)}` };
      continue;
    }
    if (!hasHeader) {
      const columns = Object.keys(row);
      yield { format: 'JSON_LINES', columns, unknown: judgeColumns(columns) };
      hasHeader = true;
    }
    const cells: Partial<Record<ReconciliationColumn, string>> = {};
    for (const [name, value] of Object.entries(row)) {
      const column = columnOf(name);
      if (column) cells[column] = value.trim();
    }
    yield kept(line, cells, text);
  }
  if (!hasHeader) throw new FileRefused(rows > 0 ? 'No line of the file is a JSON object.' : 'The file holds no rows.');
}

/** A row that a database can hold. */
function kept(line: number, cells: ReconciliationCells, content: string): ReconciliationLine {
  if (/\\u0000/i.test(content)) return { line, unreadable: 'holds a control character' };
  if (content.includes('\ufffd')) return { line, unreadable: 'is not UTF-8 text; download the file again' };
  return { line, cells, content };
}

/** The values of an object as text; a number as it was written, for a float would round it. Null where it is no object. */
function parseObject(text: string): Record<string, string> | null {
  const exact = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, exact as (key: string, value: unknown) => unknown);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [
      name,
      value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}

async function* linesOf(path: string, onProgress?: Progress): AsyncGenerator<{ line: number; text: string }> {
  let line = 0;
  let held = '';
  for await (const text of textOf(path, onProgress)) {
    const lines = (held + text).split('\n');
    held = lines.pop() as string;
    if (held.length > MAX_LINE_CHARACTERS)
      throw new FileRefused(`Line ${line + lines.length + 1} is longer than a row of the billing export can be.`);
    for (const each of lines) yield { line: ++line, text: each };
  }
  if (held !== '') yield { line: line + 1, text: held };
}

async function* textOf(path: string, onProgress?: Progress): AsyncGenerator<string> {
  const { stream, close } = await openFile(path, onProgress, /\.(csv|jsonl?)$/i);
  const decoder = plainText();
  decoder.setEncoding('utf8');
  const pumping = pipeline(stream as Readable, decoder).catch(() => undefined);
  stream.on('error', (error) => decoder.destroy(error));
  try {
    for await (const text of decoder) yield text as string;
  } catch (error) {
    throw error instanceof FileRefused
      ? error
      : new FileRefused(`The file cannot be read: ${withoutStop((error as Error).message)}.`);
  } finally {
    decoder.destroy();
    stream.destroy();
    await pumping;
    close();
  }
}
