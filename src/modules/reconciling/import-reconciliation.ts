import { randomUUID } from 'node:crypto';
import type { Actor } from '../../activity-log/record-activity.js';
import type { Orm } from '../../database/orm.js';
import { newId } from '../../domain/ids.js';
import { StatementKind } from '../../domain/reconciliation.js';
import { FileRefused } from '../../partner-center/files/file-refused.js';
import type { Progress } from '../../partner-center/files/open-file.js';
import { hashOf, readReconciliationLines } from '../../partner-center/reconciliation/read-lines.js';
import { type Fault, type Oddity, readRow } from '../../partner-center/reconciliation/row.js';
import { inferSpelling, type Spelling } from '../../partner-center/reconciliation/spelling.js';
import { type CreatedRecords, createRecords, isEmptyGateway } from './create-records.js';
import { type JudgedLine, judgedLines, judgeLines, type VerdictCount } from './judge-lines.js';
import { type KeptStatement, keepReconciliation, knownReconciliations } from './keep-reconciliation.js';
import { matchLines } from './match-lines.js';
import {
  type Connection,
  closeStage,
  lockReconciliations,
  openStage,
  type StagedFacts,
  type StagedRow,
  stagedFacts,
  stageRows,
} from './staged-rows.js';

/** Why a row is not taken; `column` is null where the row as a whole cannot be read. */
export interface RowRefusal {
  line: number;
  column: Fault['column'] | null;
  value: string;
  reason: string;
}

/** How to import. */
export interface ReconciliationOptions {
  actor: Actor;
  now: Date;
  /** First day of the file's month, where the reader says it. */
  month?: string | undefined;
  /** How the file writes dates and numbers, as far as the reader says it. */
  spelling?: Partial<Spelling>;
  /** What amounts may differ by and count as equal, as a decimal string. */
  tolerance: string;
  /** The eTag of the manifest of the billing export that the file is of, where the reader has it. */
  manifestEtag?: string | null;
  /** Says what would come out and keeps nothing. */
  dryRun?: boolean;
  /** Creates the customers that are not known, with all that the file says of them; an empty gateway has that unasked. */
  createUnknown?: boolean;
  /** Takes the good rows of a file that has refused ones; without it such a file leaves no trace. */
  keepGood?: boolean;
  onProgress?: Progress | undefined;
  onRefusal?: (refusal: RowRefusal) => void;
  /** Hears of the judged lines in the order of the file, and then of what is missing there. */
  onJudged?: (lines: JudgedLine[], file: { sha256: string; currency: string }) => void;
}

/** What an import found, or in a dry run would find. */
export interface ReconciliationSummary {
  sha256: string;
  rows: number;
  refusedRows: number;
  /** Columns that are not known, and kept. */
  unknownColumns: string[];
  /** What was odd about rows that were taken: how many, and the first line. */
  oddities: Partial<Record<Oddity, { rows: number; line: number }>>;
  month: string;
  currency: string;
  kind: StatementKind;
  invoiceNumber: string | null;
  /** Sum of Total. */
  total: string;
  verdicts: VerdictCount[];
  /** What was created of customers who were not known; null where nothing was to be. */
  created: CreatedRecords | null;
  /** Whether this file was imported before: then only what came of it is new. */
  isKnown: boolean;
  /** Names of files with an older version of the invoice, whose place this one took. */
  replaced: string[];
  kept: boolean;
}

/** Rows sent to the database at a time; about a megabyte. */
const BATCH_ROWS = 500;

/**
 * Imports a reconciliation file: holds each of its lines against our invoices of its month, the one before and the one
 * after, and keeps what came of it beside the evidence. Rows are staged on one connection while the file is read, so that
 * memory does not grow with it; then one transaction compares and writes. The same file again adds nothing, and is
 * compared anew; another version of the same invoice takes the place of the older one.
 * @throws {FileRefused} where nothing can be imported at all
 */
export async function importReconciliation(
  orm: Orm,
  path: string,
  fileName: string,
  options: ReconciliationOptions,
): Promise<ReconciliationSummary> {
  const header = await inferSpelling(path, options.spelling ?? {});
  const sha256 = await hashOf(path);
  const database: Connection = orm.em.fork().getKysely();
  return database.connection().execute(async (connection) => {
    if (!(await lockReconciliations(connection)))
      throw new FileRefused('Another import runs on this database. Wait for it, then try again.');
    try {
      await openStage(connection);
      const read = await stageFile(connection, path, header, options);
      if ((await hashOf(path)) !== sha256)
        throw new FileRefused('The file changed while it was read. Import it again.');
      const facts = await stagedFacts(connection);
      const statement: KeptStatement = {
        ...describe(facts, options.month),
        sha256,
        fileName,
        format: header.format,
        columns: header.columns,
        rows: facts.rows,
        refusedRows: read.refusedRows,
        total: facts.total,
        tolerance: options.tolerance,
        manifestEtag: options.manifestEtag ?? null,
      };
      const kept = !options.dryRun && (read.refusedRows === 0 || options.keepGood === true);
      const done = await compare(orm, connection, statement, kept, options);
      const { month, currency, kind, invoiceNumber, total } = statement;
      const what = { sha256, rows: facts.rows + read.refusedRows, month, currency, kind, invoiceNumber, total };
      return { ...what, ...read, unknownColumns: header.unknown, ...done, kept };
    } finally {
      await closeStage(connection);
    }
  });
}

