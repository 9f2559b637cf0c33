import type { SqlEntityManager as Em } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';

/** Runs a statement with `$1` in the place of values; in the transaction of the entity manager, where it has one. */
export async function query<Row>(em: Em, text: string, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await em.getKysely().executeQuery(CompiledQuery.raw(text, [...values]));
  return rows as Row[];
}
