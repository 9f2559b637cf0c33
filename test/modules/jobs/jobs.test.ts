import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { toGlobalId } from '../../../src/domain/global-id.js';
import type { FulfilmentAnswer } from '../../../src/modules/fulfilling/provider.js';
import {
  GiveUpJobDocument,
  JobsDocument,
  OrderDocument,
  PeriodicWorkDocument,
  RetryJobDocument,
} from '../../generated/graphql.js';
import { cancelled } from '../../support/cancelling.js';
import { engine, serverUrl } from '../../support/database.js';
import { startTestGateway, type TestGateway, testJobs } from '../../support/gateway.js';
import { metricOf } from '../../support/metrics.js';
import { aCustomer, aJob, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';
import { entriesOf } from '../../support/software.js';
import { until } from '../../support/until.js';

const run = promisify(execFile);
const onServer = serverUrl ? test : test.skip;

describe(`jobs and their operators, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  let cancel: () => Promise<FulfilmentAnswer>;
  beforeAll(async () => {
    gateway = await startTestGateway({
      config: { jobs: { ...testJobs, attempts: 2 } },
      provider: { purchase: null, cancel: () => cancel() },
    });
    await stockShop(gateway);
    customer = await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  const list = async (filter = {}) => {
    const { data, errors } = await gateway.run(JobsDocument, { filter, first: 100 });
    expect(errors).toBeUndefined();
    return data.jobs?.nodes ?? [];
  };
  const look = async (order: { id: string }) =>
    (await gateway.run(OrderDocument, { id: order.id }, 'ADMIN_AGENT')).data.order;
  /** A cancellation whose attempts are used up. */
  const failed = async () => {
    cancel = async () => {
      throw new Error('the provider is down');
    };
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const { cancellation } = await cancelled(gateway, order);
    const id = toGlobalId('Job', cancellation.id.slice(4));
    await until('its attempts are used up', async () =>
      (await list({ states: ['FAILED'] })).some((job) => job.id === id),
    );
    return { order, id };
  };

  test('rule 17: an operator sees what failed and why, and a retry begins it at once', async () => {
    const { order, id } = await failed();
    const [job] = (await list({ kinds: ['CANCELLATION'], states: ['FAILED'] })).filter((one) => one.id === id);
    expect(job).toMatchObject({
      kind: 'CANCELLATION',
      state: 'FAILED',
      order: { id: order.id, number: order.number },
      attempts: 2,
      maximumAttempts: 2,
      nextAttemptAt: null,
      failedAt: expect.any(String),
      lastError: 'the provider is down',
    });
    expect(await metricOf(gateway, 'csp_graph_jobs\\{kind="CANCELLATION",state="FAILED"\\}')).toBeGreaterThan(0);
    cancel = async () => 'confirmed';
    const { data } = await gateway.run(RetryJobDocument, { input: { jobId: id } });
    expect(data.retryJob).toMatchObject({ __typename: 'RetryJobSuccess', order: { number: order.number } });
    await until('it is cancelled', async () => (await look(order))?.status === 'CANCELLED');
    expect((await gateway.run(RetryJobDocument, { input: { jobId: id } })).data.retryJob).toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
    expect(await entriesOf(gateway, { orderId: order.id, actions: ['JOB_RETRIED'] })).toMatchObject([
      {
        outcome: 'SUCCEEDED',
        actor: { role: 'GLOBAL_ADMIN' },
        resource: { nodeId: order.id },
        detail: { jobId: id, jobKind: 'CANCELLATION', orderNumber: order.number, attempts: 2 },
      },
    ]);
  });

  test('rule 17: a job that is given up is a refusal with its reason, by whoever gave it up', async () => {
    const { order, id } = await failed();
    const given = { input: { jobId: id, reason: 'The provider has no such order' } };
    expect((await gateway.run(GiveUpJobDocument, given)).data.giveUpJob?.__typename).toBe('GiveUpJobSuccess');
    expect(await look(order)).toMatchObject({
      status: 'COMPLETED',
      lines: [{ status: 'ACTIVE' }],
      cancellations: [{ status: 'REFUSED', refusalReason: 'The provider has no such order' }],
    });
    const entries = await entriesOf(gateway, { orderId: order.id, actions: ['CANCELLATION_REFUSED'] });
    expect(entries).toMatchObject([
      { actor: { role: 'GLOBAL_ADMIN' }, detail: { problem: 'The provider has no such order' } },
    ]);
    expect(await entriesOf(gateway, { orderId: order.id, actions: ['JOB_GIVEN_UP'] })).toMatchObject([
      {
        actor: { role: 'GLOBAL_ADMIN' },
        detail: { jobId: id, jobKind: 'CANCELLATION', attempts: 2, givenUpReason: 'The provider has no such order' },
      },
    ]);
    expect((await gateway.run(GiveUpJobDocument, given)).data.giveUpJob).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  test('one that is being attempted is left alone', async () => {
    let answer = (_answer: FulfilmentAnswer) => {};
    cancel = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const { cancellation } = await cancelled(gateway, order);
    const jobId = toGlobalId('Job', cancellation.id.slice(4));
    await until('it is attempted', async () => (await list({ states: ['RUNNING'] })).some(({ id }) => id === jobId));
    for (const [document, input] of [
      [RetryJobDocument, { jobId }],
      [GiveUpJobDocument, { jobId, reason: 'Too slow' }],
    ] as const) {
      const { data } = await gateway.run(String(document), { input });
      expect(Object.values(data)).toMatchObject([{ code: 'JOB_RUNNING' }]);
    }
    answer('confirmed');
    await until('it is cancelled', async () => (await look(order))?.status === 'CANCELLED');
  });

  test('of operators who act on a job at once one has it; the others are told that it is gone, not that it runs', async () => {
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    for (let round = 0; round < 5; round += 1) {
      const id = await aJob(gateway, order);
      const given = { input: { jobId: id, reason: 'Not wanted' } };
      const answers = await Promise.all(
        Array.from({ length: 4 }, async () => (await gateway.run(GiveUpJobDocument, given)).data.giveUpJob),
      );
      const said = answers.map((answer) => (answer && 'code' in answer ? answer.code : answer?.__typename)).sort();
      expect(said).toEqual(['GiveUpJobSuccess', ...Array(3).fill('JOB_NOT_FOUND')].sort());
      const { data } = await gateway.run(RetryJobDocument, { input: { jobId: id } });
      expect(data.retryJob).toMatchObject({ code: 'JOB_NOT_FOUND' });
    }
  });

  onServer('what becomes of a job while an operator waits for it is what the operator is told', async () => {
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const { url } = gateway.gateway.services.config.database as { url: string };
    const other = new pg.Client(url);
    await other.connect();
    const acting = [
      [RetryJobDocument, {}],
      [GiveUpJobDocument, { reason: 'Too slow' }],
    ] as const;
    for (const [becomes, code] of [
      ['delete from pgboss.job where id = $1', 'JOB_NOT_FOUND'],
      [`update pgboss.job set state = 'active' where id = $1`, 'JOB_RUNNING'],
    ] as const)
      for (const [document, input] of acting) {
        const jobId = await aJob(gateway, order);
        const id = jobId.slice(4);
        await other.query('begin');
        await other.query(becomes, [id]);
        const answer = gateway.run(String(document), { input: { jobId, ...input } });
        // Another connection looks: in a transaction the statistics stay as they were.
        const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        await until('it waits for the row of the job', async () => (await gateway.sql(waiting)).length > 0);
        await other.query('commit');
        expect(Object.values((await answer).data)).toMatchObject([{ code }]);
        await gateway.sql('delete from pgboss.job where id = ?', [id]);
      }
    await other.end();
  });

  test('work that comes again is claimed once in a span, whoever asks, and again where it failed', async () => {
    const { jobs } = gateway.gateway.services;
    const queue = 'turns_of_a_test';
    await gateway.sql(`select pgboss.create_queue('${queue}', '{"policy": "standard"}')`);
    const claim = () => jobs.claimTurn(queue, 86_400 * 365);
    const claims = await Promise.all([claim(), claim(), claim()]);
    const first = claims.find((one) => one !== null);
    expect(claims.filter((one) => one !== null)).toHaveLength(1);
    await jobs.failTurn(queue, first as NonNullable<typeof first>, 'the database went away');
    let second: Awaited<ReturnType<typeof claim>> = null;
    await until('it is claimed anew', async () => {
      second ??= await claim();
      return second !== null;
    });
    await jobs.endTurn(queue, second as never);
    expect(await claim()).toBeNull();
  });

  test('work that comes again and fails is told in the graph, by the metrics and by readiness, until it is done', async () => {
    const { jobs } = gateway.gateway.services;
    const claim = async () => {
      let claimed: Awaited<ReturnType<typeof jobs.claimTurn>> = null;
      await until('it is claimed', async () => {
        claimed ??= await jobs.claimTurn('month_close', 1);
        return claimed !== null;
      });
      return claimed as unknown as NonNullable<typeof claimed>;
    };
    const told = async () => {
      const { data } = await gateway.run(PeriodicWorkDocument, {});
      expect(data.periodicWork?.map(({ kind }) => kind)).toEqual(['MONTH_CLOSE', 'REFUSED_ATTEMPTS', 'SALES_ROLL_UP']);
      const health = await fetch(`${gateway.url}/health/ready`);
      const failures = await metricOf(gateway, 'csp_graph_periodic_work_failures{kind="MONTH_CLOSE"}');
      return { ...data.periodicWork?.[0], health: [health.status, await health.json()], metric: failures };
    };
    await jobs.failTurn('month_close', await claim(), 'the month of 2026-10-01 is not over');
    expect(await told()).toMatchObject({
      ...{ failures: 1, lastError: 'the month of 2026-10-01 is not over', failedAt: expect.any(String) },
      ...{ health: [200, { status: 'ready', failing: ['MONTH_CLOSE'] }], metric: 1 },
    });
    await jobs.endTurn('month_close', await claim());
    expect(await told()).toMatchObject({
      ...{ failures: 0, lastError: null, failedAt: null, succeededAt: expect.any(String) },
      ...{ health: [200, { status: 'ready' }], metric: 0 },
    });
    expect((await gateway.run(PeriodicWorkDocument, {}, 'BILLING_ADMIN')).data.periodicWork).toBeNull();
  });

  onServer('npm run jobs lists them, begins one at once and gives one up', async () => {
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const id = await aJob(gateway, order);
    const { url } = gateway.gateway.services.config.database as { url: string };
    const command = (...args: string[]) =>
      run(process.execPath, ['dist/src/cli/jobs.js', ...args], {
        env: { PATH: process.env['PATH'], DATABASE_URL: url, DATA_DIR: `/tmp/csp-graph-${process.pid}` },
      });
    const { stdout } = await command('list', '--state', 'waiting');
    const jobs = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(jobs).toContainEqual(expect.objectContaining({ kind: 'PURCHASE', state: 'WAITING', order: order.number }));
    expect((await command('give-up', id, '--reason', 'Not wanted')).stdout).toBe('it is given up\n');
    expect(await entriesOf(gateway, { orderId: order.id, actions: ['JOB_GIVEN_UP'] })).toMatchObject([
      { actor: { role: 'OPERATOR', application: 'npm run jobs' }, detail: { givenUpReason: 'Not wanted' } },
    ]);
    await expect(command('retry', id)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no such job'),
    });
    await expect(command('give-up', id)).rejects.toMatchObject({ code: 2 });
  });
});
