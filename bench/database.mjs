import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { PRODUCT_KEY_SECRETS } from './secrets.mjs';

const demo = fileURLToPath(new URL('../dist/src/cli/load-demo.js', import.meta.url));
const multiply = new URL('./multiply.sql', import.meta.url);
const additions = new URL('./servers/postgraphile.sql', import.meta.url);

/** Runs `work` with one connection. */
export async function connected(connectionString, work) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * The database to measure: the product's tables, filled by its own generator. Left over by --keep it is used again.
 * It comes to its name when it is complete, so that what a killed run left is never measured.
 * @returns its address, how many rows it has, and `drop`
 */
export async function prepareDatabase(server, scale, keep, say) {
  const told = Math.min(scale, 1);
  const generated = { customers: 5_000 * told, orders: 100_000 * told, activity: 500_000 * told };
  const copies = Math.round(scale / told) - 1;
  const name = `csp_graph_bench_${Math.round(generated.customers * (copies + 1))}`;
  const filling = `${name}_filling`;
  const addressOf = (database) => Object.assign(new URL(server), { pathname: `/${database}` }).href;
  const isThere = await connected(server, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    return rowCount > 0;
  });
  if (!isThere) {
    say(`filling ${name}: ${generated.orders} orders by the generator, and ${copies} copies of each`);
    await connected(server, async (client) => {
      await client.query(`drop database if exists ${filling} with (force)`);
      await client.query(`create database ${filling}`);
    });
    await fill(addressOf(filling), generated, copies);
    await connected(server, async (client) => {
      // For everybody alike: what an operator on an SSD sets.
      await client.query(`alter database ${filling} set random_page_cost = 1.1`);
      await client.query(`alter database ${filling} rename to ${name}`);
    });
  }
  await connected(addressOf(name), (client) => waitForHorizon(client, say));
  return {
    url: addressOf(name),
    name,
    drop: async () => {
      if (keep || isThere) return;
      await connected(server, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/**
 * The gateway shows no entry of the log that is newer than the oldest open writing transaction of the cluster, others'
 * databases among them: while one is open that began before the filling, its pages are empty.
 */
async function waitForHorizon(client, say) {
  const isPast =
    'select xid < pg_snapshot_xmin(pg_current_snapshot()) as past from activity_entries order by xid desc limit 1';
  for (let waited = 0; ; waited += 1) {
    if ((await client.query(isPast)).rows[0].past) return;
    if (waited === 0)
      say('waiting for a transaction elsewhere on this server that began before the tables were filled');
    await setTimeout(1_000);
  }
}

async function fill(address, size, copies) {
  await generate(address, size);
  await connected(address, async (client) => {
    if (copies > 0) await client.query(readFileSync(multiply, 'utf8').replaceAll('$COPIES', copies));
    await client.query(readFileSync(additions, 'utf8'));
    await client.query('vacuum analyze');
  });
}

/** Makes the product's tables in a database, with so many `customers`, `orders` and entries of `activity`. */
export async function generate(address, size) {
  const dataDir = mkdtempSync(join(tmpdir(), 'csp-graph-bench-'));
  const counts = Object.entries(size).flatMap(([what, count]) => [`--${what}`, String(Math.round(count))]);
  try {
    await promisify(execFile)(process.execPath, [demo, ...counts], {
      env: { ...process.env, DATABASE_URL: address, DATA_DIR: dataDir, PRODUCT_KEY_SECRETS },
    });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
