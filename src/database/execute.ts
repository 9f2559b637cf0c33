import type { PGlite } from '@electric-sql/pglite';
import { PgliteDriver } from '@mikro-orm/pglite';
import { GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Refusals } from '../graphql/refusals.js';
import type { AbortFlag } from '../lib/abort-flag.js';
import { cancellableReads, clientGone, type Pool, type PoolStatement } from './cancellable-pool.js';
import { limitStatements, queryWithin } from './embedded-limit.js';
import type { Lanes, Turn } from './lanes.js';
import type { Orm } from './orm.js';
import { MAXIMUM_ANSWER_BYTES, type Statement, TOO_LARGE } from './statement.js';

/**
 * Runs the statement of a plan; answers the JSON text that PostgreSQL made. When the client has gone the read ends:
 * embedded, where statements run one after another in this process, only one that has not begun.
 * @throws UNAVAILABLE, that nobody reads, once the client has gone
 * @throws LIMIT_EXCEEDED where the answer is larger than `MAXIMUM_ANSWER_BYTES`
 */
export type Execute = (plan: Statement, parameters: unknown[], turn: Turn) => Promise<string>;
export type { Turn };

/** From this many runs on a plan is a prepared statement. Below it would only fill the server's memory. */
const PREPARED_FROM_RUN = 3;
/** From this wait on a statement is told that it has less time than others. */
const WORTH_A_ROUND_TRIP_MS = 50;
/** Most prepared statements of a process: each connection keeps its own until it ends. */
const MAXIMUM_PREPARED = 1_000;

/** SQLSTATE of a statement that its limit, or its client, has ended. */
const QUERY_CANCELED = '57014';

/** What statements are bounded by. */
export interface ExecuteLimits {
  /** Let users' reads run in turn. */
  lanes: Lanes;
  /** Longest statement, its wait for a connection included; 0: no limit. */
  statementTimeoutMs: number;
  /** Hears of statements that took too long, and of answers that are too large. */
  refusals: Refusals;
}

/** The ORM's connections to a server. */
export async function poolOf(orm: Orm): Promise<Pool> {
  return (await nativeOf(orm)) as Pool;
}

/** The embedded database behind the ORM. */
export async function embeddedOf(orm: Orm): Promise<PGlite> {
  return (await nativeOf(orm)) as PGlite;
}

function nativeOf(orm: Orm): Promise<unknown> {
  return (orm.em.getConnection() as unknown as { getNativeClient(): Promise<unknown> }).getNativeClient();
}

/**
 * Runs plans on the ORM's own connections, past its hydration: nothing is parsed that is only passed on.
 */
export async function createExecute(orm: Orm, limits: ExecuteLimits): Promise<Execute> {
  const run = await (orm.driver instanceof PgliteDriver ? onEmbedded : onServer)(orm, limits);
  const { lanes, refusals } = limits;
  return async (plan, parameters, turn) => {
    try {
      return textOf(await lanes.run(turn, (waitedMs) => run(plan, parameters, turn.abort, waitedMs)));
    } catch (error) {
      if (turn.abort?.aborted) throw clientGone();
      const told = toClientError(error);
      const bound = boundOf(told);
      if (bound) refusals.note(bound);
      throw told;
    }
  };
}

/** Runs a statement whose turn has come. */
type Run = (plan: Statement, values: unknown[], abort: AbortFlag | undefined, waitedMs: number) => Promise<Rows>;

async function onEmbedded(orm: Orm, { statementTimeoutMs }: ExecuteLimits): Promise<Run> {
  const pglite = await embeddedOf(orm);
  if (statementTimeoutMs > 0) await limitStatements(pglite, statementTimeoutMs);
  return async (plan, values, abort, waitedMs) => {
    if (abort?.aborted) throw clientGone();
    const limitMs = limitAfter(waitedMs, statementTimeoutMs);
    return limitMs === null
      ? pglite.query<[string]>(plan.text, values, { rowMode: 'array' })
      : queryWithin(pglite, limitMs, plan.text, values);
  };
}

async function onServer(orm: Orm, { statementTimeoutMs }: ExecuteLimits): Promise<Run> {
  const cancellable = cancellableReads(await poolOf(orm));
  const prepared = new Set<string>();
  return (plan, values, abort, waitedMs) => {
    plan.runs += 1;
    if (plan.runs >= PREPARED_FROM_RUN && prepared.size < MAXIMUM_PREPARED) prepared.add(plan.name);
    const name = prepared.has(plan.name) ? plan.name : undefined;
    const statement: PoolStatement = { name, text: plan.text, values, rowMode: 'array' };
    return cancellable.run(statement, abort, limitAfter(waitedMs, statementTimeoutMs));
  };
}

/** The bound that a statement was beyond. */
function boundOf(error: unknown): string | null {
  if (codeOf(error) === QUERY_CANCELED) return 'statementTime';
  return error instanceof GraphQLError && error.extensions['limit'] === ANSWER_BYTES ? ANSWER_BYTES : null;
}

/** The bound of an answer, as refusals and `/metrics` name it. */
const ANSWER_BYTES = 'answerBytes';

const tooLarge = () =>
  codedError(
    ErrorCode.LIMIT_EXCEEDED,
    `The answer is larger than ${MAXIMUM_ANSWER_BYTES / 2 ** 20} MiB. Ask for less: smaller pages, fewer lists inside lists.`,
    { extensions: { limit: ANSWER_BYTES } },
  );

/** PostgreSQL's own limit of a value, 1 GB, comes before it can be told how large the answer is. */
const toClientError = (error: unknown) => (codeOf(error) === '54000' ? tooLarge() : error);

const codeOf = (error: unknown) => (error as { code?: unknown } | null)?.code;

/** The time of a statement that has waited; null where it has hardly waited, and so has the time of its connection. */
function limitAfter(waitedMs: number, statementTimeoutMs: number): number | null {
  if (statementTimeoutMs <= 0 || waitedMs <= WORTH_A_ROUND_TRIP_MS) return null;
  return Math.max(1, statementTimeoutMs - Math.floor(waitedMs));
}

/** What a statement answers, one text. */
interface Rows {
  rows: [string][];
}

function textOf({ rows }: Rows): string {
  const [text] = rows[0] as [string];
  if (text !== TOO_LARGE) return text;
  throw tooLarge();
}
