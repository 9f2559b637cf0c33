import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pino from 'pino';
import { Budgets, type SharedCounter } from '../../src/cost/budgets.js';
import { RefusalPace } from '../../src/cost/refusal-pace.js';
import { engine, serverUrl, testDatabase } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { startTestGateway, type TestGateway, testCosts } from '../support/gateway.js';
import { startProxy } from '../support/proxy.js';
import { openAcknowledged } from '../support/raw-socket.js';
import { hasRedis, redisUrl } from '../support/redis.js';
import { aCustomer } from '../support/shop.js';
import { until } from '../support/until.js';

const MINUTE_MS = 60_000;
const log = pino({ level: 'silent' });

/** A counter in memory, as two processes would share it. */
function sharedCounter(now: () => number) {
  const windows = new Map<string, { points: number; endsAt: number }>();
  const counter: SharedCounter & { isAway: boolean; asked: number } = {
    isAway: false,
    asked: 0,
    penalty: async (key, points) => {
      counter.asked += 1;
      if (counter.isAway) throw new Error('it is away');
      let window = windows.get(key);
      if (!window || now() >= window.endsAt) {
        window = { points: 0, endsAt: now() + MINUTE_MS };
        windows.set(key, window);
      }
      window.points += points;
      return { consumedPoints: window.points, msBeforeNext: window.endsAt - now() };
    },
  };
  return counter;
}

describe('budgets over time', () => {
  let now = 0;
  const opened: Budgets[] = [];
  const open = (counter: SharedCounter | null) => {
    const budgets = new Budgets({ windowMs: MINUTE_MS, counter, what: 'points', log, now: () => now });
    opened.push(budgets);
    return budgets;
  };
  afterAll(() => Promise.all(opened.map((budgets) => budgets.stop())));

  test('are spent to the last point, each user’s own, and are whole again after the window', () => {
    now = 1_000_000;
    const budgets = open(null);
    expect(budgets.spend('a', 100, 60)).toEqual({ left: 40 });
    now += 20_500;
    expect(budgets.spend('a', 100, 41)).toEqual({ retryAfter: 40 });
    expect(budgets.spend('a', 100, 40)).toEqual({ left: 0 });
    expect(budgets.spend('b', 100, 100)).toEqual({ left: 0 });
    now += 39_500;
    expect(budgets.spend('a', 100, 100)).toEqual({ left: 0 });
  });

  test('are no larger for what is given back after the window it was spent in', () => {
    now = 4_000_000;
    const budgets = open(null);
    budgets.spend('a', 100, 90);
    now += MINUTE_MS;
    budgets.refund('a', 100, 90);
    expect(budgets.spend('a', 100, 101)).toEqual({ retryAfter: 60 });
    expect(budgets.spend('a', 100, 100)).toEqual({ left: 0 });
  });

  test('are shared: what was spent elsewhere counts once it is told', async () => {
    now = 2_000_000;
    const counter = sharedCounter(() => now);
    const [here, there] = [open(counter), open(counter)];
    here.spend('a', 1_000, 600);
    expect(await here.settle('a', 1_000)).toEqual({ left: 400 });
    there.spend('a', 1_000, 500);
    expect(await there.settle('a', 1_000)).toEqual({ retryAfter: 60 });
    there.refund('a', 1_000, 500);
    expect(there.spend('a', 1_000, 400)).toEqual({ left: 0 });
  });

  test('ask nothing for what is small, and tell what adds up before more is done', async () => {
    now = 2_500_000;
    const counter = sharedCounter(() => now);
    const budgets = open(counter);
    for (let spent = 0; spent < 20; spent += 1) budgets.spend('c', 1_000, 1);
    expect([counter.asked, budgets.mustTell('c', 1_000)]).toEqual([0, false]);
    budgets.spend('c', 1_000, 1);
    expect(budgets.mustTell('c', 1_000)).toBe(true);
    await Promise.all(Array.from({ length: 5 }, () => budgets.settle('c', 1_000)));
    expect([counter.asked, budgets.mustTell('c', 1_000)]).toEqual([1, false]);
    const alone = open(null);
    alone.spend('c', 1_000, 1_000);
    expect(alone.mustTell('c', 1_000)).toBe(false);
  });

  test.each([19, 100, 525])('hold for many operations of %s points at once at several processes', async (points) => {
    now = 2_700_000;
    const LIMIT = 30_000;
    const counter = sharedCounter(() => now);
    const processes = [open(counter), open(counter), open(counter)];
    /** An operation as it is admitted; answers what it was let spend. */
    const operation = async (budgets: Budgets) => {
      if ('retryAfter' in budgets.spend('a', LIMIT, points)) return 0;
      if (!budgets.mustTell('a', LIMIT) || 'left' in (await budgets.settle('a', LIMIT))) return points;
      budgets.refund('a', LIMIT, points);
      return 0;
    };
    const count = Math.ceil((LIMIT / points) * 1.2);
    const all = processes.flatMap((budgets) => Array.from({ length: count }, () => operation(budgets)));
    const spent = (await Promise.all(all)).reduce((sum, one) => sum + one, 0);
    expect(spent).toBeLessThanOrEqual(LIMIT + processes.length * LIMIT * 0.02);
  });

  test('are kept by each process alone while the counter is away', async () => {
    now = 3_000_000;
    const counter = sharedCounter(() => now);
    const budgets = open(counter);
    counter.isAway = true;
    budgets.spend('a', 100, 60);
    expect(await budgets.settle('a', 100)).toEqual({ left: 40 });
    expect(budgets.spend('a', 100, 41)).toEqual({ retryAfter: 60 });
    now += MINUTE_MS;
    expect(budgets.spend('a', 100, 41)).toEqual({ left: 59 });
    now += 2_000;
    counter.isAway = false;
    expect(await budgets.settle('a', 100)).toEqual({ left: 59 });
  });

  test('tell what was spent while the counter was away once it is back', async () => {
    now = 5_000_000;
    const counter = sharedCounter(() => now);
    const [here, there] = [open(counter), open(counter)];
    counter.isAway = true;
    here.spend('a', 100, 60);
    await here.settle('a', 100);
    // While it is away nothing waits for it.
    expect(here.mustTell('a', 100)).toBe(false);
    counter.isAway = false;
    now += 2_000;
    there.spend('a', 100, 30);
    expect([await there.settle('a', 100), await here.settle('a', 100)]).toEqual([{ left: 70 }, { left: 10 }]);
  });

  test('wait for a counter that says nothing no longer than for one that is away', async () => {
    now = 6_000_000;
    let asked = 0;
    const budgets = open({
      penalty: () => {
        asked += 1;
        return new Promise(() => undefined);
      },
    });
    budgets.spend('a', 100, 60);
    const all = await Promise.all([budgets.settle('a', 100), budgets.settle('a', 100), budgets.settle('a', 100)]);
    expect([all, asked]).toEqual([Array(3).fill({ left: 40 }), 1]);
    expect(budgets.mustTell('a', 100)).toBe(false);
  });
});

