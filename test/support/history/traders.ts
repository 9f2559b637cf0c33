import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { TestGateway } from '../gateway.js';
import { aCustomer, skus, stockShop, type TestCustomer } from '../shop.js';
import { post, startProcess } from './gateway-process.js';
import { connected } from './writers.js';

/** What is sent again until it is answered. */
interface Mutation {
  name: string;
  document: string;
}

const PURCHASE: Mutation = {
  name: 'purchase',
  document: `mutation ($input: PurchaseInput!) { purchase(input: $input) { __typename
    ... on PurchaseSuccess { order { id number } } ... on Problem { code } } }`,
};
const CANCEL: Mutation = {
  name: 'cancelOrder',
  document: `mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) { __typename ... on Problem { code } } }`,
};
/** What says nothing of whether it was done, or that it was not: the same is sent again. */
const AGAIN = ['REQUEST_IN_PROGRESS', 'UNAVAILABLE', 'TIMEOUT', 'INTERNAL_SERVER_ERROR', 'RATE_LIMITED', 'BROKEN'];
const broken = () => ({ data: undefined, errors: [{ extensions: { code: 'BROKEN' } }] });
/** A gateway whose clock is behind. */
const OF_THE_PAST = 'test/support/gateway-of-the-past.mjs';
/** How long each of them sells: a closing that comes each minute finds some of their months. */
const SEASON_MS = 25_000;
const CUSTOMERS = 12;

/** What was bought and given back. */
export interface Trading {
  /** Orders and cancellations that were answered. */
  bought: number;
  cancelled: number;
  /** Purchases that nobody had answered when the run ended: they may have been made. */
  open: number;
  /** Answers that nobody expects. */
  refused: string[];
}

export const newTrading = (): Trading => ({ bought: 0, cancelled: 0, open: 0, refused: [] });

/** How traders go about it. */
export interface TraderOptions {
  /** Address of the balancer. */
  url: string;
  databaseUrl: string;
  dataDir: string;
  /** Tokens of people who may buy: what each may spend in a minute is bounded. */
  tokens: readonly string[];
  trading: Trading;
  signal: AbortSignal;
  restMs: number;
  /** Told of each entry of the log that was acknowledged. */
  acknowledge(label: string): void;
}

/** Puts prices and customers into a database that a gateway has brought up to date. */
export async function stock(databaseUrl: string): Promise<TestCustomer[]> {
  const connection = await connected(databaseUrl);
  const sql: TestGateway['sql'] = async (text, values = []) => {
    let place = 0;
    const numbered = text.replace(/\?/g, () => {
      place += 1;
      return `$${place}`;
    });
    return (await connection.query(numbered, values)).rows as never;
  };
  try {
    await stockShop({ sql });
    const customers: TestCustomer[] = [];
    for (let place = 0; place < CUSTOMERS; place += 1) customers.push(await aCustomer({ sql }));
    return customers;
  } finally {
    await connection.end();
  }
}

/** Buys through the gateways until `signal` fires, and cancels half of it: some lines, or all. */
export async function trade(options: TraderOptions, customers: readonly TestCustomer[]): Promise<void> {
  const { signal, restMs } = options;
  while (!signal.aborted) {
    await buyAndCancel(options, customers);
    await setTimeout(Math.random() * 2 * restMs);
  }
}

/**
 * The same through a gateway by whose clock it is a month ago, then two, and so on: each month it has sold in is closed by
 * whichever gateway does so, while the others buy and cancel. Its own cancellations may come after the closing.
 */
export async function tradeInThePast(options: TraderOptions, customers: readonly TestCustomer[]): Promise<void> {
  const { databaseUrl, dataDir, signal, restMs } = options;
  for (let months = 1; !signal.aborted; months += 1) {
    const settings = { DAYS_BACK: String(31 * months) };
    // It may meet a database that is just being restarted.
    const gateway = await startProcess(databaseUrl, dataDir, settings, OF_THE_PAST).catch(() => null);
    if (!gateway) continue;
    const ofThePast = { ...options, url: gateway.url };
    for (const end = Date.now() + SEASON_MS; Date.now() < end && !signal.aborted && !gateway.exit(); ) {
      await buyAndCancel(ofThePast, customers);
      await setTimeout(Math.random() * 2 * restMs);
    }
    gateway.kill('SIGTERM');
    await gateway.exited;
  }
}

const anyOf = <Item>(items: readonly Item[]) => items[Math.floor(Math.random() * items.length)] as Item;

async function buyAndCancel(options: TraderOptions, customers: readonly TestCustomer[]): Promise<void> {
  const { trading, acknowledge } = options;
  const customer = anyOf(customers);
  const token = anyOf(options.tokens);
  const lines = [
    { ...skus.perpetual, quantity: 1 + Math.floor(Math.random() * 5) },
    { ...skus.subscription, quantity: 1 },
  ];
  const purchase = await insist(options, token, PURCHASE, { customerId: customer.id, lines });
  if (purchase?.__typename !== 'PurchaseSuccess') {
    if (purchase) trading.refused.push(`a purchase was answered with ${purchase.code}`);
    else trading.open += 1;
    return;
  }
  const { id, number } = purchase.order;
  trading.bought += 1;
  acknowledge(`ORDER_PLACED ${number}`);
  acknowledge(`ORDER_CONFIRMED ${number}`);
  if (Math.random() < 0.5) return;
  const lineNumbers = Math.random() < 0.5 ? [0] : null;
  const cancellation = await insist(options, token, CANCEL, { orderId: id, acknowledged: true, lineNumbers });
  if (!cancellation) return;
  if (cancellation.__typename !== 'CancelOrderSuccess') {
    trading.refused.push(`a cancellation of ${number} was answered with ${cancellation.code}`);
    return;
  }
  trading.cancelled += 1;
  acknowledge(`CANCELLATION_REQUESTED ${number}`);
}

/** Sends a mutation with the same key until it is answered; null where the run ends first. */
async function insist({ url, signal }: TraderOptions, token: string, mutation: Mutation, asked: object) {
  const { name, document } = mutation;
  const input = { idempotencyKey: randomUUID(), ...asked };
  for (;;) {
    const { data, errors } = await post(url, token, document, { input }).catch(broken);
    const error = errors?.[0]?.extensions;
    const answer = data?.[name] ?? { code: error?.code ?? JSON.stringify({ data, errors }) };
    if (!AGAIN.includes(answer.code)) return answer;
    if (signal.aborted) return null;
    await setTimeout(1_000 * (error?.retryAfter ?? 0.1));
  }
}
