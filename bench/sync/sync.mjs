// `npm run bench:sync`: a whole reading of Partner Center, simulated: calls, rows a second, memory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connected } from '../database.mjs';
import { PRODUCT_KEY_SECRETS } from '../secrets.mjs';
import { startFlags } from '../servers.mjs';

const USAGE = `Reads a simulated Partner Center with npm run sync, on one PostgreSQL server, while it turns calls away.

  npm run bench:sync -- [--customers N] [--calls N] [--refused SHARE]

  --customers N    customers, each with an order of two lines (default 5000)
  --calls N        PARTNER_CENTER_CALLS_PER_MINUTE, of which a crawl may use four fifths (default 10000)
  --refused SHARE  of the calls that are answered 429 (default 0.05)

DATABASE_URL says on which server a database is made (default postgres://postgres@127.0.0.1:5432/postgres).
`;
const text = { type: 'string' };
const { values } = parseArgs({
  options: { help: { type: 'boolean', default: false }, customers: text, calls: text, refused: text },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const [customers, calls, refused] = [values.customers ?? 5_000, values.calls ?? 10_000, values.refused ?? 0.05].map(
  Number,
);
const server = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const name = `csp_graph_bench_sync_${process.pid}`;
const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
const dataDir = mkdtempSync(join(tmpdir(), 'csp-graph-sync-'));
const programOf = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
/** How often memory is looked at. */
const LOOK_MS = 250;

/** What a program of the product is run with. */
const settings = (stated) => ({
  PATH: process.env.PATH,
  DATABASE_URL: url,
  DATA_DIR: dataDir,
  PRODUCT_KEY_SECRETS,
  ...stated,
});

/** Megabytes that a process has in memory; null once it has none. */
function megabytesOf(pid) {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) / 1_024;
  } catch {
    return null;
  }
}

/** Runs a program to its end. Answers what it said, how long it took, and its memory on the way. */
async function run(path, args, env) {
  const began = performance.now();
  const child = spawn(process.execPath, [...startFlags, programOf(path), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    out += chunk;
  });
  const memory = [];
  const looking = setInterval(() => {
    const megabytes = megabytesOf(child.pid);
    if (megabytes !== null) memory.push(megabytes);
  }, LOOK_MS);
  const [code] = await once(child, 'close');
  clearInterval(looking);
  return { code, out, memory, seconds: (performance.now() - began) / 1_000 };
}

/** Starts the simulator. Answers the settings that it prints. */
async function startSimulator() {
  const child = spawn(
    process.execPath,
    [programOf('dist/simulator.mjs'), '--port', '0', '--customers', String(customers), '--fast'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    if (said.includes('Ctrl-C')) break;
  }
  const stated = Object.fromEntries(
    [...said.matchAll(/^(PARTNER_CENTER_\w+)='?([^'\n]*)'?$/gm)].map(([, key, value]) => [key, value]),
  );
  const control = async (path, body) => {
    const headers = { 'content-type': 'application/json' };
    const address = `${stated.PARTNER_CENTER_URL}/simulator/${path}`;
    const answer = await fetch(address, body ? { method: 'POST', headers, body: JSON.stringify(body) } : {});
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };
  return { child, stated, control };
}

await connected(server, (client) => client.query(`create database ${name}`));
const simulator = await startSimulator();
try {
  const { stated, control } = simulator;
  const env = settings({ ...stated, PARTNER_CENTER_CALLS_PER_MINUTE: String(calls) });
  const { customers: listed } = await control('state');
  const order = [
    { productId: 'DG7GMGF0FKZV', skuId: '0001', quantity: 3 },
    { productId: 'DG7GMGF0D3SJ', skuId: '0001', quantity: 1 },
  ];
  for (const { id } of listed) await control('portal', { order, customerId: id });
  await control('clock', { advanceMs: 3_600_000 });
  await run('dist/src/cli/migrate.js', [], env);
  const signingIn = run('dist/src/cli/partner-center.js', ['sign-in'], env);
  const consenting = setInterval(() => void control('device', {}), 500);
  const { code: signedIn } = await signingIn;
  clearInterval(consenting);
  if (signedIn !== 0) throw new Error('nobody could sign in');
  if (refused > 0) await control('faults', { fault: 'tooManyRequests', rate: refused, at: '/v1/' });
  const { code, out, memory, seconds } = await run('dist/src/cli/sync.js', [], env);
  process.stdout.write(out);
  const counts = await connected(url, async (client) => {
    const of = ['customers', 'orders', 'order_lines', 'entitlements', 'upstream_lines', 'activity_entries'];
    const counted = of.map((table) => `(select count(*)::int from ${table}) as ${table}`);
    return (await client.query(`select ${counted.join()}`)).rows[0];
  });
  const rows = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const made = Number(/with (\d+) calls/.exec(out)?.[1]);
  const quarter = Math.max(1, Math.floor(memory.length / 4));
  const mean = (all) => all.reduce((sum, one) => sum + one, 0) / all.length;
  const isWhole =
    counts.customers === customers && counts.orders === customers && counts.upstream_lines === 2 * customers;
  console.log(`${JSON.stringify(counts)}
complete: ${isWhole ? 'yes' : 'NO'}, exit code ${code}
${seconds.toFixed(0)} s, ${made} calls, ${((made * 60) / seconds).toFixed(0)} a minute of ${calls * 0.8} that crawls may make
${(rows / seconds).toFixed(0)} rows a second
memory: ${mean(memory.slice(quarter, 2 * quarter)).toFixed(0)} MB in the second quarter of the time, ${mean(memory.slice(-quarter)).toFixed(0)} MB in the last, ${Math.max(...memory).toFixed(0)} MB at most`);
  process.exitCode = isWhole && code === 0 ? 0 : 1;
} finally {
  simulator.child.kill();
  await connected(server, (client) => client.query(`drop database ${name} with (force)`));
  rmSync(dataDir, { recursive: true, force: true });
}
