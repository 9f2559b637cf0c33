import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AwsClient } from 'aws4fetch';
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
  settled,
  type TestSoftware,
} from '../../support/software.js';

const DAY_MS = 86_400_000;

let clients = 0;
/** Somebody whose downloads are their own: the gateway takes the word of a proxy on this machine. */
const somebody = () => {
  clients += 1;
  return { 'x-forwarded-for': `203.0.${clients >> 8}.${clients & 255}` };
};

/** Opens a link as somebody new, unless `init` says who. */
async function open(url: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
  const response = await fetch(url, { ...init, headers: { ...somebody(), ...init.headers } });
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
    gateway = await startTestGateway({ now: () => clock, config: { trustedProxies: ['loopback'] } });
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
    expect(entries.map((entry) => entry.detail)).toMatchObject(
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
    const taken = await open(url);
    expect(taken.headers.get('x-remaining-downloads')).toBe('49');
    expect(taken.headers.get('content-length')).toBe(String(taken.text.length));
    for (const name of [
      'accept-ranges',
      'cache-control',
      'content-disposition',
      'content-length',
      'content-type',
      'etag',
    ])
      expect([name, head.headers.get(name)]).toEqual([name, taken.headers.get(name)]);
    clock = new Date(clock.getTime() + 14 * 86_400_000);
    expect((await open(url, { method: 'HEAD' })).status).toBe(410);
    expect((await open(`${url}x`, { method: 'HEAD' })).status).toBe(404);
  });

  test('rule 11: one download is one for a link, an address and a day, in how many parts; the entry says from where', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software);
    await gateway.sql('update download_links set downloads = maximum_downloads - 2 where entitlement_id = ?', [
      software.entitlementId.slice(4),
    ]);
    const [one, other, late] = [somebody(), somebody(), somebody()];
    const parts = Array.from({ length: 6 }, (_, at) => ({ ...one, range: `bytes=${at * 10}-${at * 10 + 9}` }));
    const answers = await Promise.all(parts.map((headers) => open(url, { headers })));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(206));
    expect((await open(url, { headers: other })).headers.get('x-remaining-downloads')).toBe('0');
    // Whoever began goes on; nobody else begins.
    expect((await open(url, { headers: { ...one, range: 'bytes=60-' } })).status).toBe(206);
    expect((await open(url, { headers: late })).status).toBe(410);
    await settled(gateway);
    const seen = await gateway.run(
      `query ($orderId: ID!) { activity(first: 9, filter: { orderId: $orderId, actions: [SOFTWARE_DOWNLOADED] }) { nodes {
        detail { ... on SoftwareDownloadedDetail { remainingDownloads address } } } } }`,
      { orderId: software.order.id },
    );
    expect(seen.data.activity.nodes.map(({ detail }: { detail: object }) => detail)).toEqual([
      { remainingDownloads: 1, address: one['x-forwarded-for'] },
      { remainingDownloads: 0, address: other['x-forwarded-for'] },
    ]);
    const began = clock;
    try {
      clock = new Date(clock.getTime() + DAY_MS);
      expect((await open(url, { headers: one })).status).toBe(410);
    } finally {
      clock = began;
    }
  });

  test('rule 11: what sends nothing of the image is no download: what the client has, a range beyond its end', async () => {
    const software = await bought();
    const { url } = await linkOf(gateway, software);
    const { headers } = await open(url, { method: 'HEAD' });
    const [etag, length] = [headers.get('etag') as string, Number(headers.get('content-length'))];
    const beyond = await open(url, { headers: { range: `bytes=${length}-` } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${length}`]);
    expect((await open(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await open(url, { headers: { 'if-match': '"other"' } })).status).toBe(412);
    expect(await downloadsOf(software)).toEqual([]);
  });

  test('rule 11: a link ends with its licence', async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway), skus.subscription);
    const end = new Date(clock.getTime() + 3 * DAY_MS);
    const early = await linkOf(gateway, software);
    await gateway.sql('update entitlements set expires_at = ? where id = ?', [end, software.entitlementId.slice(4)]);
    const { url, expiresAt } = await linkOf(gateway, software);
    expect(expiresAt).toBe(end.toISOString());
    const began = clock;
    try {
      clock = new Date(end.getTime() - 1);
      expect((await open(url)).status).toBe(200);
      clock = end;
      expect([await reason(url), await reason(early.url)]).toEqual(Array(2).fill([410, 'EXPIRED']));
    } finally {
      clock = began;
    }
  });

  test('rule 11: a browser gets a page with a button and takes no download by it; the button does, and so do programs', async () => {
    const software = await bought();
    const title = 'SQL <b>"Server" & more</b>';
    const { url } = await linkOf(gateway, software);
    await gateway.sql('update skus set title = ? where id = (select sku_id from entitlements where id = ?)', [
      title,
      software.entitlementId.slice(4),
    ]);
    const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
    const page = await open(url, { headers: browser });
    expect([page.status, page.headers.get('content-type'), page.headers.get('vary')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'origin, accept',
    ]);
    expect(page.text).toContain('<form method="get"><input type="hidden" name="download" value="1"><button>');
    expect(page.text).not.toContain('<b>');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await downloadsOf(software)).toEqual([]);
    expect((await open(`${url}?download=1`, { headers: browser })).text).toContain('Demonstration image');
    for (const accept of ['*/*', 'application/octet-stream'])
      expect((await open(url, { headers: { accept } })).text).toContain('Demonstration image');
    expect(await downloadsOf(software)).toHaveLength(3);
    await cancelAndConfirm(gateway, software);
    const dead = await open(url, { headers: browser });
    expect([dead.status, dead.headers.get('content-type')]).toEqual([410, 'text/html; charset=utf-8']);
    expect(dead.text).toContain('The purchase was cancelled');
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
    gateway = await startTestGateway({
      config: { downloadsDir: join(folder, 'served'), trustedProxies: ['loopback'] },
    });
    await stockShop(gateway);
  });
  afterAll(async () => {
    await gateway.stop();
    rmSync(folder, { recursive: true });
  });

  const bought = async () => buySoftware(gateway, await aCustomer(gateway));
  const { productId, skuId } = skus.perpetual;

  test('rule 11: the image of the choice is served, whole or resumed, and not mixed with what came in its place', async () => {
    const software = await bought();
    const { version, language, architecture } = software.choice;
    const image = 'image\n'.repeat(100_000);
    const place = join(folder, 'served', productId, skuId, version, language);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, architecture), image);
    const { url } = await linkOf(gateway, software);
    const { status, text, headers } = await open(url);
    expect([status, headers.get('content-type'), text === image]).toEqual([200, 'application/octet-stream', true]);
    const [etag, modified] = [headers.get('etag') as string, headers.get('last-modified') as string];
    const part = (range: string, more: Record<string, string> = {}) => open(url, { headers: { range, ...more } });
    for (const [range, start, end] of [
      ['bytes=0-9', 0, 9],
      ['bytes=599990-', 599_990, 599_999],
      ['bytes=-5', 599_995, 599_999],
      ['bytes=599999-999999999', 599_999, 599_999],
    ] as const) {
      const answer = await part(range);
      expect([answer.status, answer.headers.get('content-range'), answer.text]).toEqual([
        206,
        `bytes ${start}-${end}/600000`,
        image.slice(start, end + 1),
      ]);
      expect(answer.headers.get('content-length')).toBe(String(end - start + 1));
    }
    for (const condition of [etag, modified])
      expect((await part('bytes=1-2', { 'if-range': condition })).status).toBe(206);
    // Of what is no range, of several at once and of units nobody knows all of it is sent.
    for (const range of ['bytes', 'bytes=0-1,5-6', 'lines=1-2'])
      expect([range, (await part(range)).status]).toEqual([range, 200]);
    writeFileSync(join(place, architecture), image.toUpperCase());
    for (const condition of [etag, `W/${etag}`, 'Sat, 01 Jan 2000 00:00:00 GMT']) {
      const answer = await part('bytes=1-2', { 'if-range': condition });
      expect([answer.status, answer.text.length]).toEqual([200, image.length]);
    }
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

describe(`installation images of an S3-compatible store, on ${engine}`, () => {
  const key = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  let folder: string;
  let store: S3rver;
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'csp-graph-store-'));
    store = new S3rver({
      address: '127.0.0.1',
      port: 0,
      silent: true,
      directory: folder,
      configureBuckets: [{ name: 'images', configs: [] }],
    });
    const { port } = await store.run();
    url = `http://127.0.0.1:${port}/images/csp`;
    gateway = await startTestGateway({
      config: { downloadsStore: { url, region: 'us-east-1', ...key }, trustedProxies: ['loopback'] },
    });
    await stockShop(gateway);
  });
  afterAll(async () => {
    await gateway.stop();
    rmSync(folder, { recursive: true });
  });

  test('rule 11: a download is counted and redirected to an address of the store that is signed; the store sends', async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway));
    const { version, language, architecture } = software.choice;
    const { productId, skuId } = skus.perpetual;
    const client = new AwsClient({ ...key, region: 'us-east-1', service: 's3' });
    const image = 'image\n'.repeat(1_000);
    const object = `${url}/${productId}/${skuId}/${version}/${language}/${architecture}`;
    expect((await client.fetch(object, { method: 'PUT', body: image })).status).toBe(200);
    const link = (await linkOf(gateway, software)).url;
    const entries = () => entriesOf(gateway, { orderId: software.order.id, actions: ['SOFTWARE_DOWNLOADED'] });

    const head = await open(link, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), head.headers.get('accept-ranges')]).toEqual([
      200,
      String(image.length),
      'bytes',
    ]);
    expect(await entries()).toEqual([]);
    const me = somebody();
    const sent = await open(link, { redirect: 'manual', headers: me });
    const address = sent.headers.get('location') as string;
    expect([sent.status, address.startsWith(`${object}?`), sent.headers.get('cache-control')]).toEqual([
      302,
      true,
      'no-store',
    ]);
    const whole = await fetch(address);
    expect([whole.status, (await whole.text()) === image]).toEqual([200, true]);
    expect(whole.headers.get('content-disposition')).toContain(`${productId}-${skuId}-${version}`);
    expect((await fetch(address.replace('Expires=300', 'Expires=900'))).status).toBe(403);
    // As clients resume: the range goes along.
    const part = await open(link, { headers: { ...me, range: 'bytes=6-11' } });
    expect([part.status, part.text]).toEqual([206, 'image\n']);
    expect(await entries()).toHaveLength(1);

    const missing = await linkOf(gateway, { ...software, choice: { ...software.choice, language: 'ja-JP' } });
    expect(await reason(missing.url)).toEqual([503, 'IMAGE_NOT_AVAILABLE']);
    await store.close();
    expect(await reason(link)).toEqual([503, 'IMAGE_NOT_AVAILABLE']);
    expect(await entries()).toHaveLength(1);
    const log = gateway.log.join('\n');
    expect(log).toMatch(/ja-JP\/x64: the store answered 404/);
    expect(log).toContain('the store is out of reach');
    expect(log).not.toContain('Signature');
  });
});
