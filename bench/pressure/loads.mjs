import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { openSocket, post, rawConnection, refusalOf } from './client.mjs';
import { aliasedFeed, allSales, contradiction, refusedKey, twentyCounts } from './operations.mjs';
import { streamLoads } from './stream-loads.mjs';

/** Requests that one user has in flight. */
const AT_ONCE = 20;
/** Connections of those who come without a token. */
const ANONYMOUS_SOCKETS = 4;
const PING_BYTES = 250_000;
const HELD_BODIES = 400;
const SUBSCRIPTIONS = 1_000;
const SUBSCRIPTIONS_PER_SOCKET = 50;

/**
 * Sends requests from several hands until the time is over, each as soon as the one before is answered.
 * @returns how many were served, and how many refused, by code
 */
async function hammer({ url, until, signal }, make, hands = AT_ONCE) {
  const told = {};
  const one = async (hand) => {
    for (let turn = 0; performance.now() < until; turn += 1) {
      const { token, body } = make(hand, turn);
      const code = await post(url, token, body, signal).then(
        (answer) => refusalOf(answer) ?? 'served',
        (error) => (signal.aborted ? 'cut' : (error.code ?? error.message)),
      );
      told[code] = (told[code] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: hands }, (_, hand) => one(hand)));
  return told;
}

/** Sockets that ping with much and read nothing, but answer the gateway's pings. */
async function floodOfPings({ url, until }) {
  const connections = await Promise.all(
    Array.from({ length: ANONYMOUS_SOCKETS }, async () => {
      const socket = await openSocket(url, null);
      const { _socket: connection } = socket;
      connection.pause();
      return { socket, connection };
    }),
  );
  const payload = Buffer.alloc(125, 'x');
  const inSubprotocol = JSON.stringify({ type: 'ping', payload: { fill: 'x'.repeat(PING_BYTES) } });
  let sent = 0;
  while (performance.now() < until) {
    for (const { socket, connection } of connections) {
      if (socket.readyState !== socket.OPEN || connection.writableLength > 8 * PING_BYTES) continue;
      socket.send(inSubprotocol);
      socket.ping(payload);
      socket.pong();
      sent += 1;
    }
    await setTimeout(1);
  }
  const closed = connections.filter(({ socket }) => socket.readyState !== socket.OPEN).length;
  for (const { socket } of connections) socket.terminate();
  return { 'pings sent': sent, 'sockets closed': closed };
}

/** Connections that announce a body and send it a byte a second. */
async function bodiesWithoutEnd({ url, until }) {
  const connections = Array.from({ length: HELD_BODIES }, () => {
    const connection = rawConnection(url);
    connection.write(
      'POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n{',
    );
    return connection;
  });
  while (performance.now() < until) {
    for (const connection of connections) if (connection.writable) connection.write(' ');
    await setTimeout(1_000);
  }
  const cut = connections.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length;
  for (const connection of connections) connection.destroy();
  return { held: HELD_BODIES - cut, cut };
}

/** Subscriptions of one user, each unlike the others, while entries come from the one who is timed. */
async function unlikeSubscriptions({ url, until, tokens }) {
  const told = {};
  const note = (what) => {
    told[what] = (told[what] ?? 0) + 1;
  };
  const heard = ({ type, payload }) =>
    note(
      type === 'error' ? (payload[0]?.extensions?.code ?? 'error') : (payload?.errors?.[0]?.extensions?.code ?? type),
    );
  const sockets = [];
  for (let first = 0; first < SUBSCRIPTIONS; first += SUBSCRIPTIONS_PER_SOCKET) {
    const socket = await openSocket(url, tokens.GLOBAL_ADMIN, heard).catch((error) => note(error.message));
    if (!socket) continue;
    sockets.push(socket);
    for (let index = first; index < first + SUBSCRIPTIONS_PER_SOCKET; index += 1)
      socket.send(JSON.stringify({ id: String(index), type: 'subscribe', payload: { query: aliasedFeed(index) } }));
  }
  while (performance.now() < until) await setTimeout(50);
  for (const socket of sockets) socket.terminate();
  return told;
}

/** Ways in which one person makes the others wait, or fills memory. */
export const loads = {
  pings: {
    title: `${ANONYMOUS_SOCKETS} anonymous sockets ping with ${PING_BYTES / 1_000} kB and read nothing`,
    run: floodOfPings,
  },
  bodies: { title: `${HELD_BODIES} anonymous bodies that never end`, run: bodiesWithoutEnd },
  counts: {
    title: `${AT_ONCE} requests of 20 totalCount each`,
    run: (about) => hammer(about, () => ({ token: about.tokens.GLOBAL_ADMIN, body: { query: twentyCounts } })),
  },
  sales: {
    title: `${AT_ONCE} sales over all dimensions`,
    run: (about) => hammer(about, () => ({ token: about.tokens.GLOBAL_ADMIN, body: { query: allSales } })),
  },
  subscriptions: { title: `${SUBSCRIPTIONS} subscriptions of one user, all unlike`, run: unlikeSubscriptions },
  keys: {
    title: `${AT_ONCE} at a time, refused attempts at keys`,
    run: (about) =>
      hammer(about, () => ({ token: about.tokens.ADMIN_AGENT, body: { query: refusedKey(`ent_${randomUUID()}`) } })),
  },
  contradictions: {
    title: `${AT_ONCE} at a time, filters that contradict each other`,
    run: (about) => hammer(about, () => ({ token: about.tokens.ACCOUNT_ADMIN, body: { query: contradiction } })),
  },
  ...streamLoads,
  documents: {
    title: `${AT_ONCE} at a time, anonymous documents that were never seen`,
    run: (about) =>
      hammer(about, (hand, turn) => ({
        body: {
          query: `{ ${Array.from({ length: 20 }, (_, index) => `a${hand}_${turn}_${index}: __typename`).join(' ')} }`,
        },
      })),
  },
};

/** The load of a role: its most expensive request, over and over. */
export const loadOfRole = (role, query) => ({
  title: `${role}: ${AT_ONCE} at a time, its most expensive request`,
  run: (about) => hammer(about, () => ({ token: about.tokens[role], body: { query } })),
});