test('a user who does not heed refusals waits: twenty at once, then fifty in a second; others do not', async () => {
  let now = 10_000;
  const slept: number[] = [];
  const pace = new RefusalPace(
    () => now,
    async (ms) => void slept.push(ms),
  );
  for (let refused = 0; refused < 20; refused += 1) {
    await pace.wait('a');
    pace.note('a');
  }
  expect(slept).toEqual([]);
  for (let refused = 0; refused < 3; refused += 1) {
    pace.note('a');
    await pace.wait('a');
  }
  await pace.wait('b');
  expect(slept).toEqual([20, 40, 60]);
  for (let refused = 0; refused < 100; refused += 1) pace.note('a');
  await pace.wait('a');
  expect(slept.at(-1)).toBe(1_000);
  now += 103 * 20;
  await pace.wait('a');
  expect(slept).toHaveLength(4);
});

const ONE = '{ customer(by: { domain: "a.example" }) { id } }';
const MINUTE = { everybody: 1_000_000, byRole: new Map([['SALES_AGENT', 10]]) };
const spentError = (cost: object = {}) => ({
  message: expect.stringMatching(/^You have spent the points .* Try again in \d+ s/),
  extensions: {
    code: 'RATE_LIMITED',
    limit: 'costBudget',
    retryAfter: expect.any(Number),
    cost: { asked: 1, allowed: 1_000_000, left: 0, ...cost },
  },
});

