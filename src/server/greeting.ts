import { sql } from 'kysely';
import type { Role } from '../auth/role.js';
import { roleDescriptions } from '../auth/role.js';
import type { Gateway } from './start-gateway.js';

/** A line that tells what is being done: rewritten on a terminal, one after the other elsewhere. */
export function progress(stream: NodeJS.WriteStream): { say: (what: string) => void; done: () => void } {
  const begun = Date.now();
  const seconds = () => ((Date.now() - begun) / 1000).toFixed(1);
  let last = '';
  return {
    say: (what) => {
      if (stream.isTTY) stream.write(`\r\u001b[2K${what} …`);
      else if (what.replace(/\d+ %/, '') !== last.replace(/\d+ %/, '')) stream.write(`${what} …\n`);
      last = what;
    },
    done: () => stream.write(`${stream.isTTY ? '\r\u001b[2K' : ''}started in ${seconds()} s\n`),
  };
}

/** What a newcomer needs to know: what is there, what to open, and a token per role. */
export async function greeting(
  { url, services }: Gateway,
  tokens: { role: Role; title: string; token: string }[],
): Promise<string> {
  const { rows } = await sql<Record<string, string>>`select
      (select count(*) from "customers")::text as "customers", (select count(*) from "orders")::text as "orders",
      (select count(*) from "skus")::text as "skus", (select count(*) from "activity_entries")::text as "activity entries"`.execute(
    services.kysely,
  );
  const counts = Object.entries(rows[0] ?? {}).map(([what, count]) => `${count} ${what}`);
  const { config } = services;
  const lines = [
    '',
    'csp-graph',
    `  database     ${config.database.kind === 'embedded' ? `embedded PostgreSQL in ${config.database.dataDir}` : 'PostgreSQL server (DATABASE_URL)'}`,
    `  data         ${counts.join(', ')}`,
    `  playground   ${url}/`,
    `  graph        ${url}/graphql (HTTP and WebSocket; event streams at /graphql/stream), contract at ${url}/schema.graphql`,
    `  dashboard    ${url}/live`,
    `  operators    ${url}/health/ready, ${url}/metrics`,
  ];
  if (tokens.length > 0) {
    lines.push('', 'Demo tokens, good for 8 hours (more: npm run --silent token -- --role ROLE):');
    for (const { role, title, token } of tokens) lines.push('', `  ${title}: ${roleDescriptions[role]}`, `  ${token}`);
  }
  return `${lines.join('\n')}\n\n`;
}
