import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OrderDocument, SoftwareDocument } from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, aPrice, skus, stockShop } from '../../support/shop.js';
import { buySoftware, cancelAndConfirm, entriesOf, linkOf, reveal } from '../../support/software.js';

const windowsServer = {
  standard: { productId: 'DG7GMGF0D5RK', skuId: '0005' },
  datacenter: { productId: 'DG7GMGF0D65N', skuId: '0002' },
};

describe(`software that customers own, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    await aPrice(gateway, windowsServer.standard, '1176.00');
    await aPrice(gateway, windowsServer.datacenter, '6771.00');
  });
  afterAll(() => gateway.stop());

  const choose = (entitlementId: string, choice: { version: string; language: string; architecture: string }) =>
    gateway.run(
      `mutation ($input: CreateDownloadLinkInput!) {
        createDownloadLink(input: $input) {
          __typename
          ... on CreateDownloadLinkSuccess { downloadLink { version language architecture } entitlement { id } }
          ... on SoftwareChoiceNotOffered { code field offered }
        }
      }`,
      { input: { entitlementId, ...choice } },
      'ADMIN_AGENT',
    );

  test('rule 7: every version, language and architecture that the SKU offers can be had', async () => {
    const { entitlementId, versions } = await buySoftware(gateway, await aCustomer(gateway));
    expect(versions.map(({ version }) => version)).toEqual(['2019', '2017', '2016']);
    for (const { version, languages, architectures } of versions) {
      expect((await reveal(gateway, entitlementId, version)).data.revealProductKey?.__typename).toBe(
        'RevealProductKeySuccess',
      );
      for (const architecture of architectures) {
        const choice = { version, language: languages.at(-1) as string, architecture };
        expect((await choose(entitlementId, choice)).data.createDownloadLink).toEqual({
          __typename: 'CreateDownloadLinkSuccess',
          downloadLink: choice,
          entitlement: { id: entitlementId },
        });
      }
    }
  });

  test('rule 7: a choice that the SKU does not offer is refused with what it offers, and is no entry', async () => {
    const { entitlementId, versions, choice, customer } = await buySoftware(gateway, await aCustomer(gateway));
    const offered = versions[0];
    for (const [field, wrong] of [
      ['version', { ...choice, version: '1999' }],
      ['language', { ...choice, language: 'tlh' }],
      ['architecture', { ...choice, architecture: 'sparc' }],
    ] as const) {
      expect((await choose(entitlementId, wrong)).data.createDownloadLink).toEqual({
        __typename: 'SoftwareChoiceNotOffered',
        code: 'SOFTWARE_CHOICE_NOT_OFFERED',
        field,
        offered: {
          version: versions.map(({ version }) => version),
          language: offered?.languages,
          architecture: offered?.architectures,
        }[field],
      });
    }
    expect((await reveal(gateway, entitlementId, '1999')).data.revealProductKey).toMatchObject({
      __typename: 'SoftwareChoiceNotOffered',
      field: 'version',
    });
    expect((await entriesOf(gateway, { customerId: customer.id })).map((entry) => entry.action)).toEqual([
      'ORDER_PLACED',
      'ORDER_CONFIRMED',
    ]);
  });

  test('rule 25: a reservation is listed like software, without keys and downloads', async () => {
    const { entitlementId, customer } = await buySoftware(gateway, await aCustomer(gateway), skus.reservation);
    const { data } = await gateway.run(SoftwareDocument, { filter: { customerId: customer.id } }, 'ADMIN_AGENT');
    expect(data.software?.nodes).toMatchObject([
      { id: entitlementId, status: 'ACTIVE', sku: { kind: 'AZURE_RESERVATION', softwareVersions: [] } },
    ]);
    const choice = { version: '2022', language: 'en-US', architecture: 'x64' };
    expect((await reveal(gateway, entitlementId, choice.version)).data.revealProductKey).toMatchObject({
      __typename: 'SoftwareNotOffered',
      code: 'SOFTWARE_NOT_OFFERED',
    });
    expect((await choose(entitlementId, choice)).data.createDownloadLink?.__typename).toBe('SoftwareNotOffered');
  });

  test('rule 18: after cancelling the item stays listed, REVOKED, without key and link', async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway));
    await reveal(gateway, software.entitlementId, software.choice.version);
    const { url } = await linkOf(gateway, software);
    await cancelAndConfirm(gateway, software);

    const { data } = await gateway.run(
      SoftwareDocument,
      { filter: { customerId: software.customer.id } },
      'ADMIN_AGENT',
    );
    expect(data.software).toMatchObject({
      totalCount: 1,
      nodes: [{ id: software.entitlementId, status: 'REVOKED', revokedAt: expect.any(String) }],
    });
    const order = await gateway.run(OrderDocument, { id: software.order.id }, 'ADMIN_AGENT');
    expect(order.data.order?.lines).toMatchObject([
      { status: 'CANCELLED', entitlement: { id: software.entitlementId, status: 'REVOKED' } },
    ]);
    expect((await reveal(gateway, software.entitlementId, software.choice.version)).data.revealProductKey).toEqual({
      __typename: 'EntitlementRevoked',
      code: 'ENTITLEMENT_REVOKED',
      message: expect.any(String),
    });
    expect((await choose(software.entitlementId, software.choice)).data.createDownloadLink?.__typename).toBe(
      'EntitlementRevoked',
    );
    expect((await fetch(url)).status).toBe(410);
    const id = software.entitlementId.slice(4);
    expect(await gateway.sql('select from product_keys where entitlement_id = ?', [id])).toEqual([]);
    expect(
      await gateway.sql('select from download_links where entitlement_id = ? and revoked_at is null', [id]),
    ).toEqual([]);
  });

  test('rule 18: filters by status tell REVOKED, ACTIVE and EXPIRED apart; an expired term has no key', async () => {
    const customer = await aCustomer(gateway);
    const active = await buySoftware(gateway, customer);
    const expired = await buySoftware(gateway, customer, skus.subscription);
    const revoked = await buySoftware(gateway, customer);
    await gateway.sql("update entitlements set expires_at = '2026-01-01T00:00:00Z' where id = ?", [
      expired.entitlementId.slice(4),
    ]);
    await cancelAndConfirm(gateway, revoked);
    for (const [status, { entitlementId }] of [
      ['ACTIVE', active],
      ['EXPIRED', expired],
      ['REVOKED', revoked],
    ] as const) {
      const { data } = await gateway.run(SoftwareDocument, { filter: { customerId: customer.id, statuses: [status] } });
      expect(data.software?.nodes.map((node) => [node.id, node.status])).toEqual([[entitlementId, status]]);
    }
    expect((await reveal(gateway, expired.entitlementId, expired.choice.version)).data.revealProductKey).toMatchObject({
      __typename: 'EntitlementExpired',
      code: 'ENTITLEMENT_EXPIRED',
    });
  });

  const hybridBenefit = async (sku: { productId: string; skuId: string }, quantity = 1) => {
    const software = await buySoftware(gateway, await aCustomer(gateway), sku, quantity);
    const read = async () => {
      const filter = { customerId: software.customer.id };
      return (await gateway.run(SoftwareDocument, { filter }, 'ADMIN_AGENT')).data.software?.nodes[0]?.hybridBenefit;
    };
    return { software, read };
  };

  test('rule 24: Azure Hybrid Benefit: Datacenter is reused, Standard converted, with the cores and the documented saving', async () => {
    const datacenter = await hybridBenefit(windowsServer.datacenter, 3);
    expect(await datacenter.read()).toEqual({
      isEligible: true,
      reason: expect.stringContaining('on premises and in Azure at once'),
      edition: 'DATACENTER',
      use: 'REUSE',
      coresOwned: 48,
      coresNeededPerVirtualMachine: 8,
      coresNeededPerCustomer: 16,
      documentedSaving: 'up to 40 %',
    });
    const standard = await hybridBenefit(windowsServer.standard);
    expect(await standard.read()).toMatchObject({
      isEligible: true,
      reason: expect.stringContaining('converted'),
      edition: 'STANDARD',
      use: 'CONVERT',
      coresOwned: 16,
    });
    const units = 2 ** 31 - 1;
    await gateway.sql('update skus set maximum_quantity = ? where windows_server_edition is not null', [units]);
    const endless = await hybridBenefit(windowsServer.standard, units);
    expect((await endless.read())?.coresOwned).toBe(units * 16);
  });

  test('rule 24: Azure Hybrid Benefit: what is not eligible says why, and promises nothing', async () => {
    const nothing = {
      isEligible: false,
      use: null,
      coresOwned: null,
      coresNeededPerVirtualMachine: null,
      coresNeededPerCustomer: null,
      documentedSaving: null,
    };
    const sqlServer = await hybridBenefit(skus.perpetual);
    expect(await sqlServer.read()).toEqual({ ...nothing, edition: null, reason: expect.stringContaining('qualify') });
    const cancelled = await hybridBenefit(windowsServer.datacenter);
    await cancelAndConfirm(gateway, cancelled.software);
    expect(await cancelled.read()).toEqual({
      ...nothing,
      edition: 'DATACENTER',
      reason: expect.stringContaining('not active'),
    });
  });
});
