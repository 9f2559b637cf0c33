// `npm run bench`: requests a second of the gateway beside the bare limit on the same tables, as ratios.
// DATABASE_URL names the database to measure; without it the embedded one in a folder of its own. BENCH_SECONDS (3), BENCH_ROUNDS (3).
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { shapes } from './shapes.mjs';

const seconds = Number(process.env.BENCH_SECONDS ?? 3);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const BODIES = 100;
const CONNECTIONS = 12;

const dataDir = mkdtempSync(join(tmpdir(), 'csp-graph-bench-'));
const child = fork(new URL('./server.mjs', import.meta.url), {
  env: { ...process.env, DATA_DIR: dataDir },
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
});
const served = await new Promise((resolve, reject) => {
  child.once('message', resolve);
  child.once('exit', (code) => reject(new Error(`the gateway stopped with ${code}`)));
});

const headers = { 'content-type': 'application/json', authorization: `Bearer ${served.token}` };
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function ask(url, body) {
  const response = await fetch(url, { method: 'POST', headers, body });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function measure(url, bodies, duration) {
  const result = await autocannon({
    url,
    method: 'POST',
    headers,
    connections: CONNECTIONS,
    duration,
    requests: bodies.map((body) => ({ body })),
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`);
  return result.requests.total / result.duration;
}

console.log(
  `csp-graph beside the bare limit on the same tables: ${served.engine === 'server' ? 'PostgreSQL server' : 'embedded PostgreSQL'}, ${CONNECTIONS} connections, ${rounds} interleaved rounds of ${seconds} s.`,
);
console.log('Only ratios mean anything: load, gateway and database share one machine.\n');
try {
  const table = [];
  for (const [index, shape] of shapes.entries()) {
    const numbered = Array.from({ length: BODIES }, (_, i) => i);
    const ours = numbered.map((i) =>
      JSON.stringify({ query: shape.query, variables: shape.variables(i, served.facts) }),
    );
    const bare = numbered.map((i) => JSON.stringify({ parameters: shape.parameters(i, served.facts) }));
    const limitUrl = `${served.limit}/${index}`;
    for (const i of [0, 7, 42]) {
      const [a, b] = [await ask(served.gateway, ours[i]), await ask(limitUrl, bare[i])];
      if (shape.same(a) !== shape.same(b))
        throw new Error(`the answers differ:\n${shape.same(a).slice(0, 400)}\n${shape.same(b).slice(0, 400)}`);
    }
    await measure(served.gateway, ours, 2);
    await measure(limitUrl, bare, 1);
    const figures = { ours: [], bare: [] };
    for (let round = 0; round < rounds; round += 1) {
      figures.ours.push(await measure(served.gateway, ours, seconds));
      figures.bare.push(await measure(limitUrl, bare, seconds));
    }
    const ratio = median(figures.ours.map((figure, round) => figure / figures.bare[round]));
    table.push({
      shape: shape.name,
      'csp-graph req/s': Math.round(median(figures.ours)),
      'bare limit req/s': Math.round(median(figures.bare)),
      ratio: ratio.toFixed(2),
    });
  }
  console.table(table);
} finally {
  child.send('stop');
  await new Promise((resolve) => child.once('exit', resolve));
  rmSync(dataDir, { recursive: true, force: true });
}
