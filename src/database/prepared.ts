/** Most statements that are prepared: each connection keeps its own until it ends. */
const MOST = 1_000;

/** Names of prepared statements by their text. */
const names = new Map<string, string>();

/** Texts of statements whose answers nobody looks at. */
const unanswered = new Set(['begin']);

/**
 * Says that a statement is used again and again: each connection to a server has it planned once, under a name. Values are
 * its parameters, never in the text, so that there are few such texts.
 * @param name says which one it is, in the server's views
 */
export function prepared(name: string, text: string): string {
  if (!names.has(text) && names.size < MOST) names.set(text, `${name} ${names.size}`);
  return text;
}

/**
 * The same for a statement of transactions whose answer nobody looks at: it goes to a server together with the next one of
 * its transaction, `commit` at the latest. Where it fails, that one fails with its error. `begin` goes so too, with what
 * changes nothing.
 */
export function preparedToGoAlong(name: string, text: string): string {
  unanswered.add(prepared(name, text));
  return text;
}

/**
 * A column that has the rest of the transaction's prepared statements planned once and for all: they look for single rows,
 * and planning them anew for each value costs more than they do. `admit` does the same for use cases.
 */
export const PLANNED_ONCE = `set_config('plan_cache_mode', 'force_generic_plan', true)`;

/** What node-postgres does with a statement, where it need not wait for the answer of the one before (`pipeline`). */
export interface PipelinedClient {
  query(statement: unknown, ...rest: unknown[]): unknown;
  end(): Promise<void>;
  connection: { stream: { cork(): void; uncork(): void } };
}

const NO_ROWS = { command: '', rowCount: 0, rows: [] };

/** What may go along with `begin`: where that fails, the server does the rest all the same, outside of any transaction. */
const CHANGES_NOTHING = /^\s*(select|commit|rollback)\b/i;

type Statement = readonly [statement: unknown, ...rest: unknown[]];

/**
 * Has a connection prepare the statements that are meant to be, by whatever library they come, and keeps those back whose
 * answers nobody looks at until the next one is sent: both are one write, one read and one wait for the server. Ends one
 * whose transaction cannot be taken back: nobody would give it back to its pool before the server ends it.
 */
export function prepareOn(client: PipelinedClient): void {
  const query = client.query.bind(client);
  let kept: Statement[] = [];
  /** A `begin` that goes ahead, as what comes after it must not be done without it. */
  let opening: Promise<unknown> | null = null;

  /** In order, and at once. Fails with the first that fails: those after it have met a transaction that is over. */
  const sendAll = async (statements: readonly Statement[]) => {
    const { stream } = client.connection;
    const sent: unknown[] = [];
    stream.cork();
    try {
      for (const statement of statements) sent.push(query(...named(statement)));
    } finally {
      // One that cannot be sent must not keep the connection silent for good.
      stream.uncork();
    }
    return (await Promise.all(sent)).at(-1);
  };

  const openFor = async (statements: readonly Statement[]) => {
    opening = Promise.resolve(query('begin'));
    await opening.finally(() => {
      opening = null;
    });
    return sendAll(statements);
  };

  const send = (given: Statement) => {
    const [statement, ...rest] = given;
    if (unanswered.has(statement as string) && typeof rest.at(-1) !== 'function') {
      kept.push(given);
      return Promise.resolve(NO_ROWS);
    }
    if (kept.length === 0) return query(...named(given));
    // What is taken back need not be done before: but for `begin` itself.
    const before = statement === 'rollback' ? kept.filter(([one]) => one === 'begin') : kept;
    kept = [];
    const [first, ...others] = [...before, given];
    const goAlong = first?.[0] !== 'begin' || others.every(([one]) => CHANGES_NOTHING.test(String(one)));
    return goAlong ? sendAll([...before, given]) : openFor(others);
  };

  client.query = (...given) => {
    if (opening) return opening.then(() => client.query(...given));
    const answer = send(given);
    if (given[0] === 'commit') return isCommitted(answer);
    if (given[0] === 'rollback') Promise.resolve(answer).catch(() => client.end());
    return answer;
  };
}

/** PostgreSQL answers the commit of a transaction in which something failed as it answers a rollback, and with no error. */
async function isCommitted(answer: unknown): Promise<unknown> {
  const result = await answer;
  if ((result as typeof NO_ROWS).command === 'ROLLBACK')
    throw new Error('nothing was committed: a statement of the transaction had failed');
  return result;
}

function named([statement, ...rest]: Statement): [unknown, ...unknown[]] {
  const name = typeof statement === 'string' ? names.get(statement) : undefined;
  return [name === undefined ? statement : { name, text: statement }, ...rest];
}
