import type { PGlite } from '@electric-sql/pglite';
import type { Orm } from '../orm.js';
import type { Plan } from './plan.js';

/** Runs a plan; answers the JSON text that PostgreSQL made. */
export type Execute = (plan: Plan, parameters: unknown[]) => Promise<string>;

/** What node-postgres' pool does with a statement. */
interface Pool {
  query(statement: { name?: string; text: string; values: unknown[]; rowMode: 'array' }): Promise<{ rows: [string][] }>;
}

/** From this many runs on a plan is a prepared statement. Below it would only fill the server's memory. */
const PREPARED_FROM_RUN = 3;
/** Most prepared statements of a process: each connection keeps its own until it ends. */
const MAXIMUM_PREPARED = 1_000;

/** Runs plans on the ORM's own connections, past its hydration: nothing is parsed that is only passed on. */
export async function createExecute(orm: Orm, embedded: boolean): Promise<Execute> {
  const native = await (orm.em.getConnection() as unknown as { getNativeClient(): Promise<unknown> }).getNativeClient();
  if (embedded) {
    const pglite = native as PGlite;
    return async (plan, parameters) => {
      const { rows } = await pglite.query<[string]>(plan.text, parameters, { rowMode: 'array' });
      return (rows[0] as [string])[0];
    };
  }
  const pool = native as Pool;
  const prepared = new Set<string>();
  return async (plan, values) => {
    plan.runs += 1;
    if (plan.runs >= PREPARED_FROM_RUN && prepared.size < MAXIMUM_PREPARED) prepared.add(plan.name);
    const name = prepared.has(plan.name) ? plan.name : undefined;
    const { rows } = await pool.query({ name, text: plan.text, values, rowMode: 'array' });
    return (rows[0] as [string])[0];
  };
}
