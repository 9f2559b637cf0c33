import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inOwnTransaction } from '../../../src/context/transaction.js';
import { toGlobalId } from '../../../src/domain/global-id.js';
import { newId } from '../../../src/domain/ids.js';
import { closeAttempts, JOINED_MS } from '../../../src/modules/entitlements/refused-attempts.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway, testCosts } from '../../support/gateway.js';
import { aCustomer, stockShop } from '../../support/shop.js';
import { adminOf, buySoftware, reveal, settled } from '../../support/software.js';

const REVEAL =
  'mutation ($id: ID!) { revealProductKey(input: { entitlementId: $id, version: "2019" }) { __typename } }';
const DENIED =
  '{ activity(last: 100, filter: { actions: [ACCESS_DENIED] }) { nodes { actor { userPrincipalName objectId } correlationId detail { ... on AccessDeniedDetail { operation reason attempts } } } } }';

describe(`refused attempts at keys, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ config: { cost: { ...testCosts, refusedAttempts: 6 } } });
  });
  afterAll(() => gateway.stop());

  const entries = async () => {
    await settled(gateway);
    return (await gateway.run(DENIED)).data.activity.nodes;
  };

  test('that are the same are one entry at once, and one more that says how many when the window ends', async () => {
    const as = await adminOf(gateway, await aCustomer(gateway));
    const id = toGlobalId('Entitlement', newId());
    for (let tried = 0; tried < 5; tried += 1)
      expect((await gateway.run(REVEAL, { id }, as)).data.revealProductKey.__typename).toBe('EntitlementNotFound');
    const denied = { operation: 'revealProductKey', reason: 'no such entitlement' };
    const before = await entries();
    expect(before.map(({ detail }: { detail: object }) => detail)).toEqual([{ ...denied, attempts: 1 }]);
    const close = (at: number) => inOwnTransaction(gateway.gateway.services, (em) => closeAttempts(em, new Date(at)));
    await close(Date.now());
    expect(await entries()).toHaveLength(1);
    for (let turn = 0; turn < 2; turn += 1) await close(Date.now() + JOINED_MS + 1_000);
    const [first, joined, ...others] = await entries();
    expect(others).toEqual([]);
    expect(joined).toEqual({ ...first, detail: { ...denied, attempts: 4 } });
  });

  test('have a budget for each user: beyond it nothing is looked at and nothing written, and others go on', async () => {
    const as = await adminOf(gateway, await aCustomer(gateway));
    const attempt = () => gateway.run(REVEAL, { id: toGlobalId('Entitlement', newId()) }, as);
    for (let tried = 0; tried < 6; tried += 1) expect((await attempt()).errors).toBeUndefined();
    const before = (await entries()).length;
    const { errors, status, headers } = await attempt();
    expect([status, headers.get('retry-after')]).toEqual([429, String(errors?.[0].extensions.retryAfter)]);
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/^Of your attempts at keys and links 6 were refused lately/),
        extensions: { code: 'RATE_LIMITED', limit: 'refusedAttempts', retryAfter: expect.any(Number) },
      },
    ]);
    expect(await entries()).toHaveLength(before);
    const other = await adminOf(gateway, await aCustomer(gateway));
    expect((await gateway.run(REVEAL, { id: toGlobalId('Entitlement', newId()) }, other)).errors).toBeUndefined();
  });

  test('are no attempts that succeed, however many are made at once', async () => {
    await stockShop(gateway);
    const software = await buySoftware(gateway, await aCustomer(gateway));
    const as = await adminOf(gateway, software.customer);
    const reveals = Array.from({ length: 30 }, () =>
      reveal(gateway, software.entitlementId, software.choice.version, as),
    );
    const told = (await Promise.all(reveals)).map(({ data, errors }) => errors ?? data?.revealProductKey?.__typename);
    expect(told).toEqual(Array(30).fill('RevealProductKeySuccess'));
  });
});
