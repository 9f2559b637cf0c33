import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { TestGateway } from './gateway.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;
/** What the ORM's connections are made of: a pool of node-postgres, or PGlite. */
interface Native {
  /** A pool has it. */
  connect?: (callback?: unknown) => Promise<Record<'query' | 'release', Method>>;
  query: Method;
  execProtocolRaw: Method;
}

const PARSE = 'P'.charCodeAt(0);
/** What a mutation's commit wakes up is the feed's work, or that of the watch of access, not the mutation's. */
const isOfFeed = (text: string) =>
  /^(update|delete from|select exists \(select from) "gateway_processes"|as "isRevoked"|^(select|delete) from "sessions"|"end_requested_at" is not null/.test(
    text,
  ) ||
  (/activity_entries|feed_horizon|pg_snapshot/.test(text) &&
    !/^insert|^with "write_/i.test(text) &&
    !text.includes('as "json"'));

/** Notes the texts of the statements that requests send to the database, transaction brackets among them. */
export interface StatementRecorder {
  /** The statements of the requests that are made and answered meanwhile. */
  of(work: () => Promise<unknown>): Promise<string[]>;
  stop(): void;
}

/** Records what goes through the ORM's connections, reads and mutations alike, on either engine. */
export async function recordStatements({ gateway }: TestGateway): Promise<StatementRecorder> {
  // What the gateway does by itself is in no request.
  const request = new AsyncLocalStorage<string[]>();
  const requests: string[][] = [];
  const begin = () => {
    const texts: string[] = [];
    requests.push(texts);
    request.enterWith(texts);
  };
  const note = (text: string | undefined) => {
    if (text !== undefined && !isOfFeed(text)) request.getStore()?.push(text);
  };
  const connection = gateway.services.orm.em.getConnection() as unknown as { getNativeClient(): Promise<Native> };
  const native = await connection.getNativeClient();
  const undo = native.connect
    ? listenToPool(native, (statement) =>
        note(typeof statement === 'string' ? statement : (statement as { text?: string }).text),
      )
    : listen(native, 'execProtocolRaw', (message) => note(parsed(message as Uint8Array)));
  subscribe('http.server.request.start', begin);
  return {
    of: async (work) => {
      requests.length = 0;
      await work();
      return requests.flat();
    },
    stop: () => {
      unsubscribe('http.server.request.start', begin);
      undo();
    },
  };
}

/** Hears the first argument of each call of a method, until it is undone. */
function listen<Name extends string>(
  object: Record<Name, Method>,
  name: Name,
  hear: (argument: unknown) => void,
): () => void {
  const method = object[name];
  object[name] = function (...args) {
    hear(args[0]);
    return method.apply(this, args);
  };
  return () => {
    object[name] = method;
  };
}

function listenToPool(pool: Native, hear: (statement: unknown) => void): () => void {
  const connect = pool.connect as NonNullable<Native['connect']>;
  const undo = listen(pool, 'query', hear);
  pool.connect = async (callback) => {
    // With a callback it is the pool's own, for a statement that is heard already.
    if (callback) return connect.call(pool, callback);
    const client = await connect.call(pool);
    const undoClient = listen(client, 'query', hear);
    const { release } = client;
    client.release = (...args) => {
      undoClient();
      client.release = release;
      return release.apply(client, args);
    };
    return client;
  };
  return () => {
    undo();
    pool.connect = connect;
  };
}

/** The SQL of a Parse message: after its length come the statement's name and the text, each ended by a zero. */
function parsed(message: Uint8Array): string | undefined {
  return message[0] === PARSE ? Buffer.from(message).subarray(5).toString().split('\0')[1] : undefined;
}
