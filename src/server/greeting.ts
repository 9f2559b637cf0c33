import { type Kysely, sql } from 'kysely';
import type { Gateway } from './start-gateway.js';

/** A line that tells what is being done, and since when: kept current on a terminal, one after the other elsewhere. */
export function progress(stream: NodeJS.WriteStream): {
  say: (what: string, percent?: number) => void;
  done: () => void;
} {
  const seconds = () => `${process.uptime().toFixed(1)} s`;
  const clear = stream.isTTY ? '\r\u001b[2K' : '';
  let shown = '';
  const show = () => stream.write(`${clear}${seconds().padStart(7)}  ${shown} …${stream.isTTY ? '' : '\n'}`);
  const timer = stream.isTTY ? setInterval(() => shown && show(), 1_000).unref() : undefined;
  return {
    say: (what, percent) => {
      const next = percent === undefined || !stream.isTTY ? what : `${what}: ${percent} %`;
      if (next === shown) return;
      shown = next;
      show();
    },
    done: () => {
      clearInterval(timer);
      stream.write(`${clear}started in ${seconds()}\n`);
    },
  };
}

/** What a newcomer needs to know, on one screen: what to open, what is there, and where tokens come from. */
export async function greeting({ url, adminUrl, services }: Gateway): Promise<string> {
  const { config, kysely } = services;
  const lines = [
    '',
    ...(config.playground ? [`  playground   ${url}/`] : []),
    `  dashboard    ${url}/live`,
    `  graph        ${url}/graphql (HTTP, WebSocket; event streams: /graphql/stream)`,
    `  contract     ${url}/schema.graphql`,
    `  operators    ${adminUrl ?? url}/health/ready, ${adminUrl ?? url}/metrics`,
    `  data         ${await dataIn(kysely).catch((error) => `not known: ${error.message}`)}`,
    `  database     ${config.database.kind === 'embedded' ? `embedded PostgreSQL in ${config.database.dataDir}` : 'PostgreSQL server (DATABASE_URL)'}`,
  ];
  if (config.auth.kind === 'demo' && !config.production)
    lines.push(
      '',
      'Playground and dashboard sign you in by themselves. Tokens for other clients, from another terminal:',
      '  npm run --silent token -- --role ADMIN_AGENT',
      '  npm run --silent token -- --all                one of every role, with what it may',
    );
  return `${lines.join('\n')}\n\n`;
}

/** How much there is, by PostgreSQL's own estimate: counting takes longer with every entry of the log. */
async function dataIn(kysely: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ filled: boolean; customers: number; orders: number; entries: number }>`
    select exists (select from "customers") as "filled",
      (select "reltuples" from pg_class where "oid" = 'customers'::regclass) as "customers",
      (select "reltuples" from pg_class where "oid" = 'orders'::regclass) as "orders",
      (select "reltuples" from pg_class where "oid" = 'activity_entries'::regclass) as "entries"`.execute(kysely);
  const [{ filled, customers, orders, entries } = { filled: false, customers: 0, orders: 0, entries: 0 }] = rows;
  if (!filled) return 'no customers yet (DEMO_DATA=true puts invented ones into an empty database)';
  // PostgreSQL knows nothing, or 0, of a table that it has not analyzed since it was filled.
  if (customers <= 0) return 'customers and orders, not counted yet';
  const about = (count: number) => Math.max(count, 0).toLocaleString('en');
  return `about ${about(customers)} customers, ${about(orders)} orders, ${about(entries)} activity entries`;
}
