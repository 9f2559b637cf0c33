import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EXPORT_BATCH_SIZE } from '../../src/activity-log/export-entries.js';
import { points } from '../../src/cost/points.js';
import { engine } from '../support/database.js';
import { insertEntries } from '../support/entries.js';
import { startTestGateway, type TestGateway, testCosts } from '../support/gateway.js';
import { until } from '../support/until.js';
import { collectWarnings } from '../support/warnings.mts';

/** More than a batch, so that an export whose budget is spent has more to read. */
const LINES = EXPORT_BATCH_SIZE + 50;
const BUDGET = 1_000;

describe(`bounds of exports, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    // Enough to begin an export, and not for its first batch.
    const byRole = new Map([['ACCOUNT_ADMIN', points.export + 1]]);
    gateway = await startTestGateway({
      bounds: { exportsPerUser: 1 },
      config: { cost: { ...testCosts, perMinute: { everybody: BUDGET, byRole } } },
    });
    await gateway.sql(insertEntries, [LINES]);
    await until('the feed has read', () => gateway.gateway.services.feed.position.seq >= BigInt(LINES));
  });
  afterAll(() => gateway.stop());

  const someUser = (role: 'GLOBAL_ADMIN' | 'ACCOUNT_ADMIN') =>
    gateway.token(role, { user: `${randomUUID()}@partner.example` });
  const get = (path: string, token: string, signal: AbortSignal | null = null) =>
    fetch(`${gateway.url}/exports/${path}`, {
      headers: { authorization: `Bearer ${token}`, 'accept-encoding': 'identity' },
      signal,
    });
  const leftTo = async (token: string) => {
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-csp-cost': '1' },
      body: JSON.stringify({ query: '{ viewer { roles } }' }),
    });
    const { extensions } = (await response.json()) as { extensions: { cost: { left: number } } };
    return extensions.cost.left;
  };
  const refusalOf = async (answer: Response) => {
    const { errors } = (await answer.json()) as {
      errors: [{ message: string; extensions: { limit: string; retryAfter: number } }];
    };
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), ...errors[0] };
  };
  const refused = (bound: string) => gateway.gateway.services.refusals.counts.get(bound) ?? 0;

  test.each(['activity.csv', 'activity.jsonl', 'activity.jsonl?manifest=1'])(
    '%s is paid by line and statement',
    async (path) => {
      const token = await someUser('GLOBAL_ADMIN');
      const warnings = collectWarnings();
      await (await get(path, token)).text();
      // What waits for the answer's end hangs on it as one listener: Node warns of a leak from eleven on.
      warnings.stop();
      expect(warnings.told).toEqual([]);
      expect(await leftTo(token)).toBe(
        Math.floor(BUDGET - points.export - 2 * points.page - LINES * points.exportedLine - points.operation),
      );
    },
  );

  test('one that has begun waits for the next minute where the budget is spent; another is refused until it has ended', async () => {
    const token = await someUser('ACCOUNT_ADMIN');
    const client = new AbortController();
    const first = await get('activity.jsonl', token, client.signal);
    expect(first.status).toBe(200);
    const reader = (first.body as ReadableStream<Uint8Array>).getReader();
    let lines = 0;
    while (lines < EXPORT_BATCH_SIZE) {
      const { done, value } = await reader.read();
      expect(done).toBe(false);
      lines += (value as Uint8Array).filter((byte) => byte === 10).length;
    }
    expect(lines).toBe(EXPORT_BATCH_SIZE);
    const before = refused('exportsPerUser');
    const { message, ...second } = await refusalOf(await get('activity.csv?manifest=1', token));
    expect(second).toMatchObject({ status: 429, retryAfter: '1', extensions: { limit: 'exportsPerUser' } });
    expect(message).toBe('A user may have 1 exports at once. Wait until one has ended, or end one.');
    expect(refused('exportsPerUser')).toBe(before + 1);

    client.abort();
    let third = second as Awaited<ReturnType<typeof refusalOf>>;
    await until('the place of who left is free', async () => {
      third = await refusalOf(await get('activity.csv', token));
      return third.extensions.limit !== 'exportsPerUser';
    });
    expect(third).toMatchObject({
      status: 429,
      extensions: { code: 'RATE_LIMITED', limit: 'costBudget', cost: { asked: points.export, left: 0 } },
    });
    expect(third.retryAfter).toBe(String(third.extensions.retryAfter));
    expect(gateway.log.join()).not.toMatch(/"level":(40|50|60)/);
  });
});
