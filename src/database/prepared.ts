/** Most statements that are prepared: each connection keeps its own until it ends. */
const MOST = 1_000;

/** Names of prepared statements by their text. */
const names = new Map<string, string>();

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
 * A column that has the rest of the transaction's prepared statements planned once and for all: they look for single rows,
 * and planning them anew for each value costs more than they do. `admit` does the same for use cases.
 */
export const PLANNED_ONCE = `set_config('plan_cache_mode', 'force_generic_plan', true)`;

/** What node-postgres does with a statement. */
interface Client {
  query(statement: unknown, ...rest: unknown[]): unknown;
}

/** Has a connection prepare the statements that are meant to be, by whatever library they come. */
export function prepareOn(client: Client): void {
  const query = client.query.bind(client);
  client.query = (statement, ...rest) => {
    const name = typeof statement === 'string' ? names.get(statement) : undefined;
    return query(name === undefined ? statement : { name, text: statement }, ...rest);
  };
}
