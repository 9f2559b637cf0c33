import type { PGlite } from '@electric-sql/pglite';
import type { Kysely } from 'kysely';
import { type Db, fromKysely, fromPglite } from 'pg-boss';
import type { Em } from '../database/orm.js';
import { prepared } from '../database/prepared.js';

/** What pg-boss' own statements run on, which are of no transaction of ours. */
export type BossConnection = { kind: 'pool'; pool: StatementPool } | { kind: 'embedded'; pglite: PGlite };

/** What node-postgres' pool does with a text. Several statements, which it answers by a list, have no values. */
export interface StatementPool {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] } | { rows: unknown[] }[]>;
}

/** pg-boss' own statements, on the connections that the gateway has. */
export function bossDatabase(connection: BossConnection): Db {
  if (connection.kind === 'embedded') return fromPglite(connection.pglite as never);
  const { pool } = connection;
  return {
    executeSql: async (text, values) => {
      const result = await pool.query(values?.length ? prepared('jobs', text) : text, values);
      return Array.isArray(result) ? { rows: result.flatMap(({ rows }) => rows ?? []) } : result;
    },
  };
}

/** pg-boss' statements in the transaction of a unit of work. @throws Error where it has none */
export function bossInTransaction(em: Em): Db {
  const transaction = em.getTransactionContext<Kysely<unknown>>();
  if (!transaction) throw new Error('a job is enqueued in a transaction only');
  const db = fromKysely(transaction as never);
  return { executeSql: (text, values) => db.executeSql(prepared('jobs', text), values) };
}
