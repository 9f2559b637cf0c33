import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { openSocket, post, refusalOf } from './client.mjs';
import { feed, pointRead, purchase } from './operations.mjs';

/** Between two readings of the same kind. */
const PAUSE_MS = { point: 20, purchase: 250 };
/** An answer that has not come by then counts as this late. */
const PATIENCE_MS = 60_000;

/** Another user, who reads, buys and listens, and takes the time of it. */
export class Probes {
  /** When the entry of an order came, by the order's number. */
  #arrivals = new Map();
  #awaited = new Map();
  #turn = 0;

  constructor({ url, token, domains, customers, product }) {
    Object.assign(this, { url, token, domains, customers, product });
  }

  async start() {
    this.socket = await openSocket(this.url, this.token, ({ payload }) => {
      const label = payload?.data?.activity?.entry?.resource?.label;
      if (label === undefined) return;
      this.#arrivals.set(label, performance.now());
      this.#awaited.get(label)?.();
    });
    this.socket.send(JSON.stringify({ id: 'feed', type: 'subscribe', payload: { query: feed } }));
  }

  stop() {
    this.socket.terminate();
  }

  /** Times of what was done within so many seconds, in milliseconds. */
  async during(seconds) {
    const until = performance.now() + seconds * 1_000;
    const times = { point: [], purchase: [], feed: [] };
    const feeds = [];
    const again = async (key, one) => {
      while (performance.now() < until) {
        await one();
        await setTimeout(PAUSE_MS[key]);
      }
    };
    await Promise.all([
      again('point', async () => {
        times.point.push(await this.#timed(pointRead, { domain: this.#next(this.domains) }));
      }),
      again('purchase', async () => {
        const began = performance.now();
        const input = {
          customerId: this.#next(this.customers),
          currency: 'USD',
          idempotencyKey: randomUUID(),
          lines: [{ ...this.product, quantity: 1 }],
        };
        const answered = await this.#asked(purchase, { input });
        times.purchase.push(answered.ms);
        const number = answered.data?.purchase?.order?.number;
        if (number === undefined) throw new Error(`the purchase was refused: ${JSON.stringify(answered.data)}`);
        feeds.push(this.#arrival(number).then((at) => times.feed.push(at - began)));
      }),
    ]);
    await Promise.all(feeds);
    return times;
  }

  #next(list) {
    this.#turn += 1;
    return list[this.#turn % list.length];
  }

  async #timed(query, variables) {
    return (await this.#asked(query, variables)).ms;
  }

  async #asked(query, variables) {
    const began = performance.now();
    const answer = await post(this.url, this.token, { query, variables }, AbortSignal.timeout(PATIENCE_MS)).catch(
      (error) => ({ error }),
    );
    const ms = performance.now() - began;
    if (answer.error) {
      if (answer.error.name === 'TimeoutError' || answer.error.name === 'AbortError') return { ms: PATIENCE_MS };
      throw answer.error;
    }
    const refused = refusalOf(answer);
    if (refused) throw new Error(`whoever presses nobody was refused: ${JSON.stringify(answer.errors)}`);
    return { ms, data: answer.data };
  }

  /** When the entry of an order came, which may be before its purchase was answered. */
  async #arrival(number) {
    const come = new Promise((resolve) => this.#awaited.set(number, resolve));
    if (!this.#arrivals.has(number)) await Promise.race([come, setTimeout(PATIENCE_MS, undefined, { ref: false })]);
    this.#awaited.delete(number);
    return this.#arrivals.get(number) ?? performance.now();
  }
}

const at = (times, share) =>
  [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))];

/** Median and 99th percentile of times. */
export const summaryOf = (times) => ({ median: at(times, 0.5), p99: at(times, 0.99), count: times.length });
