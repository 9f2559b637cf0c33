// `npm run bench:feed`: delivery of a live feed beside the bare limit and peers, in one run, as ratios.
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connected } from '../database.mjs';
import { startFlags } from '../servers.mjs';

const number = (value, fallback) => Number(value ?? fallback);
const text = { type: 'string' };
const { values } = parseArgs({
  options: { subscribers: text, rate: text, seconds: text, rounds: text, only: text },
});
const subscribers = number(values.subscribers, 1_000);
const rate = number(values.rate, 200);
const seconds = number(values.seconds, 10);
const rounds = number(values.rounds, 3);
const server = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
/** How long after the last event those that are behind may catch up. */
const PATIENCE_MS = 30_000;

const titles = {
  limit: 'LIMIT: bare `ws`, made once, 20 ms written together',
  'csp-graph': '**csp-graph**, from PostgreSQL, tokens and roles',
  'graphql-ws': 'graphql-ws',
  mercurius: 'Mercurius 16 + JIT',
  yoga: 'graphql-yoga 5 over graphql-ws',
};
const names = values.only?.split(',') ?? Object.keys(titles);

/** User and system time of a process in seconds; its memory in MB. Linux tells. */
const cpuOf = ({ pid }) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const memoryOf = ({ pid }, what) =>
  Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

function started(file, env) {
  const child = fork(new URL(file, import.meta.url), {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    execArgv: file === './product.mjs' ? startFlags : [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const heard = (isIt) =>
    new Promise((resolve, reject) => {
      const listen = (message) => {
        if (message.failed) reject(new Error(message.failed));
        if (!isIt(message)) return;
        child.off('message', listen);
        resolve(message);
      };
      child.on('message', listen);
      child.once('exit', (code) => reject(new Error(`${file} stopped with ${code}`)));
    });
  return { child, heard };
}

async function measure(name, databaseUrl) {
  const isProduct = name === 'csp-graph';
  const dataDir = mkdtempSync(join(tmpdir(), 'csp-graph-bench-'));
  const env = { MODE: name, DATABASE_URL: databaseUrl, DATA_DIR: dataDir };
  const children = [];
  const start = (file, more = {}) => {
    const one = started(file, { ...env, ...more });
    children.push(one.child);
    return one;
  };
  try {
    const served = start(isProduct ? './product.mjs' : './peer.mjs');
    const { port, token = '' } = await served.heard((message) => message.port);
    const publisher = isProduct ? start('./publisher.mjs') : served;
    if (isProduct) await publisher.heard((message) => message.ready);
    const clients = start('./subscribers.mjs', { PORT: String(port), COUNT: String(subscribers), TOKEN: token });
    await clients.heard((message) => message.ready);
    const before = cpuOf(served.child);
    const wanted = rate * seconds;
    let got = 0;
    clients.child.on('message', ({ so }) => {
      got = so ?? got;
    });
    clients.child.send({ seconds });
    publisher.child.send({ rate, seconds });
    await publisher.heard((message) => message.published);
    for (let waited = 0; got < wanted * subscribers && waited < PATIENCE_MS; waited += 250) await pause(250);
    const cpu = cpuOf(served.child) - before;
    clients.child.send({ wanted });
    const report = await clients.heard((message) => message.p50 !== undefined);
    return {
      perSecond: report.within / seconds,
      delivered: report.got / (wanted * subscribers),
      p50: report.p50,
      p99: report.p99,
      cpuMicroseconds: (cpu * 1e6) / report.got,
      peakMb: memoryOf(served.child, 'VmHWM'),
      incomplete: report.incomplete,
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await pause(300);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const database = `csp_graph_bench_feed_${process.pid}`;
await connected(server, (client) => client.query(`create database ${database}`));
const results = Object.fromEntries(names.map((name) => [name, []]));
try {
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of names) {
      const url = Object.assign(new URL(server), { pathname: `/${database}` }).href;
      if (name === 'csp-graph')
        await connected(server, async (client) => {
          await client.query(`drop database ${database} with (force)`);
          await client.query(`create database ${database}`);
        });
      const result = await measure(name, url);
      results[name].push(result);
      console.error(`round ${round}, ${name}: ${JSON.stringify(result)}`);
    }
  }
} finally {
  await connected(server, (client) => client.query(`drop database if exists ${database} with (force)`));
}

const median = (name, key) =>
  results[name].map((result) => result[key]).sort((a, b) => a - b)[results[name].length >> 1];
const spread = (name, key) => {
  const all = results[name].map((result) => result[key]);
  return `${Math.min(...all).toFixed(0)}..${Math.max(...all).toFixed(0)}`;
};
console.log(`\n${subscribers} subscribers, ${rate} events a second for ${seconds} s, ${rounds} round(s), medians\n
| server | delivered a second, of what is wanted | of LIMIT | delivered in the end | p50 ms | p99 ms | server CPU µs a message | peak MB |
|---|---:|---:|---:|---:|---:|---:|---:|`);
for (const name of names) {
  const share = median(name, 'perSecond') / (subscribers * rate);
  const ofLimit = results.limit ? (median(name, 'perSecond') / median('limit', 'perSecond')).toFixed(2) : '';
  console.log(
    `| ${titles[name]} | ${share.toFixed(2)} (${spread(name, 'perSecond')}) | ${ofLimit} | ${(100 * median(name, 'delivered')).toFixed(1)} % | ${median(name, 'p50').toFixed(0)} | ${median(name, 'p99').toFixed(0)} | ${median(name, 'cpuMicroseconds').toFixed(2)} | ${median(name, 'peakMb').toFixed(0)} |`,
  );
}
