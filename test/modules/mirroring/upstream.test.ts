import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { UpstreamDocument } from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import type { TestGateway } from '../../support/gateway.js';
import { startTestGateway } from '../../support/gateway.js';
import { type Mirrored, signIn, startMirrored } from '../../support/partner-center/mirrored.js';
import { orderInPortal } from '../../support/partner-center/portal.js';
import { until } from '../../support/until.js';

const perpetual = { productId: 'DG7GMGF0FKZV', skuId: '0001' };

/** What operators see of the upstream: that it breaks, why, and that it heals. */
describe(`how the upstream fares, on ${engine}`, () => {
  let mirrored: Mirrored;
  let gateway: TestGateway;
  beforeAll(async () => {
    mirrored = await startMirrored({ customers: 3 }, { isSignedIn: false });
    gateway = mirrored.gateway;
  });
  afterAll(() => mirrored.stop());
  afterEach(() => mirrored.simulator.world.faults.switchOff());

  const upstream = async () => {
    const { data } = await gateway.run(UpstreamDocument, {}, 'GLOBAL_ADMIN');
    if (!data.upstream) throw new Error('there is an upstream');
    return data.upstream;
  };
  const syncOf = async (kind: string) => (await upstream()).syncs.find((sync) => sync.kind === kind);
  const told = async () =>
    (
      await gateway.sql<{ action: string; kind: string }>(
        `select action, detail ->> 'syncKind' as kind from activity_entries where action in ('UPSTREAM_BROKEN', 'UPSTREAM_HEALED') order by xid, seq`,
      )
    ).map(({ action, kind }) => `${action} ${kind}`);
  const ready = async () => (await fetch(`${gateway.url}/health/ready`)).json();
  const metrics = async () => (await fetch(`${gateway.url}/metrics`)).text();
  const tenantOf = (place: number) => mirrored.simulator.world.state.customers[place]?.id as string;
  /** Customers are read again, whatever was heard of them. */
  const readAll = () => gateway.sql('update upstream_customers set refresh_after = now()');

  test('nobody has signed in: that is said once, in words; the rest is read; once somebody has, it heals and is made up for', async () => {
    orderInPortal(mirrored.simulator.world, tenantOf(0), [{ ...perpetual, quantity: 2 }], 'agent@partner.example');
    await until('it counts as broken', async () => (await syncOf('ENTITLEMENTS'))?.brokenSince != null);
    expect(await upstream()).toMatchObject({
      kind: 'PARTNER_CENTER',
      isSandbox: false,
      signInDueAt: null,
      customers: 3,
      callsPerMinute: 100_000,
      failures: expect.arrayContaining([
        expect.objectContaining({ about: 'ENTITLEMENTS', problem: expect.stringContaining('partner-center:sign-in') }),
      ]),
    });
    expect((await upstream()).callsUsed).toBeGreaterThan(0);
    await until('orders are read all the same', async () => (await upstream()).customersNeverRead === 0);
    expect(await syncOf('ORDERS')).toMatchObject({ failures: 0, lastError: null, brokenSince: null });
    expect(await ready()).toEqual({ status: 'ready', upstream: ['ENTITLEMENTS'] });
    expect(await metrics()).toMatch(/csp_graph_upstream_broken\{kind="ENTITLEMENTS"\} 1\n/);
    expect(await metrics()).toMatch(/csp_graph_upstream_sign_in_due_seconds -1\n/);
    expect(await told()).toEqual(['UPSTREAM_BROKEN ENTITLEMENTS']);

    await signIn(gateway, mirrored.simulator);
    await until('it has healed', async () => (await syncOf('ENTITLEMENTS'))?.brokenSince === null);
    await until('all are made up for', async () => (await upstream()).customersWithProblem === 0);
    expect(await told()).toEqual(['UPSTREAM_BROKEN ENTITLEMENTS', 'UPSTREAM_HEALED ENTITLEMENTS']);
    const dueAt = Date.parse(String((await upstream()).signInDueAt));
    expect(dueAt).toBeGreaterThan(Date.now() + 89 * 86_400_000);
    expect(await ready()).toEqual({ status: 'ready' });
    const [, seconds] = /^csp_graph_upstream_sign_in_due_seconds (\S+)$/m.exec(await metrics()) ?? [];
    expect(Number(seconds)).toBeGreaterThan(89 * 86_400);
  });

  test.each([
    ['a token without the claim of a second factor', 'tokenWithoutMfa', /10001/],
    ['a refresh token that has expired', 'refreshTokenExpired', /sign in|sign-in/],
  ] as const)('%s is told in words, and heals with another sign-in', async (_what, fault, words) => {
    mirrored.simulator.world.faults.switchOn(fault);
    await signIn(gateway, mirrored.simulator);
    // What was got before is good for an hour: it is refused, so that another one is got.
    mirrored.simulator.world.faults.switchOn('accessTokenRefused', { times: 1, at: 'entitlements' });
    await readAll();
    await until('it is told', async () => words.test((await syncOf('ENTITLEMENTS'))?.lastError ?? ''));
    mirrored.simulator.world.faults.switchOff();
    await signIn(gateway, mirrored.simulator);
    await until('it is right again', async () => (await syncOf('ENTITLEMENTS'))?.failures === 0);
  });

  test('no tokens at all: everything breaks, the graph goes on answering, and it heals by itself', async () => {
    const before = (await told()).length;
    mirrored.simulator.world.faults.switchOn('tokenEndpointDown');
    for (const token of Object.keys(mirrored.simulator.world.state.accessTokens))
      delete mirrored.simulator.world.state.accessTokens[token];
    await until('records count as broken', async () => (await syncOf('RECORDS'))?.brokenSince != null);
    expect((await ready()).upstream).toContain('RECORDS');
    const { data } = await gateway.run('{ customers(first: 9) { nodes { domain } } }', {}, 'ADMIN_AGENT');
    expect(data['customers'].nodes).toHaveLength(3);
    mirrored.simulator.world.faults.switchOff();
    await until('they are read again', async () => (await syncOf('RECORDS'))?.brokenSince === null);
    expect((await told()).slice(before).filter((entry) => entry.endsWith('RECORDS'))).toEqual([
      'UPSTREAM_BROKEN RECORDS',
      'UPSTREAM_HEALED RECORDS',
    ]);
  });

  test('a token for another audience is told in words', async () => {
    const other = await startMirrored({ customers: 1 }, { audience: 'https://graph.microsoft.com' });
    try {
      const errors = async () =>
        ((await other.gateway.run(UpstreamDocument, {}, 'GLOBAL_ADMIN')).data.upstream?.syncs ?? []).map(
          ({ lastError }) => lastError ?? '',
        );
      await until('it is told', async () => (await errors()).some((text) => text.includes('900420')));
    } finally {
      await other.stop();
    }
  });

  test('a gateway without an upstream says so, and so do its metrics', async () => {
    const plain = await startTestGateway();
    try {
      expect((await plain.run(UpstreamDocument, {}, 'GLOBAL_ADMIN')).data).toEqual({ upstream: null });
      expect(await (await fetch(`${plain.url}/metrics`)).text()).not.toContain('csp_graph_upstream');
    } finally {
      await plain.stop();
    }
  });
});
