import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Makes one migrated database with reference data; every test file gets a copy (a dump, or a template on a server). */
export default function globalSetup() {
  // As the gateway is run: for development graphql-js looks twice at every value, a fifth of what the suites take.
  process.env.NODE_ENV = 'production';
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url));
  const template = `csp_graph_template_${process.pid}`;
  const dump = prepare(template);
  if (process.env.TEST_DATABASE_URL) process.env.CSP_GRAPH_TEST_TEMPLATE = template;
  else process.env.CSP_GRAPH_TEST_DUMP = dump;
}

/** A process of its own: Jest's transform is for suites, and is in the way of whatever is imported here. */
export function prepare(...what) {
  const program = fileURLToPath(new URL('prepare.mjs', import.meta.url));
  return execFileSync(process.execPath, [program, ...what], { encoding: 'utf8', stdio: ['ignore', 'pipe', 2] }).trim();
}
