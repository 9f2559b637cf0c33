import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSigner } from '../../../src/lib/signing.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, skus, stockShop } from '../../support/shop.js';
import {
  adminOf,
  buySoftware,
  cancelAndConfirm,
  entriesOf,
  everyRow,
  linkOf,
  type TestSoftware,
} from '../../support/software.js';

const DAY_MS = 86_400_000;

async function open(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Status and code of a link that does not open. */
async function reason(url: string) {
  const { status, text } = await open(url);
  return [status, JSON.parse(text).code];
}

describe(`download links, on ${engine}`, () => {
  let gateway: TestGateway;
  let clock = new Date();
  beforeAll(async () => {
    gateway = await startTestGateway({ now: () => clock });
    await stockShop(gateway);
  });
  afterAll(() => gateway.stop());

  const bought = async () => buySoftware(gateway, await aCustomer(gateway));
  const downloadsOf = ({ order }: TestSoftware) =>
    entriesOf(gateway, { orderId: order.id, actions: ['SOFTWARE_DOWNLOADED'] });
  test('rule 11: a link opens without a token, is signed, and says what it is good for', async () => {
    const software = await bought();
    const link = await linkOf(gateway, software);
    expect(link).toMatchObject({
      expiresAt: new Date(clock.getTime() + 14 * DAY_MS).toISOString(),
      remainingDownloads: 50,
    });
    expect(link.url).toMatch(new RegExp(`^${gateway.url}/downloads/[\\w-]+\\.[\\w-]+\\.[\\w-]+$`));
    const { status, headers } = await open(link.url);
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="DG7GMGF0FKZV-0001-${software.choice.version}-${software.choice.language}-${software.choice.architecture}.iso"`,
    );
    expect([headers.get('cache-control'), headers.get('x-remaining-downloads')]).toEqual(['no-store', '49']);
  });

  test('rule 11: a customer’s administrator has links of the own tenant', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software, await adminOf(gateway, software.customer));
    expect((await open(url)).status).toBe(200);
    expect((await downloadsOf(software)).map((entry) => entry.actor)).toEqual([
      { userPrincipalName: `admin@${software.customer.domain}`, role: 'CUSTOMER_ADMIN', application: 'download link' },
    ]);
  });

  test('rule 11: each download is an entry, with the downloads left', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software);
    await open(url);
    await open(url);
    const entries = await downloadsOf(software);
    expect(entries.map((entry) => entry.detail)).toEqual(
      [49, 48].map((remainingDownloads) => ({
        __typename: 'SoftwareDownloadedDetail',
        ...software.choice,
        remainingDownloads,
      })),
    );
    expect(entries[0]?.resource).toMatchObject({ type: 'DOWNLOAD_LINK' });
    expect(new Set(entries.map((entry) => entry.correlationId)).size).toBe(2);
  });

  test('rule 11: 50 downloads, also when they come at once, then 410 USED_UP; each is an entry', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software);
    const answers = await Promise.all(Array.from({ length: 55 }, () => open(url)));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(50).fill(200), ...Array(5).fill(410)]);
    expect(await reason(url)).toEqual([410, 'USED_UP']);
    const entries = await downloadsOf(software);
    // Transactions that run at once may stand in the log in another order than they waited for each other.
    const left = entries.map(({ detail }) => (detail as { remainingDownloads: number }).remainingDownloads);
    expect(left.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  test('rule 11: 14 days to the millisecond, then 410 EXPIRED', async () => {
    const software = await bought();
    const { url, expiresAt } = await linkOf(gateway, software);
    const began = clock;
    try {
      clock = new Date(Date.parse(expiresAt) - 1);
      expect((await open(url)).status).toBe(200);
      clock = new Date(expiresAt);
      expect(await reason(url)).toEqual([410, 'EXPIRED']);
      expect(await downloadsOf(software)).toHaveLength(1);
    } finally {
      clock = began;
    }
  });

  test('rules 11 and 18: after cancelling 410 REVOKED, which goes before every other reason', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software);
    await gateway.sql(
      'update download_links set downloads = maximum_downloads, expires_at = created_at where entitlement_id = ?',
      [software.entitlementId.slice(4)],
    );
    await cancelAndConfirm(gateway, software);
    expect(await reason(url)).toEqual([410, 'REVOKED']);
  });

  test('rule 11: a token that is tampered with, made for something else, or of another gateway is 404', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software);
    const [head, claims, signature] = (url.split('/').at(-1) as string).split('.') as [string, string, string];
    const other = await linkOf(gateway, await bought());
    const otherClaims = (other.url.split('/').at(-1) as string).split('.')[1];
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    const foreign = createSigner(new TextEncoder().encode('the secret of another gateway'));
    const { link } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const submitted = await gateway.run(
      `mutation ($input: SubmitSupportRequestInput!) { submitSupportRequest(input: $input) { ... on SubmitSupportRequestSuccess { uploadUrl } } }`,
      {
        input: {
          idempotencyKey: 'a',
          customerId: software.customer.id,
          topic: 'CSP Purchase/Refund on behalf of customers',
          impact: 'MINIMAL',
          title: 'title',
          description: 'description',
          contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
        },
      },
    );
    const upload = (submitted.data.submitSupportRequest.uploadUrl as string).split('/').at(-2);
    for (const token of [
      `${head}.${otherClaims}.${signature}`,
      `${head}.${claims}.${signature.slice(0, -4)}AAAA`,
      `${unsigned}.${claims}.`,
      await foreign.sign('download', { link }, null),
      await gateway.token('ADMIN_AGENT'),
      upload,
      'nonsense',
      '..%2f..%2fetc%2fpasswd',
    ]) {
      expect(await reason(`${gateway.url}/downloads/${token}`)).toEqual([404, 'NOT_FOUND']);
    }
    expect(await downloadsOf(software)).toEqual([]);
  });

  test('rule 11: HEAD says what GET would, does not count, and reads dead links as dead', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software);
    const head = await open(url, { method: 'HEAD' });
    expect([head.status, head.text, head.headers.get('x-remaining-downloads')]).toEqual([200, '', '50']);
    expect(await downloadsOf(software)).toEqual([]);
    const taken = await open(url, { headers: { range: 'bytes=0-9', 'if-range': '"x"' } });
    // There is no part of a download: it would count as one, or many would count as none.
    expect([taken.status, taken.headers.get('accept-ranges'), taken.headers.get('cache-control')]).toEqual([
      200,
      'none',
      'no-store',
    ]);
    expect(taken.headers.get('x-remaining-downloads')).toBe('49');
    for (const name of ['content-type', 'content-disposition', 'accept-ranges', 'cache-control'])
      expect([name, head.headers.get(name)]).toEqual([name, taken.headers.get(name)]);
    clock = new Date(clock.getTime() + 14 * 86_400_000);
    expect((await open(url, { method: 'HEAD' })).status).toBe(410);
    expect((await open(`${url}x`, { method: 'HEAD' })).status).toBe(404);
  });

  test('rule 11: no byte without an entry: where it cannot be written, nothing is sent or counted', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software);
    await gateway.sql(
      `create function fail_entry() returns trigger language plpgsql as 'begin raise exception ''the log is full''; end'`,
    );
    await gateway.sql('create trigger fail_entry before insert on activity_entries execute function fail_entry()');
    try {
      const { status, text } = await open(url);
      expect(status).toBe(500);
      expect(text).toContain('INTERNAL_SERVER_ERROR');
      expect(text).not.toMatch(/Demonstration|the log is full/);
    } finally {
      await gateway.sql('drop trigger fail_entry on activity_entries');
      await gateway.sql('drop function fail_entry()');
    }
    expect((await open(url)).headers.get('x-remaining-downloads')).toBe('49');
  });

  test('rule 8: a link is kept nowhere: neither its address nor its token', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software);
    await open(url);
    const token = url.split('/').at(-1) as string;
    for (const place of [await everyRow(gateway), gateway.log.join('\n')]) expect(place).not.toContain(token);
  });
});

describe(`installation images of DOWNLOADS_DIR, on ${engine}`, () => {
  let gateway: TestGateway;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'csp-graph-images-'));
    gateway = await startTestGateway({ config: { downloadsDir: join(folder, 'served') } });
    await stockShop(gateway);
  });
  afterAll(async () => {
    await gateway.stop();
    rmSync(folder, { recursive: true });
  });

  const bought = async () => buySoftware(gateway, await aCustomer(gateway));
  const { productId, skuId } = skus.perpetual;

  test('rule 11: the image of the choice is served, whole', async () => {
    const software = await bought();
    const { version, language, architecture } = software.choice;
    const image = 'image\n'.repeat(100_000);
    mkdirSync(join(folder, 'served', productId, skuId, version, language), { recursive: true });
    writeFileSync(join(folder, 'served', productId, skuId, version, language, architecture), image);
    const { status, text, headers } = await open((await linkOf(gateway, software)).url);
    expect([status, headers.get('content-type'), text === image]).toEqual([200, 'application/octet-stream', true]);
  });

  test('rule 11: an image that the folder lacks is 503, counts nothing, and is told in the log', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, { ...software, choice: { ...software.choice, language: 'ja-JP' } });
    expect(await reason(url)).toEqual([503, 'IMAGE_NOT_AVAILABLE']);
    expect(await entriesOf(gateway, { orderId: software.order.id, actions: ['SOFTWARE_DOWNLOADED'] })).toEqual([]);
    expect(await gateway.sql('select downloads from download_links where language = ?', ['ja-JP'])).toEqual([
      { downloads: 0 },
    ]);
    expect(gateway.log.join('\n')).toContain(
      `DOWNLOADS_DIR has no ${productId}/${skuId}/${software.choice.version}/ja-JP/${software.choice.architecture}`,
    );
  });

  test('rule 11: no choice leads out of the folder', async () => {
    writeFileSync(join(folder, 'secret'), 'a secret of the operator');
    for (const language of ['../../../../secret', '/../../../../../secret/.', '..%2f..%2f..%2f..%2fsecret']) {
      const software = await bought();
      const { url } = await linkOf(gateway, software);
      await gateway.sql(`update download_links set language = ?, architecture = '.' where entitlement_id = ?`, [
        language,
        software.entitlementId.slice(4),
      ]);
      expect(await reason(url)).toEqual([503, 'IMAGE_NOT_AVAILABLE']);
    }
  });
});
