import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

/** The actions that writers here give their entries, so that filters have something to tell apart. */
export const WRITTEN_ACTIONS: readonly string[] = ['PRODUCT_KEY_REVEALED', 'SOFTWARE_DOWNLOADED'];

/** What an entry is called here, once in a log: orders, which several entries are about, have its action before them. */
export const labelOf = (action: string, resourceLabel: string) =>
  WRITTEN_ACTIONS.includes(action) || action === 'ACCESS_REVOKED' ? resourceLabel : `${action} ${resourceLabel}`;

/** What was written. */
export interface Writing {
  /** When the commit was told as done, in milliseconds since 1970, by label. */
  acknowledged: Map<string, number>;
  rolledBack: number;
  /** Transactions held open for long. */
  long: number;
  savepoints: number;
  /** Transactions that lost their connection; whether they were committed nobody knows. */
  lost: number;
}

export const newWriting = (): Writing => ({ acknowledged: new Map(), rolledBack: 0, long: 0, savepoints: 0, lost: 0 });

/** Writes one entry of the log past the use cases. */
export async function insertEntry(connection: pg.Client, label: string): Promise<void> {
  await connection.query(
    `insert into activity_entries
      (id, action, outcome, actor, actor_role, resource_type, resource_id, resource_label, correlation_id, detail)
     values (gen_random_uuid(), $2, 'SUCCEEDED', 'writer@partner.example', 'ADMIN_AGENT', 'ENTITLEMENT', 'ent', $1,
      gen_random_uuid(), '{"version": "2022"}')`,
    [label, WRITTEN_ACTIONS[label.charCodeAt(label.length - 1) % 2]],
  );
}

/** How one writer goes about it. */
export interface WriterOptions {
  url: string;
  writing: Writing;
  signal: AbortSignal;
  /** Milliseconds between transactions, on average. */
  restMs: number;
  /** How long a long transaction stays open. */
  longMs: number;
  /** One of so many transactions is long. */
  longEvery: number;
}

/**
 * Writes transactions until `signal` fires: some entries each, slowly enough that those of several writers overlap; a
 * quarter is rolled back, some have sub-transactions of which half are undone, some stay open for long. Connects again
 * when its connection is lost.
 */
export async function write(options: WriterOptions): Promise<void> {
  const { url, writing, signal, restMs } = options;
  let connection: pg.Client | null = null;
  for (let turn = 1; !signal.aborted; turn += 1) {
    try {
      connection ??= await connected(url);
      await transaction(connection, turn, options);
    } catch {
      writing.lost += 1;
      await connection?.end().catch(() => undefined);
      connection = null;
      await setTimeout(100);
    }
    await setTimeout(Math.random() * 2 * restMs);
  }
  await connection?.end().catch(() => undefined);
}

async function transaction(connection: pg.Client, turn: number, options: WriterOptions): Promise<void> {
  const { writing, longEvery, longMs, restMs } = options;
  const labels: string[] = [];
  const insert = async () => {
    const label = randomUUID();
    await insertEntry(connection, label);
    labels.push(label);
  };
  await connection.query('begin');
  await insert();
  const isLong = turn % longEvery === 0;
  if (isLong) writing.long += 1;
  await setTimeout(isLong ? longMs : Math.random() * restMs);
  if (turn % 5 === 0) {
    writing.savepoints += 1;
    await connection.query('savepoint inner_one');
    const kept = labels.length;
    await insert();
    if (Math.random() < 0.5) {
      await connection.query('rollback to savepoint inner_one');
      labels.length = kept;
    }
  }
  for (let more = Math.floor(Math.random() * 4); more > 0; more -= 1) await insert();
  if (!isLong && Math.random() < 0.25) {
    await connection.query('rollback');
    writing.rolledBack += 1;
    return;
  }
  await connection.query('commit');
  for (const label of labels) writing.acknowledged.set(label, Date.now());
}

/** A connection whose loss is told by its next statement, not by the end of the process. */
export async function connected(url: string): Promise<pg.Client> {
  const connection = new pg.Client(url);
  connection.on('error', () => undefined);
  await connection.connect();
  return connection;
}