/** Reads the file into the stage. */
async function stageFile(
  connection: Connection,
  path: string,
  spelling: Spelling,
  { onProgress, onRefusal }: ReconciliationOptions,
): Promise<Pick<ReconciliationSummary, 'refusedRows' | 'oddities'>> {
  const oddities: ReconciliationSummary['oddities'] = {};
  let refusedRows = 0;
  let batch: StagedRow[] = [];
  for await (const line of readReconciliationLines(path, onProgress)) {
    if ('format' in line) continue;
    const read = 'unreadable' in line ? null : readRow(line.cells, spelling);
    if (!read || 'faults' in read) {
      refusedRows += 1;
      const reasons = 'unreadable' in line ? [{ column: null, value: '', reason: line.unreadable }] : read?.faults;
      for (const fault of reasons ?? []) onRefusal?.({ line: line.line, ...fault });
      continue;
    }
    for (const oddity of read.oddities) {
      const known = oddities[oddity];
      oddities[oddity] = { rows: (known?.rows ?? 0) + 1, line: known?.line ?? line.line };
    }
    batch.push({ line: line.line, content: (line as { content: string }).content, row: read.row });
    if (batch.length < BATCH_ROWS) continue;
    await stageRows(connection, batch);
    batch = [];
  }
  if (batch.length > 0) await stageRows(connection, batch);
  return { refusedRows, oddities };
}

/**
 * What the file is of: an invoice, or several, or what is not billed yet, of which month and currency.
 * @throws {FileRefused} where its rows contradict each other, or the month cannot be told
 */
function describe(
  { rows, currencies, invoiceNumbers, unbilled, months }: StagedFacts,
  month: string | undefined,
): Pick<KeptStatement, 'month' | 'currency' | 'kind' | 'invoiceNumber' | 'invoiceNumbers'> {
  if (rows === 0) throw new FileRefused('No row of the file can be read.');
  if (currencies.length > 1)
    throw new FileRefused(`The file holds lines in ${currencies.join(' and ')}: import one for each currency.`);
  if (unbilled > 0 && unbilled < rows)
    throw new FileRefused(
      `${unbilled} of ${rows} rows have no InvoiceNumber: billed and unbilled lines are two files.`,
    );
  const [first] = months;
  if (month === undefined && (!first || first.rows * 2 <= rows))
    throw new FileRefused(
      'Most lines are charged from no one month, so that the month of the file cannot be told. Say it with --month 2026-10.',
    );
  return {
    month: month ?? (first?.month as string),
    currency: currencies[0] as string,
    kind: unbilled > 0 ? StatementKind.UNBILLED : StatementKind.BILLED,
    invoiceNumber: invoiceNumbers.length === 1 ? (invoiceNumbers[0] as string) : null,
    invoiceNumbers,
  };
}

type Compared = Pick<ReconciliationSummary, 'verdicts' | 'created' | 'isKnown' | 'replaced'>;

/** Thrown to take a comparison back of which nothing is to be kept. */
class NothingKept extends Error {}

async function compare(
  orm: Orm,
  connection: Connection,
  statement: KeptStatement,
  keep: boolean,
  { actor, now, onJudged, createUnknown }: ReconciliationOptions,
): Promise<Compared> {
  let done: Compared | undefined;
  try {
    await connection.transaction().execute(async (transaction) => {
      const known = await knownReconciliations(transaction, statement);
      const id = known.same?.id ?? newId();
      const creates = createUnknown || (await isEmptyGateway(transaction));
      const created = creates ? await createRecords(transaction, { ...statement, id, now }) : null;
      const scope = { ...statement, replaced: known.all.map(({ id }) => id) };
      await matchLines(transaction, scope);
      const verdicts = await judgeLines(transaction, scope, statement.tolerance);
      done = { verdicts, created, isKnown: known.same !== null, replaced: known.older.map(({ fileName }) => fileName) };
      if (onJudged) for await (const lines of judgedLines(transaction)) onJudged(lines, statement);
      if (!keep) throw new NothingKept();
      await keepReconciliation(orm, transaction, {
        id,
        statement,
        known,
        verdicts,
        actor,
        now,
        correlationId: randomUUID(),
      });
    });
  } catch (error) {
    if (!(error instanceof NothingKept)) throw error;
  }
  return done as NonNullable<typeof done>;
}
