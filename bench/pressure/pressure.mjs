// `npm run bench:pressure`: what one user's load does to another's point read, purchase and feed, as multiples of quiet.
import { fork } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Role } from '../../dist/src/domain/role.js';
import { connected, prepareDatabase } from '../database.mjs';
import { startFlags } from '../servers.mjs';
import { post, refusalOf } from './client.mjs';
import { loadOfRole, loads } from './loads.mjs';
import { candidates } from './operations.mjs';
import { Probes, summaryOf } from './probes.mjs';

const USAGE = `Presses the gateway as one user can, and times another's point read, purchase and feed.

  npm run bench:pressure -- [--quick] [--seconds N] [--only KEY,KEY] [--roles ROLE,ROLE] [--keep]

  --quick      a tenth of the data (5,000 customers, 100,000 orders, 500,000 activity entries), 4 seconds each
  --seconds N  how long each load lasts (default 8)
  --only KEYS  these loads: ${Object.keys(loads).join(', ')}
  --roles ROLES  the most expensive request of these roles, or none
  --keep       leave the database: the next run fills nothing

DATABASE_URL says on which server a database is made (default postgres://postgres@127.0.0.1:5432/postgres).
`;
const text = { type: 'string' };
const flag = { type: 'boolean', default: false };
const { values } = parseArgs({
  options: { quick: flag, keep: flag, help: flag, seconds: text, only: text, roles: text },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const allRoles = Object.values(Role);
const keys = values.only === 'none' ? [] : (values.only?.split(',') ?? Object.keys(loads));
const roles = values.roles === 'none' ? [] : (values.roles?.split(',') ?? allRoles);
const seconds = Number(values.seconds ?? (values.quick ? 4 : 8));
const server = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const say = (what) => console.error(what);
/** Between loads: what the last one left in flight runs dry. */
const REST_MS = 3_000;
const SIZES = [100, 50, 20, 10, 5, 2, 1];
/** A candidate is asked for at most this long. */
const PATIENCE_MS = 30_000;

/** The gateway in a process of its own, and a question to it. */
async function startGateway(databaseUrl) {
  const child = fork(new URL('./gateway.mjs', import.meta.url), {
    env: { ...process.env, DATABASE_URL: databaseUrl },
    execArgv: startFlags,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { url } = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the gateway stopped with ${code} before it served`)));
  });
  let questions = 0;
  const ask = (question, about = {}) =>
    new Promise((resolve) => {
      questions += 1;
      const id = questions;
      const listen = (message) => {
        if (message.id !== id) return;
        child.off('message', listen);
        resolve(message.answer);
      };
      child.on('message', listen);
      child.send({ id, ask: question, ...about });
    });
  return { url, ask, pid: child.pid, stop: () => child.disconnect() };
}

/** The request of a role that takes longest among those that the gateway takes. */
async function mostExpensive(url, token) {
  let worst = { ms: 0, query: '{ __typename }' };
  for (const candidate of candidates) {
    for (const [n, m] of candidate.length === 0
      ? [[1, 1]]
      : SIZES.flatMap((size) => [
          [size, size],
          [size, 1],
        ])) {
      const query = candidate({ n, m });
      const began = performance.now();
      const answer = await post(url, token, { query }, AbortSignal.timeout(PATIENCE_MS)).catch(() => null);
      const ms = performance.now() - began;
      const code = answer && refusalOf(answer);
      if (code === 'FORBIDDEN') break;
      if (code === 'RATE_LIMITED') {
        await setTimeout(((answer.errors[0].extensions.retryAfter ?? 1) + 0.1) * 1_000);
        continue;
      }
      if (code === 'LIMIT_EXCEEDED' || (code && answer)) continue;
      if (ms > worst.ms) worst = { ms, query };
      break;
    }
  }
  return worst;
}

/** Presses, while the other user is timed. @returns times, the process's memory at its highest, and what became of the load */
async function pressed(gateway, probes, order) {
  const child = fork(new URL('./load.mjs', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const told = new Promise((resolve) => child.once('message', (message) => resolve(message.told)));
  let residentBytes = 0;
  const watch = setInterval(async () => {
    residentBytes = Math.max(residentBytes, (await gateway.ask('usage')).residentBytes);
  }, 250);
  child.send({ ...order, url: gateway.url, seconds: seconds + 1 });
  await setTimeout(1_000);
  const times = await probes.during(seconds);
  clearInterval(watch);
  return { times, residentBytes, told: await told };
}

const multiple = (some, quiet) => {
  const [one, other] = [summaryOf(some), summaryOf(quiet)];
  return `${(one.median / other.median).toFixed(1)}, ${(one.p99 / other.median).toFixed(1)}`;
};
const megabytes = (bytes) => String(Math.round(bytes / 2 ** 20));
const toldOf = (told) =>
  Object.entries(told)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');

const database = await prepareDatabase(server, values.quick ? 0.1 : 1, values.keep, say);
const gateway = await startGateway(database.url);
try {
  const { domains, customers } = await connected(database.url, async (client) => {
    const { rows } = await client.query(
      `select domain, id, market_code from customers where segment = 'COMMERCIAL' order by id limit 500`,
    );
    const buying = rows.filter(({ market_code }) => market_code === 'US');
    return { domains: rows.map(({ domain }) => domain), customers: buying.map(({ id }) => `cus_${id}`) };
  });
  const tokenOf = (role, user) => gateway.ask('token', { role, user });
  /** Users of a load's own: what one load spends is not missing from the next one's budget. */
  const tokensFor = async (load) => {
    const tokens = {};
    for (const role of allRoles)
      tokens[role] = await tokenOf(
        role,
        role === 'CUSTOMER_ADMIN' ? undefined : `${load}.${role.toLowerCase()}@partner.example`,
      );
    return tokens;
  };
  const token = await tokenOf('GLOBAL_ADMIN', 'another@partner.example');
  const product = { productId: 'DG7GMGF0FKZV', skuId: '0001' };
  const probes = new Probes({ url: gateway.url, token, domains, customers, product });
  await probes.start();
  await probes.during(2);

  const runs = [];
  for (const key of keys) runs.push({ order: { key, tokens: await tokensFor(key) }, title: loads[key].title });
  for (const role of roles) {
    const tokens = await tokensFor('presses');
    const { query, ms } = await mostExpensive(gateway.url, tokens[role]);
    say(`${role}: ${Math.round(ms)} ms: ${query.slice(0, 160)}`);
    runs.push({ order: { role, query, tokens }, title: loadOfRole(role, query).title });
  }
  console.log(`
Multiples of quiet: median, 99th percentile; both of the quiet median, which was taken right before each load.

| load | point read | purchase | feed | memory MB | of the load |
| --- | ---: | ---: | ---: | ---: | --- |`);
  for (const { order, title } of runs) {
    await setTimeout(REST_MS);
    const quiet = await probes.during(Math.max(2, seconds / 2));
    const { times, residentBytes, told } = await pressed(gateway, probes, order);
    const [point, bought, heard] = ['point', 'purchase', 'feed'].map((key) => multiple(times[key], quiet[key]));
    console.log(`| ${title} | ${point} | ${bought} | ${heard} | ${megabytes(residentBytes)} | ${toldOf(told)} |`);
    say(JSON.stringify({ title, quiet: { point: summaryOf(quiet.point), purchase: summaryOf(quiet.purchase) } }));
  }
  probes.stop();
} finally {
  gateway.stop();
  await setTimeout(1_000);
  await database.drop();
}
process.exit(0);
