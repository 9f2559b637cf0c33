import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Execute } from '../../src/database/execute.js';
import { codedError, ErrorCode } from '../../src/graphql/errors.js';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { cursorAt, feedOf, insert, LABELS, labelsOf } from '../support/feed.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { until } from '../support/until.js';

/** What reading an entry may meet, and later not any more. */
const passing: [string, () => Error][] = [
  ['a full queue for the database', () => codedError(ErrorCode.LIMIT_EXCEEDED, 'Too many reads wait.')],
  ['a database out of reach', () => Object.assign(new Error('terminating connection'), { code: '57P01' })],
  ['a failure of ours', () => new Error('nobody foresaw this')],
];
const tooLarge = () =>
  codedError(ErrorCode.LIMIT_EXCEEDED, 'The answer is larger than 16 MiB.', { extensions: { limit: 'answerBytes' } });
const timeout = () => Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });

describe(`an entry that cannot be read, on ${engine}`, () => {
  let gateway: TestGateway;
  /** What a read of entries meets, by how many it is of. */
  let fault: (entries: number) => Error | null = () => null;
  let faults = 0;
  let statements = 0;
  beforeAll(async () => {
    gateway = await startTestGateway();
    const { readSource } = gateway.gateway.services;
    const { execute } = readSource;
    const faulty: Execute = (statement, parameters, abort) => {
      const ids = parameters.find(Array.isArray) as unknown[] | undefined;
      statements += 1;
      const error = fault(ids?.length ?? 0);
      if (!error) return execute(statement, parameters, abort);
      faults += 1;
      return Promise.reject(error);
    };
    readSource.execute = faulty;
  });
  afterAll(() => gateway.stop());
  beforeEach(() => {
    fault = () => null;
    [faults, statements] = [0, 0];
  });

  test.each(passing)('for %s is told once it can, in its place, over sockets and event streams', async (_, error) => {
    const socket = await gateway.subscribe(LABELS);
    await socket.nextOf('FeedCaughtUp');
    const events = await openEvents(gateway, { query: LABELS });
    await events.nextOf('FeedCaughtUp');
    fault = error;
    await insert(gateway, 3);
    await until('both have tried again', () => faults >= 6);
    fault = () => null;
    expect(await labelsOf(socket, 3)).toEqual(['1', '2', '3']);
    for (const label of ['1', '2', '3']) {
      const { message } = await events.nextOf('ActivityRecorded');
      expect(message.entry.resource.label).toBe(label);
    }
    await socket.end();
    events.end();
  });

  test.each([
    ['takes too long', timeout],
    ['is too large', tooLarge],
  ])('together with others %s is read with fewer', async (_, error) => {
    const start = feedOf(gateway).position;
    await insert(gateway, 40);
    await until('they are read', () => feedOf(gateway).position.seq >= start.seq + 40n);
    fault = (entries) => (entries > 10 ? error() : null);
    const socket = await gateway.subscribe(LABELS, { after: cursorAt(gateway, start) });
    expect(await labelsOf(socket, 40)).toEqual(Array.from({ length: 40 }, (_, index) => String(index + 1)));
    expect(faults).toBeGreaterThan(0);
    await socket.end();
  });

  test('in time even by itself ends its streams, which say so; nothing goes past it', async () => {
    const socket = await gateway.subscribe(LABELS);
    await socket.nextOf('FeedCaughtUp');
    const events = await openEvents(gateway, { query: LABELS });
    const { id } = await events.nextOf('FeedCaughtUp');
    fault = timeout;
    await insert(gateway, 1);
    await expect(socket.next()).rejects.toMatchObject([{ extensions: { code: 'TIMEOUT' } }]);
    const told = await events.next();
    expect(told?.data).toMatchObject({ errors: [{ extensions: { code: 'TIMEOUT' } }] });
    expect(told?.id).toBeUndefined();
    fault = () => null;
    const again = await openEvents(gateway, { query: LABELS, lastEventId: id });
    expect((await again.nextOf('ActivityRecorded')).message.entry.resource.label).toBe('1');
    again.end();
    events.end();
  });

  test('that is larger than an answer by itself ends its streams, which say so', async () => {
    const socket = await gateway.subscribe(LABELS);
    await socket.nextOf('FeedCaughtUp');
    fault = tooLarge;
    await insert(gateway, 1);
    await expect(socket.next()).rejects.toMatchObject([
      { extensions: { code: 'LIMIT_EXCEEDED', limit: 'answerBytes' } },
    ]);
  });

  test('holds up neither a stop nor a revocation: its streams are told where to go on', async () => {
    const stopping = await startTestGateway();
    const { readSource } = stopping.gateway.services;
    const { execute } = readSource;
    const socket = await stopping.subscribe(LABELS);
    await socket.nextOf('FeedCaughtUp');
    const user = 'leaver@partner.example';
    const leaver = await stopping.subscribe(LABELS, {}, { token: await stopping.token('ACCOUNT_ADMIN', { user }) });
    await leaver.nextOf('FeedCaughtUp');
    let unread = 0;
    readSource.execute = (statement, parameters, abort) => {
      if (!parameters.some(Array.isArray)) return execute(statement, parameters, abort);
      unread += 1;
      return Promise.reject(new Error('nobody foresaw this'));
    };
    await insert(stopping, 1);
    await until('it was tried', () => unread > 0);
    await stopping.run('mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }', {
      input: { userPrincipalName: user },
    });
    expect(await leaver.nextOf('AccessChanged')).toBeDefined();
    const draining = socket.nextOf('FeedDraining');
    const stopped = stopping.stop();
    expect(await draining).toBeDefined();
    expect((await socket.closed).code).toBe(1012);
    await stopped;
  });

  test('is not the rule: a replay reads its entries by the batch', async () => {
    const start = feedOf(gateway).position;
    await insert(gateway, 2_000);
    await until('they are read', () => feedOf(gateway).position.seq >= start.seq + 2_000n);
    const socket = await gateway.subscribe(LABELS, { after: cursorAt(gateway, start) });
    statements = 0;
    expect(await labelsOf(socket, 2_000)).toHaveLength(2_000);
    // Statements of 25 each, for others to have their turn in between.
    expect(statements).toBeLessThanOrEqual(80);
    await socket.end();
  });
});
