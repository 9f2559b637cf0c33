import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { type FeedMessage, followFeed, fromGraphqlWs } from '../src/client/index.js';
import { engine } from './support/database.js';
import { startTestGateway, type TestGateway } from './support/gateway.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from './support/shop.js';

const QUERY = `subscription ($after: String) { activity(after: $after) { __typename
  ... on ActivityRecorded { cursor entry { resource { label } } } ... on FeedCaughtUp { cursor } ... on FeedCheckpoint { cursor } } }`;
const CUTS = 100;

interface Message extends FeedMessage {
  entry?: { resource: { label: string } };
}

/** A line to the gateway that the test can cut. */
async function cuttableLine(port: number) {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}

describe(`the client that follows a feed, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    customer = await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  test(`tells every entry once and in order, though the line is cut ${CUTS} times`, async () => {
    const line = await cuttableLine(Number(new URL(gateway.url).port));
    const token = await gateway.token('GLOBAL_ADMIN');
    const client = createClient({
      url: `ws://127.0.0.1:${line.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
    });
    const bought: string[] = [];
    const heard: string[] = [];
    let cuts = 0;
    // Each message is answered by the next order and a cut, so that entries are committed while the line is down.
    for await (const message of followFeed<Message>(fromGraphqlWs(client, QUERY), { retryWait: () => 4 })) {
      if (message.entry) heard.push(message.entry.resource.label);
      if (heard.length === CUTS) break;
      if (bought.length === heard.length && bought.length < CUTS) {
        const order = buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
        line.cut();
        cuts += 1;
        bought.push((await order).number);
      }
    }
    expect(cuts).toBe(CUTS);
    expect(heard).toEqual(bought);
    await client.dispose();
    line.close();
  });

  test('throws where the gateway refuses, instead of asking again for ever', async () => {
    const token = await gateway.token('SALES_AGENT');
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
    });
    await expect(followFeed<Message>(fromGraphqlWs(client, QUERY)).next()).rejects.toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    await client.dispose();
  });
});
