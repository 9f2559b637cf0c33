import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isAfter, positionOfCursor } from '../../src/client/feed-cursor.js';
import { type FeedMessage, FeedRefused, followFeed, type Subscribe } from '../../src/client/index.js';
import { engine, serverUrl } from '../support/database.js';
import { type FollowedMessage, followers } from '../support/followers.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { openLines } from '../support/proxy.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../support/shop.js';

const CUTS = serverUrl ? 40 : 12;

const follow = (name: string, url: string, token: string) =>
  (followers[name] as (typeof followers)[string])(url, token);

/** A line to the gateway that the test can cut. */
async function cuttableLine(target: number) {
  const join = (near: Socket, far: Socket) => {
    near.pipe(far).pipe(near);
  };
  const { port, endAll, close } = await openLines(target, () => join);
  return { url: `http://127.0.0.1:${port}`, cut: endAll, close };
}

/** Entries of an order: that it was placed, and that it was confirmed. */
const ENTRIES = 2;

describe(`the client that follows a feed, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    customer = await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  test.each(Object.keys(followers))(
    `by %s it tells every entry once and in order, though the line is cut ${CUTS} times`,
    async (name) => {
      const line = await cuttableLine(Number(new URL(gateway.url).port));
      const { subscribe, dispose } = follow(name, line.url, await gateway.token('GLOBAL_ADMIN'));
      const bought: string[] = [];
      const heard: string[] = [];
      let cuts = 0;
      // Each message is answered by the next order and a cut, so that entries are committed while the line is down.
      for await (const message of followFeed(subscribe, { retryWait: () => 4 })) {
        if (message.entry) heard.push(message.entry.resource.label);
        if (heard.length === ENTRIES * CUTS) break;
        if (ENTRIES * bought.length === heard.length && bought.length < CUTS) {
          const order = buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
          line.cut();
          cuts += 1;
          bought.push((await order).number);
        }
      }
      expect(cuts).toBe(CUTS);
      expect(heard).toEqual(bought.flatMap((number) => Array<string>(ENTRIES).fill(number)));
      dispose();
      await line.close();
    },
  );

  test.each(Object.keys(followers))(
    'by %s it throws where the gateway refuses, instead of asking for ever',
    async (name) => {
      const token = await gateway.token('SALES_AGENT');
      const { subscribe, dispose } = follow(name, gateway.url, token);
      const refused = await followFeed(subscribe)
        .next()
        .catch((cause) => cause);
      expect(refused).toBeInstanceOf(FeedRefused);
      expect(JSON.stringify(refused.cause)).toContain('FORBIDDEN');
      dispose();
    },
  );

  test.each(Object.keys(followers))(
    'by %s one whose access is revoked hears it, ends, and is refused',
    async (name) => {
      const user = `${name.replace(/\W+/g, '-')}@partner.example`.toLowerCase();
      const token = await gateway.token('ACCOUNT_ADMIN', { user });
      const { subscribe, dispose } = follow(name, gateway.url, token);
      const heard: (string | undefined)[] = [];
      for await (const { __typename } of followFeed(subscribe)) {
        heard.push(__typename);
        if (heard.length === 1)
          await gateway.run('mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }', {
            input: { userPrincipalName: user },
          });
      }
      expect([heard[0], heard.at(-1)]).toEqual(['FeedCaughtUp', 'AccessChanged']);
      // graphql-sse by itself asks again whatever the answer was.
      if (name !== 'graphql-sse, reconnecting by itself')
        await expect(followFeed(subscribe).next()).rejects.toThrow(FeedRefused);
      dispose();
    },
  );

  test.each(Object.keys(followers).filter((name) => name !== 'graphql-sse, reconnecting by itself'))(
    'by %s a token that never held, or a role that may not listen, is refused at once, and says why',
    async (name) => {
      for (const [token, why] of [
        ['nonsense', /4401|401|JWT/],
        [await gateway.token('SALES_AGENT'), /Subscription\.activity is not for|403/],
      ] as const) {
        const { subscribe, dispose } = follow(name, gateway.url, token);
        const refusal = followFeed(subscribe).next();
        await expect(refusal).rejects.toThrow(FeedRefused);
        await expect(refusal).rejects.toThrow(why);
        dispose();
      }
    },
  );

  /** Waits for an order; what was committed before may come late, as long as others' transactions are open. */
  async function hears(follower: AsyncIterator<unknown>, number: string): Promise<void> {
    for (let label: string | undefined; label !== number; )
      label = ((await follower.next()).value as FollowedMessage).entry?.resource.label;
  }

  test('two who follow by one client at different places each hear their own', async () => {
    const token = await gateway.token('GLOBAL_ADMIN');
    for (const name of Object.keys(followers)) {
      const { subscribe, dispose } = follow(name, gateway.url, token);
      const first = followFeed(subscribe);
      const { value: caughtUp } = await first.next();
      const after = (caughtUp as FollowedMessage).cursor as string;
      const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
      for (const follower of [first, followFeed(subscribe, { after })]) await hears(follower, order.number);
      dispose();
    }
  });

  test('an expired token is worth another try, and what signal ends is ended', async () => {
    const ending = new AbortController();
    let tries = 0;
    const subscribe: Subscribe<FeedMessage> = (_variables, sink) => {
      tries += 1;
      sink.error([{ message: 'Token expired', extensions: { code: 'UNAUTHENTICATED', expired: true } }]);
      return () => undefined;
    };
    const retryWait = () => {
      if (tries === 3) ending.abort();
      return tries === 3 ? 1_000_000 : 0;
    };
    expect(await followFeed(subscribe, { signal: ending.signal, retryWait }).next()).toEqual({
      value: undefined,
      done: true,
    });
    expect(tries).toBe(3);
  });

  test('cursors are compared by position, in either alphabet of base64, signed or not', () => {
    const json = JSON.stringify(['feed:6f1d3c5e-???>>>', '12', '7']);
    const cursors = [Buffer.from(json).toString('base64'), `${Buffer.from(json).toString('base64url')}.c2lnbmF0dXJl`];
    for (const cursor of cursors) expect(positionOfCursor(cursor)).toEqual({ xid: 12n, seq: 7n });
    const later = Buffer.from(JSON.stringify(['feed:x', '12', '10'])).toString('base64url');
    expect([isAfter(later, cursors[1] as string), isAfter(cursors[0] as string, later)]).toEqual([true, false]);
    expect(positionOfCursor('nonsense')).toBeNull();
  });
});
