import { setTimeout } from 'node:timers/promises';
import { codedError, ErrorCode } from '../graphql/errors.js';
import { AbortFlag } from '../lib/abort-flag.js';

/** A statement as node-postgres takes it. */
export interface PoolStatement {
  name?: string | undefined;
  text: string;
  values: unknown[];
  rowMode: 'array';
}
type Rows = { rows: [string][] };

/** What node-postgres does with a connection that is checked out. */
interface Client {
  processID: number;
  query(statement: PoolStatement): Promise<Rows>;
  /** Gives it back; with an error it is closed instead of used again. */
  release(error?: Error): void;
}

/** What node-postgres' pool does with a statement. A connection that is lost fails its statement, and is heard (orm.ts). */
export interface Pool {
  /** Connections that are open. */
  totalCount: number;
  /** Who waits for a connection. */
  waitingCount: number;
  /** Connections that nobody uses. */
  idleCount: number;
  /** The password is hidden from copies. */
  options: { password?: unknown };
  query(statement: PoolStatement): Promise<Rows>;
  connect(): Promise<Client>;
}

/** What a pool is asked for besides. */
interface OwnPool {
  query(text: string, values: unknown[]): Promise<unknown>;
  on(event: 'error', listener: () => void): void;
}

/** How long until a statement that did not hear its cancelling is told again, in milliseconds. */
const AGAIN_AFTER_MS = 250;

/** Runs statements for clients that may go away. */
export interface CancellableReads {
  /**
   * Runs a statement until the client has gone: then a wait for a connection is given up, and a statement that runs is
   * cancelled in PostgreSQL. Its connection goes back to the pool only when it is at rest, and the cancelling is
   * answered: it can never hit the next statement of that connection.
   * After it, what it answers or throws means nothing.
   * @param limitMs how long PostgreSQL lets it run; null: as long as any statement of the connection
   */
  run(statement: PoolStatement, abort: AbortFlag | undefined, limitMs: number | null): Promise<Rows>;
}

/** What a read says whose client went away. Coded, so that it is neither logged as ours to mend nor told as TIMEOUT. */
export const clientGone = () => codedError(ErrorCode.UNAVAILABLE, 'The client went away before the answer.');

/**
 * Reads on a pool of node-postgres that end with their client. Cancelling has one connection of its own, since all of
 * the pool's may be busy with what is to be cancelled; it is opened on demand and closed after a second without work.
 */
export function cancellableReads(pool: Pool): CancellableReads {
  let canceller: OwnPool | undefined;
  const cancel = async (pid: number) => {
    canceller ??= openCanceller(pool);
    await canceller.query('select pg_cancel_backend($1)', [pid]);
  };

  const checkOut = (abort: AbortFlag) =>
    new Promise<Client>((resolve, reject) => {
      const giveUp = () => reject(clientGone());
      abort.onAbort(giveUp);
      pool.connect().then(
        (client) => {
          abort.offAbort(giveUp);
          if (!abort.aborted) return resolve(client);
          client.release();
        },
        (error) => {
          abort.offAbort(giveUp);
          reject(error);
        },
      );
    });

  return {
    run: async (statement, given, limitMs) => {
      if (!given && limitMs === null) return pool.query(statement);
      const abort = given ?? new AbortFlag();
      // One that is free is there at once: nothing to give up, and listening for it would cost each short read.
      const client = pool.idleCount > pool.waitingCount ? await pool.connect() : await checkOut(abort);
      let cancelling: Cancelling | undefined;
      const onAbort = () => {
        cancelling = new Cancelling(() => cancel(client.processID));
      };
      abort.onAbort(onAbort);
      let failure: Error | undefined;
      try {
        // It may have fired between the checkout and here.
        if (abort.aborted) return { rows: [] };
        if (limitMs !== null) await client.query(told(`set statement_timeout = ${limitMs}`));
        return await client.query(statement);
      } catch (error) {
        // A connection that was cancelled is whole; after any other failure it is not trusted, as in `pool.query`.
        if (!abort.aborted || !isCancelled(error)) failure = error as Error;
        throw error;
      } finally {
        abort.offAbort(onAbort);
        if (cancelling) void cancelling.end().then(() => giveBack(client, limitMs, failure));
        else if (limitMs === null) release(client, failure);
        else await giveBack(client, limitMs, failure);
      }
    },
  };
}

/** Gives a connection back with the time limit that it came with. */
async function giveBack(client: Client, limitMs: number | null, failure: Error | undefined): Promise<void> {
  let failed = failure;
  if (limitMs !== null && !failed)
    await client.query(told('reset statement_timeout')).catch((error) => {
      failed = error;
    });
  release(client, failed);
}

function release(client: Client, failure: Error | undefined): void {
  try {
    client.release(failure);
  } catch {
    // It was lost, and given back already (orm.ts).
  }
}

const told = (text: string): PoolStatement => ({ text, values: [], rowMode: 'array' });

/** Tells a statement to stop until it has: told before the server has read it, it would not hear. */
class Cancelling {
  private readonly atRest = new AbortController();
  private readonly ended: Promise<void>;

  constructor(cancel: () => Promise<void>) {
    this.ended = this.untilAtRest(cancel);
  }

  /** Stops telling, as the statement has ended; resolves once the last cancelling is answered. */
  end(): Promise<void> {
    this.atRest.abort();
    return this.ended;
  }

  private async untilAtRest(cancel: () => Promise<void>): Promise<void> {
    const { signal } = this.atRest;
    while (!signal.aborted) {
      // The server cannot be reached, or has no connection left: the statement's time limit ends it.
      await cancel().catch(() => undefined);
      await setTimeout(AGAIN_AFTER_MS, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }
}

function openCanceller(pool: Pool): OwnPool {
  const { options } = pool;
  const Pools = pool.constructor as new (options: object) => OwnPool;
  const canceller = new Pools({
    ...options,
    password: options.password,
    min: 0,
    max: 1,
    idleTimeoutMillis: 1_000,
    connectionTimeoutMillis: 5_000,
    allowExitOnIdle: true,
  });
  // The server may end an idle connection; the next cancelling opens another.
  canceller.on('error', () => undefined);
  return canceller;
}

const isCancelled = (error: unknown) => (error as { code?: unknown } | null)?.code === '57014';
