// `npm run bench -- --help`: csp-graph beside its peers and the bare limit, on the same tables of the same PostgreSQL.
import { cpus } from 'node:os';
import pg from 'pg';
import { readArguments } from './arguments.mjs';
import { prepareDatabase } from './database.mjs';
import { checkEqual, countStatements, load } from './measure.mjs';
import { report } from './report.mjs';
import { Served, servers } from './servers.mjs';
import { shapes } from './shapes.mjs';
import { chooseVariables } from './variables.mjs';

const given = readArguments();
// What is told while it runs goes to standard error, the tables to standard output.
const say = (what) => console.error(`${new Date().toTimeString().slice(0, 8)}  ${what}`);
const keys = given.shapes;
const chosen = servers.filter(({ name }) => name === 'limit' || given.servers.includes(name));

const database = await prepareDatabase(given.server, given.scale, given.keep, say);
const served = [];
const watch = new pg.Client({ connectionString: database.url });
await watch.connect();
/** Whether no statement of any server runs. */
const isQuiet = async () => {
  const { rowCount } = await watch.query(
    "select from pg_stat_activity where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid() and backend_type = 'client backend'",
  );
  return rowCount === 0;
};
const pressure = { ...given, isQuiet };
try {
  for (const server of chosen) served.push(await Served.start(server, database.url, given.profile));
  const variables = await chooseVariables(database.url, ...(await askForCursors()));
  say(`${await checkEqual(served, keys, variables)} answers of each shape are equal, on ${served.length} servers`);
  const results = {};
  for (const server of served) {
    results[server.name] = { resident: [] };
    for (const key of keys) {
      const statements = await countStatements(server, key, shapes[key], variables);
      results[server.name][key] = { statements, figures: [] };
      await load(server, key, shapes[key], variables, { ...pressure, seconds: Math.min(2, given.seconds) });
    }
  }
  say('statements are counted, everything is warm');
  for (let round = 0; round < given.rounds; round += 1) {
    for (const key of keys) {
      // Every other round runs backwards, so that nobody always follows the same one.
      for (const server of round % 2 === 0 ? served : [...served].reverse()) {
        const { resident, ...figure } = await load(server, key, shapes[key], variables, pressure);
        results[server.name][key].figures.push(figure);
        results[server.name].resident.push(resident);
      }
    }
    say(`round ${round + 1} of ${given.rounds}`);
  }
  console.log(await circumstances());
  console.log(`${report(served, keys, results)}\n`);
} finally {
  for (const server of served) await server.stop();
  await watch.end();
  await database.drop();
}

/** A cursor into the list of customers from the gateway and from PostGraphile, where they take part. */
async function askForCursors() {
  const pages = {
    'csp-graph': '{ page: customers(first: 1) { edges { cursor } } }',
    postgraphile: '{ page: allCustomers(first: 1, orderBy: [COMPANY_NAME_ASC, ROW_ID_ASC]) { edges { cursor } } }',
  };
  const cursors = [];
  for (const [name, query] of Object.entries(pages)) {
    const server = served.find((one) => one.name === name);
    const page = server && (await server.ask({ url: server.url, body: JSON.stringify({ query }) })).page;
    cursors.push(page?.edges[0].cursor ?? null);
  }
  return cursors;
}

/** What was measured, where. */
async function circumstances() {
  const { rows } = await watch.query(`select current_setting('server_version') as version,
    (select count(*)::int from customers) as customers, (select count(*)::int from orders) as orders, (select count(*)::int from activity_entries) as activity`);
  const [{ version, customers, orders, activity }] = rows;
  const count = (number) => number.toLocaleString('en');
  return [
    `\n${count(customers)} customers, ${count(orders)} orders, ${count(activity)} activity entries. PostgreSQL ${version.split(' ')[0]}, Node ${process.versions.node},`,
    `${cpus().length} cores shared by load, server and database. ${given.connections} connections, ${given.rounds} interleaved rounds of ${given.seconds} s; medians (lowest..highest).`,
    ...keys.map((key) => `- **${key}**: ${shapes[key].title}`),
    '',
  ].join('\n');
}
