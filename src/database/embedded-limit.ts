import type { PGlite, Results } from '@electric-sql/pglite';
import { type RawBuilder, sql } from 'kysely';

/** How long a statement of the session may take, in milliseconds. */
const SETTING = 'csp_graph.statement_limit';

/**
 * What `WITHIN_LIMIT` calls: for this session only, so that no dump and no migration has it. Clock and comparison are
 * PostgreSQL's own under a price of next to nothing: conditions are tried in the order of their prices, and this one must
 * come before any that throws a row away.
 */
const FUNCTIONS = `
  create or replace function pg_temp.clock() returns timestamptz
    language internal volatile cost 0.0001 as 'clock_timestamp';
  create or replace function pg_temp.is_before(timestamptz, timestamptz) returns boolean
    language internal immutable strict cost 0.0001 as 'timestamp_lt';
  create or replace function pg_temp.end_statement() returns boolean
    language plpgsql volatile cost 0.0001 as $$
      begin
        raise exception 'canceling statement due to statement timeout' using errcode = 'query_canceled';
      end
    $$;
`;

/**
 * True of each row that a statement of the embedded database reads in time; beyond its limit the statement ends as it does
 * on a server, where `statement_timeout` sees to it. Embedded, a statement has the process's only thread, and no timer can
 * end it: so it looks at the clock itself. The deadline is computed once. Of what `is not null` holds the planner believes
 * nearly all rows to be: as a plain condition it would be taken for one that leaves half of them, and plans would change.
 */
export const WITHIN_LIMIT: RawBuilder<boolean> = sql<boolean>`(case
    when pg_temp.is_before(pg_temp.clock(), (select statement_timestamp() + current_setting(${sql.lit(SETTING)})::interval)) then true
    else pg_temp.end_statement() end) is not null`;

/** Prepares a session for statements with `WITHIN_LIMIT`. @param limitMs how long each of them may take */
export async function limitStatements(pglite: PGlite, limitMs: number): Promise<void> {
  await pglite.exec(FUNCTIONS);
  await pglite.query('select set_config($1, $2, false)', [SETTING, intervalOf(limitMs)]);
}

/** Runs a statement that has less time than others. */
export function queryWithin(
  pglite: PGlite,
  limitMs: number,
  text: string,
  parameters: unknown[],
): Promise<Results<[string]>> {
  return pglite.transaction(async (transaction) => {
    await transaction.query('select set_config($1, $2, true)', [SETTING, intervalOf(limitMs)]);
    return transaction.query<[string]>(text, parameters, { rowMode: 'array' });
  });
}

const intervalOf = (ms: number) => `${ms} milliseconds`;
