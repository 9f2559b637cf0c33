import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import autocannon from 'autocannon';
import { shapes } from './shapes.mjs';

/** Requests of each shape whose answers are compared, and those for which statements are counted. */
const COMPARED = 24;
const COUNTED = 20;
/** How long a server is watched with nobody asking it anything. */
const BY_THE_CLOCK_MS = 400;

/** Every server's answers are those of the first one, whole pages among them. Throws where they are not. */
export async function checkEqual(served, keys, variables) {
  for (const key of keys) {
    const shape = shapes[key];
    for (const chosen of variables[key].slice(0, COMPARED)) {
      const [wanted, ...others] = await Promise.all(
        served.map(async (server) => shape.alike(await server.ask(server.request(key, shape, chosen)))),
      );
      if (!shape.isFull(wanted)) throw new Error(`${key}: not a full page for ${JSON.stringify(chosen)}`);
      for (const [index, answer] of others.entries()) {
        if (!isDeepStrictEqual(answer, wanted))
          throw new Error(
            `${key}: ${served[index + 1].name} answers otherwise for ${JSON.stringify(chosen)}\n${JSON.stringify(answer).slice(0, 900)}\n${JSON.stringify(wanted).slice(0, 900)}`,
          );
      }
    }
  }
  return COMPARED;
}

/** Statements that a server sends for one request; what it sends by the clock (the feed's reader) does not count. */
export async function countStatements(server, key, shape, variables) {
  await server.tell('count');
  await setTimeout(BY_THE_CLOCK_MS);
  const { counted: byTheClock } = await server.tell('counted');
  await server.tell('count');
  for (const chosen of variables[key].slice(0, COUNTED)) await server.ask(server.request(key, shape, chosen));
  const { counted } = await server.tell('counted');
  const times = Object.entries(counted).map(([text, count]) => (text in byTheClock ? 0 : Math.round(count / COUNTED)));
  return times.reduce((sum, count) => sum + count, 0);
}

/**
 * Waits until what the load left unfinished has run out, in the server and in the database: whoever comes next has the
 * machine alone.
 */
async function settle(server, isQuiet) {
  for (let idle = 0; idle < 2; ) {
    const before = await server.tell('usage');
    await setTimeout(50);
    const after = await server.tell('usage');
    const isIdle = after.cpuMicroseconds - before.cpuMicroseconds < 10_000 && (await isQuiet());
    idle = isIdle ? idle + 1 : 0;
  }
}

/**
 * Puts one server under load. Answers requests a second, the 99th percentile in milliseconds, and the CPU time of the
 * server's process per request in milliseconds.
 */
export async function load(server, key, shape, variables, { connections, seconds, isQuiet }) {
  const requests = variables[key].map((chosen) => server.request(key, shape, chosen));
  let started = 0;
  const before = await server.tell('usage');
  const result = await autocannon({
    url: requests[0].url,
    connections,
    duration: seconds,
    setupClient: (client) => {
      // Each connection begins elsewhere in the list, so that they do not all ask for the same at once.
      const offset = Math.floor((started++ * requests.length) / connections) % requests.length;
      const turned = [...requests.slice(offset), ...requests.slice(0, offset)];
      client.setRequests(turned.map(({ body }) => ({ method: 'POST', headers: server.headers, body })));
    },
  });
  const after = await server.tell('usage');
  await settle(server, isQuiet);
  const { non2xx, errors, timeouts, latency, duration } = result;
  if (non2xx + errors + timeouts > 0)
    throw new Error(`${server.name}, ${key}: ${non2xx} refused, ${errors} failed, ${timeouts} timed out`);
  const total = result.requests.total;
  return {
    perSecond: total / duration,
    p99: latency.p99,
    cpu: total === 0 ? null : (after.cpuMicroseconds - before.cpuMicroseconds) / 1_000 / total,
    resident: after.residentBytes,
  };
}