describe(`a user whose budget is spent, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ config: { cost: { ...testCosts, perMinute: MINUTE } } });
  });
  afterAll(() => gateway.stop());

  const spend = async (user: string) => {
    const token = await gateway.token('SALES_AGENT', { user });
    for (let spent = 0; spent < 10; spent += 1) expect((await gateway.run(ONE, {}, { token })).status).toBe(200);
    return token;
  };

  test('is answered 429 with Retry-After over HTTP, whichever way it goes, and nobody else is', async () => {
    const token = await spend('spender@partner.example');
    for (const document of [ONE, '{ viewer { roles } }', '{ nothing']) {
      const { status, headers, errors } = await gateway.run(document, {}, { token });
      expect(status).toBe(429);
      expect(headers.get('retry-after')).toBe(String(errors?.[0].extensions.retryAfter));
      expect(errors).toEqual([expect.objectContaining(spentError())]);
    }
    const other = await gateway.token('SALES_AGENT', { user: 'other@partner.example' });
    expect((await gateway.run(ONE, {}, { token: other })).status).toBe(200);
  });

  test('is told over WebSocket and as an event stream as the operation’s error, and the socket stays', async () => {
    const token = await spend('socket@partner.example');
    const raw = await openAcknowledged(gateway, token);
    for (const id of ['1', '2']) {
      raw.send({ id, type: 'subscribe', payload: { query: ONE } });
      expect(await raw.next()).toMatchObject({ id, type: 'error', payload: [spentError()] });
    }
    raw.socket.terminate();
    const events = await openEvents(gateway, {
      query: 'subscription { cancellationConfirmed { __typename } }',
      as: { token },
    });
    expect((await events.next())?.data.errors).toEqual([expect.objectContaining(spentError())]);
    events.end();
  });

  test('waits before more is looked at, over every transport, once it was refused again and again; nobody else does', async () => {
    const token = await spend(`${crypto.randomUUID()}@partner.example`);
    const { pace } = gateway.gateway.services.costs;
    const asked: string[] = [];
    const wait = jest.spyOn(pace, 'wait').mockImplementation((user) => {
      // Handshakes are paced too, by address.
      if (user.startsWith('sockets of ')) return null;
      asked.push(user);
      return Promise.resolve();
    });
    try {
      expect((await gateway.run(ONE, {}, { token })).status).toBe(429);
      const [user] = asked as [string];
      const raw = await openAcknowledged(gateway, token);
      raw.send({ id: '1', type: 'subscribe', payload: { query: ONE } });
      expect((await raw.next()).type).toBe('error');
      raw.socket.terminate();
      const events = await openEvents(gateway, { query: 'subscription { activity { __typename } }', as: { token } });
      await events.next();
      events.end();
      expect(asked).toEqual([user, user, user]);
    } finally {
      wait.mockRestore();
    }
  });

  test('whoever sends no token pays by address', async () => {
    const anonymous = { everybody: 10, byRole: new Map() };
    const small = await startTestGateway({ config: { cost: { ...testCosts, perMinute: anonymous } } });
    try {
      for (let spent = 0; spent < 10; spent += 1)
        expect((await small.run('{ viewer { roles } }', {}, null)).status).toBe(200);
      expect((await small.run('{ viewer { roles } }', {}, null)).status).toBe(429);
      expect((await small.run('{ viewer { roles } }', {}, 'SALES_AGENT')).status).toBe(200);
    } finally {
      await small.stop();
    }
  });
});

test(`a stream whose user has spent the budget ends in words, and goes on by its cursor, on ${engine}`, async () => {
  const perMinute = { everybody: 1_000_000, byRole: new Map([['ACCOUNT_ADMIN', 8]]) };
  const gateway = await startTestGateway({ config: { cost: { ...testCosts, perMinute } } });
  try {
    const subscribe = 'subscription { activity { __typename ... on FeedMessage { cursor } } }';
    const raw = await openAcknowledged(gateway, await gateway.token('ACCOUNT_ADMIN'));
    raw.send({ id: '1', type: 'subscribe', payload: { query: subscribe } });
    expect((await raw.next()).payload.data.activity.__typename).toBe('FeedCaughtUp');
    for (let made = 0; made < 5; made += 1) {
      await gateway.sql(
        `insert into activity_entries (id, action, outcome, actor, actor_role, product_ids, resource_type, resource_id, resource_label, correlation_id, detail)
         values (gen_random_uuid(), 'ACCESS_REVOKED', 'SUCCEEDED', 'a@partner.example', 'GLOBAL_ADMIN', '{}', 'USER', 'x', 'x', gen_random_uuid(), '{"userPrincipalName": "x", "objectId": null, "reason": null}')`,
      );
    }
    let message = await raw.next();
    let entries = 0;
    for (; message.type === 'next' && message.payload.data; message = await raw.next()) entries += 1;
    expect(entries).toBeGreaterThan(0);
    const errors = message.type === 'error' ? message.payload : message.payload.errors;
    expect(errors[0]).toMatchObject({
      message: expect.stringMatching(/Come back with your last cursor\.$/),
      extensions: { code: 'RATE_LIMITED', retryAfter: expect.any(Number) },
    });
    raw.socket.terminate();
  } finally {
    await gateway.stop();
  }
});

/** Embedded there is one process. */
const onServer = serverUrl ? describe : describe.skip;

onServer('gateways on one database', () => {
  test.each([
    ['in PostgreSQL', { kind: 'database' } as const],
    ...(hasRedis ? [['in Redis', { kind: 'redis', url: redisUrl.href } as const] as const] : []),
  ])('count together %s', async (_where, limiter) => {
    const database = await testDatabase();
    const config = { limiter, cost: { ...testCosts, perMinute: { everybody: 40, byRole: new Map() } } };
    const here = await startTestGateway({ database, config });
    const there = await startTestGateway({ database: { ...database, drop: async () => undefined }, config });
    try {
      await aCustomer(here);
      const token = await here.token('SALES_AGENT', { user: `${crypto.randomUUID()}@partner.example` });
      for (let spent = 0; spent < 40; spent += 1) await here.run(ONE, {}, { token });
      expect((await here.run(ONE, {}, { token })).status).toBe(429);
      // A large one asks first; by then the other has told what was spent there.
      const large = '{ customers(first: 100) { nodes { id } } }';
      await until('the other gateway hears of it', async () => (await there.run(large, {}, { token })).status === 429);
    } finally {
      await there.stop();
      await here.stop();
    }
  });
});

test('a gateway serves while Redis is out of reach, and says so once', async () => {
  const gateway = await startTestGateway({
    config: {
      limiter: { kind: 'redis', url: 'redis://:a-secret@127.0.0.1:1' },
      cost: { ...testCosts, perMinute: { everybody: 100, byRole: new Map() } },
    },
  });
  try {
    for (let turn = 0; turn < 3; turn += 1)
      expect((await gateway.run('{ customers(first: 100) { nodes { id } } }', {}, 'SALES_AGENT')).status).toBe(200);
    const told = () => gateway.log.filter((line) => line.includes('this process counts alone'));
    await until('it has said so', async () => told().length > 0);
    expect(told()).toHaveLength(1);
    expect(gateway.log.join()).not.toContain('a-secret');
  } finally {
    await gateway.stop();
  }
});

(hasRedis ? test : test.skip)('a gateway serves while Redis says nothing, says so once, and stops', async () => {
  const proxy = await startProxy(Number(redisUrl.port || 6379));
  const url = Object.assign(new URL(redisUrl), { hostname: '127.0.0.1', port: String(proxy.port) }).href;
  const cost = { ...testCosts, perMinute: { everybody: 1_000, byRole: new Map() } };
  const gateway = await startTestGateway({ config: { limiter: { kind: 'redis', url }, cost } });
  try {
    const token = await gateway.token('SALES_AGENT', { user: `${crypto.randomUUID()}@partner.example` });
    const large = () => gateway.run('{ customers(first: 100) { nodes { id } } }', {}, { token });
    await until('it counts in Redis', async () => {
      await large();
      return proxy.sent.join('').includes('csp-graph:cost');
    });
    proxy.silence();
    const told = () => gateway.log.filter((line) => line.includes('this process counts alone'));
    await until('it counts alone', async () => [200, 429].includes((await large()).status) && told().length > 0);
    expect(told()).toHaveLength(1);
  } finally {
    await gateway.stop();
    await proxy.close();
  }
  expect(gateway.log.join()).not.toContain('not everything could be finished');
});
