import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FairQueue } from '../../src/lib/fair-queue.js';
import { Turns } from '../../src/lib/turns.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { openAcknowledged } from '../support/raw-socket.js';

/** Documents that the gateway has not seen, so that each is parsed and validated. */
const MANY = 60;
/** Connections of somebody without a token, and requests that each sends at once. */
const CONNECTIONS = 40;
const PIPELINED = 16;
/** As many as a socket may have at once. */
const SUBSCRIPTIONS = 50;

/** A connection, and how many answers came over it. */
class Asking {
  answers = 0;
  statuses = new Set<string>();

  constructor(
    readonly socket: Socket,
    private readonly token = '',
  ) {
    socket.on('data', (text) => {
      for (const [, status] of String(text).matchAll(/HTTP\/1\.1 (\d+)/g)) {
        this.answers += 1;
        this.statuses.add(status as string);
      }
    });
  }

  /** Sends documents in one write, so that all are there at once. */
  send(documents: string[]): void {
    const requests = documents.map((query) => {
      const body = JSON.stringify({ query });
      return `POST /graphql HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${this.token}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    });
    this.socket.write(requests.join(''));
  }

  /** Sends what costs nothing: there is nothing at that address. */
  sendForNothing(count: number): void {
    this.socket.write('GET /nothing HTTP/1.1\r\nhost: gateway\r\n\r\n'.repeat(count));
  }

  async answered(count: number): Promise<void> {
    while (this.answers < count) await once(this.socket, 'data');
  }
}

describe(`turns, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const connected = async () => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return socket;
  };

  const asking = async (user: string) => {
    const one = new Asking(await connected(), await gateway.token('GLOBAL_ADMIN', { user }));
    // The gateway has written down who it is.
    one.send(['{ __typename }']);
    await one.answered(1);
    return one;
  };

  test('a document of one user does not wait behind the many of another', async () => {
    const [many, one] = [await asking('many@partner.example'), await asking('one@partner.example')];
    const fields = Array.from({ length: 19 }, (_, index) => `a${index}: viewer { userPrincipalName roles }`).join(' ');
    many.send(Array.from({ length: MANY }, (_, index) => `query Many${index} { ${fields} }`));
    one.send(['{ viewer { roles } }']);
    await one.answered(2);
    expect(many.answers).toBeLessThan(1 + MANY);
    await many.answered(1 + MANY);
    expect([...many.statuses, ...one.statuses]).toEqual(['200', '200']);
    for (const { socket } of [many, one]) socket.destroy();
  });

  test('nor does a request behind the many that nobody pays for, or that cost next to nothing', async () => {
    const [paying, one] = [await asking('cheap@partner.example'), await asking('only@partner.example')];
    const nobodys = await Promise.all(Array.from({ length: CONNECTIONS }, async () => new Asking(await connected())));
    let answered = 0;
    const count = (message: unknown) => {
      const { url } = (message as { request: IncomingMessage }).request;
      if (url !== '/nothing') return;
      answered += 1;
      // The other one comes when the first of them is answered.
      if (answered === 1) one.send(['{ __typename }']);
      if (one.answers === 1) beforeIt = answered;
    };
    let beforeIt = 0;
    subscribe('http.server.response.finish', count);
    for (const nobody of nobodys) nobody.sendForNothing(PIPELINED);
    paying.send(Array<string>(PIPELINED).fill('{ __typename }'));
    await one.answered(2);
    expect(beforeIt).toBeLessThan(PIPELINED);
    for (const nobody of nobodys) await nobody.answered(PIPELINED);
    await paying.answered(1 + PIPELINED);
    unsubscribe('http.server.response.finish', count);
    expect([...paying.statuses, ...one.statuses, ...(nobodys[0]?.statuses ?? [])]).toEqual(['200', '200', '404']);
    for (const { socket } of [paying, one, ...nobodys]) socket.destroy();
  });

  test('nor behind the same wrong one that another sends many times at once: it is kept nowhere, and judged one by one', async () => {
    const [many, one] = [await asking('wrong@partner.example'), await asking('right@partner.example')];
    many.send(Array<string>(16).fill(`{ ${Array.from({ length: 500 }, (_, index) => `wrong${index}`).join(' ')} }`));
    one.send(['{ viewer { roles userPrincipalName } }']);
    await one.answered(2);
    expect(many.answers).toBeLessThan(1 + 16);
    await many.answered(1 + 16);
    expect([...many.statuses]).toEqual(['200', '400']);
    for (const { socket } of [many, one]) socket.destroy();
  });

  test('nor behind the many that come over one socket at once, refused ones too', async () => {
    const raw = await openAcknowledged(
      gateway,
      await gateway.token('GLOBAL_ADMIN', { user: 'socket@partner.example' }),
    );
    const one = await asking('other@partner.example');
    const ids = Array.from({ length: SUBSCRIPTIONS }, (_, index) => String(index));
    for (const id of ids) raw.send({ id, type: 'subscribe', payload: { query: `{ nothing${id} }` } });
    let told = 0;
    const all = (async () => {
      while (told < SUBSCRIPTIONS) if ((await raw.next()).type === 'error') told += 1;
    })();
    one.send(['{ viewer { tenantId } }']);
    await one.answered(2);
    expect(told).toBeLessThan(SUBSCRIPTIONS);
    await all;
    one.socket.destroy();
    raw.socket.close();
  });
});

test('a caller whose piece kept the loop long rests four times as long as that was beyond 5 ms; others go on', async () => {
  let clock = 0;
  const rests: { ms: number; end(): void }[] = [];
  const turns = new Turns(
    () => clock,
    (ms, end) => void rests.push({ ms, end }),
  );
  const done: string[] = [];
  const piece = async (caller: string, name: string, ms: number) => {
    await turns.take(caller);
    clock += ms;
    done.push(name);
  };
  const short = ['b1', 'b2'].map((name) => piece('b', name, 5));
  const long = ['a1', 'a2'].map((name) => piece('a', name, 45));
  await Promise.all([...short, long[0]]);
  await piece('b', 'b3', 1);
  // What comes while its caller rests waits too.
  const later = piece('a', 'a3', 3_000);
  await piece('c', 'c1', 1);
  expect(done).toEqual(['b1', 'a1', 'b2', 'b3', 'c1']);
  expect(rests.map(({ ms }) => ms)).toEqual([160]);
  rests[0]?.end();
  await long[1];
  await piece('b', 'b4', 1);
  expect(done).toEqual(['b1', 'a1', 'b2', 'b3', 'c1', 'a2', 'b4']);
  rests[1]?.end();
  await later;
  await piece('b', 'b5', 1);
  expect(rests.map(({ ms }) => ms)).toEqual([160, 160, 1_000]);
});

test('a caller begins four in a turn of the loop, and one after a long turn; another who comes begins at once', () => {
  let clock = 0;
  const turns: (() => void)[] = [];
  const queue = new FairQueue(
    () => clock,
    (turn) => void turns.push(turn),
  );
  const done: string[] = [];
  const enter = (caller: string, count: number) => {
    for (let index = 1; index <= count; index += 1) queue.enter(caller, () => void done.push(`${caller}${index}`));
  };
  const turnAfter = (ms: number) => {
    clock += ms;
    turns.shift()?.();
    return done.splice(0);
  };
  enter('a', 11);
  enter('b', 1);
  expect(done.splice(0)).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
  expect(turnAfter(1)).toEqual(['a5', 'a6', 'a7', 'a8']);
  enter('b', 5);
  expect(turnAfter(3)).toEqual(['b1', 'b2', 'b3', 'b4', 'a9', 'b5']);
  expect(turnAfter(1)).toEqual(['a10', 'a11']);
  expect(turnAfter(1)).toEqual([]);
  // Nobody is left, and no turn is asked for.
  expect(turns).toEqual([]);
  enter('a', 1);
  expect(done).toEqual(['a1']);
  expect(turns.length).toBe(1);
});

test('what one piece throws takes nobody else their turn', () => {
  const turns: (() => void)[] = [];
  const queue = new FairQueue(
    () => 0,
    (turn) => void turns.push(turn),
  );
  const done: string[] = [];
  for (const name of ['a1', 'a2', 'a3', 'a4']) queue.enter('a', () => void done.push(name));
  queue.enter('a', () => {
    throw new Error('a5');
  });
  queue.enter('a', () => void done.push('a6'));
  expect(() => turns.shift()?.()).toThrow('a5');
  turns.shift()?.();
  expect(done).toEqual(['a1', 'a2', 'a3', 'a4', 'a6']);
});
