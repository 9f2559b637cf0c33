import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { openSocket, post } from './client.mjs';
import { entryFeed, nothingFeed, supportRequest } from './operations.mjs';

/** Replays of one user that run side by side. */
const REPLAYS = 20;
/** Sockets that send small messages back to back. */
const TALKING_SOCKETS = 20;
const MESSAGES_AT_ONCE = 500;
const UPLOADS = 2;
const FILES = 10;
const FILE_BYTES = 9.9 * 2 ** 20;

/** Follows the log from its beginning again and again: each time the present is reached, or the stream is refused. */
async function replay({ url, until, tokens }, query, filter) {
  const told = {};
  const first = await post(url, tokens.ACCOUNT_ADMIN, { query: '{ activity(first: 1) { edges { cursor } } }' });
  const after = first.data.activity.edges[0].cursor;
  const sockets = await Promise.all(
    Array.from({ length: REPLAYS }, async () => {
      let turn = 0;
      const begin = () => {
        turn += 1;
        if (performance.now() >= until || socket.readyState !== socket.OPEN) return;
        const variables = { after, filter: filter?.(turn) };
        socket.send(JSON.stringify({ id: String(turn), type: 'subscribe', payload: { query, variables } }));
      };
      const socket = await openSocket(url, tokens.ACCOUNT_ADMIN, ({ id, type, payload }) => {
        const errors = type === 'error' ? payload : payload?.errors;
        const what = errors?.[0]?.extensions?.code ?? payload?.data?.activity?.__typename ?? type;
        told[what] = (told[what] ?? 0) + 1;
        if (what === 'FeedCaughtUp') socket.send(JSON.stringify({ id, type: 'complete' }));
        if (what === 'FeedCaughtUp') begin();
        else if (errors) void setTimeout(200).then(begin);
      });
      begin();
      return socket;
    }),
  );
  while (performance.now() < until) await setTimeout(50);
  for (const socket of sockets) socket.terminate();
  return told;
}

/** Nothing passes: what is looked for is looked for to the end of the log, each time by other words. */
const nothing = (turn) => ({
  actions: ['SOFTWARE_DOWNLOADED', 'PRODUCT_KEY_REVEALED', 'DOWNLOAD_LINK_CREATED', 'ORDER_PLACED'],
  actor: 'agent.anna@partner.example',
  actorObjectId: randomUUID(),
  to: `2030-01-0${1 + (turn % 9)}T00:00:00Z`,
});

/** Sockets that send small messages of the protocol as fast as they are taken. */
async function talk({ url, until, tokens }) {
  const sockets = await Promise.all(Array.from({ length: TALKING_SOCKETS }, () => openSocket(url, tokens.SALES_AGENT)));
  const ping = JSON.stringify({ type: 'ping', payload: { x: 'y' } });
  let sent = 0;
  while (performance.now() < until) {
    for (const socket of sockets)
      for (let one = 0; one < MESSAGES_AT_ONCE && socket.readyState === socket.OPEN; one += 1) {
        if (socket.bufferedAmount > 2 ** 20) break;
        socket.send(ping);
        sent += 1;
      }
    await setTimeout(1);
  }
  const closed = sockets.filter(({ readyState, OPEN }) => readyState !== OPEN).length;
  for (const socket of sockets) socket.terminate();
  return { 'pings sent': sent, 'sockets closed': closed };
}

/** Files of ten megabytes, ten at once. */
async function upload({ url, until, tokens, signal }) {
  const told = {};
  const file = 'a,"b\n",c\n'.repeat(Math.ceil(FILE_BYTES / 9)).slice(0, FILE_BYTES);
  const one = async () => {
    while (performance.now() < until) {
      const { query, variables } = supportRequest;
      const customers = await post(url, tokens.ADMIN_AGENT, { query: '{ customers(first: 1) { nodes { id } } }' });
      const customerId = customers.data?.customers.nodes[0].id;
      const answer = await post(url, tokens.ADMIN_AGENT, { query, variables: variables(customerId) });
      const address = answer.data?.submitSupportRequest?.uploadUrl;
      const form = new FormData();
      for (let at = 0; at < FILES; at += 1) form.append('files', new Blob([file], { type: 'text/csv' }), `${at}.csv`);
      const status = address
        ? await fetch(address, { method: 'POST', body: form, signal }).then(
            (response) => response.status,
            () => 'cut',
          )
        : (answer.errors?.[0].extensions.code ?? 'refused');
      told[status] = (told[status] ?? 0) + 1;
      if (!address) await setTimeout(500);
    }
  };
  await Promise.all(Array.from({ length: UPLOADS }, one));
  return told;
}

/** Loads that are no requests: streams, messages and files of one user. */
export const streamLoads = {
  replays: {
    title: `${REPLAYS} replays of the whole log at a time`,
    run: (about) => replay(about, entryFeed, undefined),
  },
  'filtered-replays': {
    title: `${REPLAYS} replays at a time by filters that nothing passes`,
    run: (about) => replay(about, nothingFeed, nothing),
  },
  talk: { title: `${TALKING_SOCKETS} sockets that ping back to back`, run: talk },
  uploads: { title: `${UPLOADS} uploads at a time of ${FILES} files of 9.9 MiB`, run: upload },
};
