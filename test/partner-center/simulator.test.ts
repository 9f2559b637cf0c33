import { createVerify, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { GRAPH, PARTNER_CENTER } from '../support/partner-center/call.js';
import { FAULTS } from '../support/partner-center/faults.js';
import { type Simulator, startSimulator } from '../support/partner-center/simulator.js';
import { CLIENT_ID, CLIENT_SECRET, newRefreshToken } from '../support/partner-center/tokens.js';
import type { WorldOptions } from '../support/partner-center/world.js';

const NOW = new Date('2026-11-20T12:00:00Z');
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('the simulated Partner Center', () => {
  let simulator: Simulator;
  let token: string;

  const start = async (options: WorldOptions = {}) => {
    await simulator?.close();
    simulator = await startSimulator({ now: NOW, ...options });
    token = (await ask({ grant_type: 'client_credentials' })).body.access_token;
  };
  beforeEach(() => start());
  afterEach(() => simulator.close());

  /** Asks the token endpoint of version 2, or 1. */
  async function ask(form: Record<string, string>, version: 1 | 2 = 2, audience = PARTNER_CENTER) {
    const asked: Record<string, string> = version === 2 ? { scope: `${audience}/.default` } : { resource: audience };
    const body = new URLSearchParams({ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, ...asked, ...form });
    const path = version === 2 ? 'oauth2/v2.0/token' : 'oauth2/token';
    const response = await fetch(`${simulator.url}/tenant/${path}`, { method: 'POST', body });
    return { status: response.status, body: await response.json() };
  }
  const asUser = async () =>
    (await ask({ grant_type: 'refresh_token', refresh_token: newRefreshToken(simulator.world) })).body.access_token;

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${simulator.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const raw = Buffer.from(await response.arrayBuffer());
    const said = raw.toString();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: isJson ? JSON.parse(said.replace(/^\uFEFF/, '')) : said, raw, response };
  }
  const get = (path: string, headers?: Record<string, string>) => call('GET', path, undefined, headers);
  const customerAt = (index: number) => `/v1/customers/${simulator.world.state.customers[index]?.id}`;
  const itemOf = async (index: number) => {
    const { productId, skuId } = simulator.world.state.products[index] as { productId: string; skuId: string };
    const { body } = await get(`${customerAt(0)}/products/${productId}/skus/${skuId}/availabilities`);
    return body.items[0].catalogItemId as string;
  };
  /** A cart of products, by their places in the seed. */
  const cart = async (products: number[], more: Record<string, unknown> = {}) => {
    const lineItems = [];
    for (const [id, product] of products.entries()) {
      const termDuration = simulator.world.state.products[product]?.termDuration || undefined;
      lineItems.push({ id, catalogItemId: await itemOf(product), quantity: 2, termDuration, ...more });
    }
    return call('POST', `${customerAt(0)}/carts`, { lineItems });
  };
  const checkOut = (id: string, requestId = 'r-1') =>
    call('POST', `${customerAt(0)}/carts/${id}/checkout`, undefined, { 'ms-requestid': requestId });
  const buy = async (products: number[]) => {
    const { body } = await cart(products);
    return (await checkOut(body.id)).body.orders[0];
  };

  test('tokens: both versions, rotating refresh tokens, expiry, audience, MFA, and what an app alone may not', async () => {
    expect((await ask({ grant_type: 'client_credentials' }, 1)).body).toMatchObject({
      expires_in: '3599',
      resource: PARTNER_CENTER,
    });
    expect((await ask({ grant_type: 'client_credentials', client_secret: 'another' })).status).toBe(400);
    const refresh_token = newRefreshToken(simulator.world);
    const first = await ask({ grant_type: 'refresh_token', refresh_token });
    expect(first.body.refresh_token).toBeTruthy();
    // The old one is worth nothing, the new one is.
    expect((await ask({ grant_type: 'refresh_token', refresh_token })).body.error).toBe('invalid_grant');
    const entitlements = `${customerAt(0)}/entitlements`;
    expect((await get(entitlements)).body.code).toBe('900329');
    token = first.body.access_token;
    expect((await get(entitlements)).status).toBe(200);
    simulator.world.faults.switchOn('tokenWithoutMfa');
    token = await asUser();
    expect(await get(entitlements)).toMatchObject({ status: 401, body: { code: '10001' } });
    token = (await ask({ grant_type: 'client_credentials' }, 2, GRAPH)).body.access_token;
    expect(await get(customerAt(0))).toMatchObject({ status: 401, body: { code: '900420' } });
    simulator.world.advance(DAY_MS * 91);
    expect((await get(customerAt(0))).status).toBe(401);
    expect(
      (await ask({ grant_type: 'refresh_token', refresh_token: first.body.refresh_token })).body.error_description,
    ).toContain('AADSTS700082');
  });

  test('a device code waits for somebody to consent', async () => {
    const body = new URLSearchParams({ client_id: CLIENT_ID, scope: 'user_impersonation' });
    const begun = await fetch(`${simulator.url}/tenant/oauth2/v2.0/devicecode`, { method: 'POST', body });
    const { device_code } = (await begun.json()) as { device_code: string };
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code };
    expect((await ask(form)).body.error).toBe('authorization_pending');
    await call('POST', '/simulator/device');
    expect((await ask(form)).body).toMatchObject({ refresh_token: expect.any(String) });
  });

  test('customers come by pages with a token in the link, each page counting itself', async () => {
    expect((await get('/v1/customers')).status).toBe(400);
    const found: string[] = [];
    let headers: Record<string, string> = {};
    for (let path = '/v1/customers?size=5'; path; ) {
      const { body } = await get(path, headers);
      expect(body.totalCount).toBe(body.items.length);
      found.push(...body.items.map(({ id }: { id: string }) => id));
      const { next } = body.links;
      path = next ? `/v1${next.uri}` : '';
      headers = next ? { [next.headers[0].key]: next.headers[0].value } : {};
    }
    expect(found).toEqual(simulator.world.state.customers.map(({ id }) => id));
    const filter = encodeURIComponent('{"Field":"Domain","Value":"customer-3","Operator":"starts_with"}');
    expect((await get(`/v1/customers?size=0&filter=${filter}`)).status).toBe(200);
    simulator.world.faults.switchOn('malformedNextLinks');
    expect((await get('/v1/customers?size=5')).body.links.next.uri).toContain('?size=5?seekOperation');
  });

  test('a write that comes again with its MS-RequestId gets its first answer', async () => {
    const { body } = await cart([0]);
    const first = await checkOut(body.id);
    expect(await checkOut(body.id)).toMatchObject({ status: 201, body: first.body });
    expect(await checkOut(body.id, 'r-2')).toMatchObject({ status: 201, body: first.body });
    simulator.world.faults.switchOn('cartAlreadySubmitted');
    expect(await checkOut(body.id, 'r-3')).toMatchObject({ status: 400, body: { code: '800065' } });
    expect(simulator.world.state.orders).toHaveLength(1);
  });

  test('a write is done though nobody hears of it: the answer hangs, or the line is cut', async () => {
    const { body } = await cart([0]);
    simulator.world.faults.switchOn('cutAfterWrite', { times: 1, at: 'checkout' });
    await expect(checkOut(body.id)).rejects.toThrow();
    expect(simulator.world.state.orders).toHaveLength(1);
    const other = await cart([1]);
    simulator.world.faults.switchOn('hangAfterWrite', { times: 1, at: 'checkout' });
    const path = `${simulator.url}${customerAt(0)}/carts/${other.body.id}/checkout`;
    const headers = { authorization: `Bearer ${token}` };
    const abort = new AbortController();
    const hanging = fetch(path, { method: 'POST', headers, signal: abort.signal });
    while (simulator.world.state.orders.length < 2) await get('/simulator/state');
    abort.abort();
    await expect(hanging).rejects.toThrow();
  });

  test('order lists are a quarter of an hour behind, provisioning goes in steps, the subscription comes at its end', async () => {
    const order = await buy([3]);
    const orders = `${customerAt(0)}/orders`;
    expect(order).toMatchObject({ status: 'pending', id: expect.stringMatching(/^[\w-]{33}$/) });
    expect(order.lineItems[0].subscriptionId).toBeUndefined();
    expect((await get(orders)).body.items).toEqual([]);
    expect((await get(`${orders}/${order.id}`)).status).toBe(200);
    token = await asUser();
    const steps = [];
    for (let step = 0; step < 3; step += 1) {
      steps.push((await get(`${orders}/${order.id}/provisioningstatus`)).body.items[0].status);
      simulator.world.advance(MINUTE_MS / 2);
    }
    expect(steps).toEqual(['prefulfillmentPending', 'unfulfilled', 'fulfilled']);
    simulator.world.advance(15 * MINUTE_MS);
    expect((await get(`${orders}?include_price=true`)).body.items[0]).toMatchObject({
      id: order.id,
      status: 'completed',
      totalPrice: 600,
      lineItems: [{ subscriptionId: expect.any(String) }],
    });
  });

  test('availabilities change: old ones are refused with 400019', async () => {
    simulator.world.faults.switchOn('availabilityMoved', { times: 1 });
    expect(await cart([0])).toMatchObject({ status: 400, body: { code: '400019' } });
    expect((await cart([0])).status).toBe(201);
  });

  test('one cart becomes several orders, of which one may fail, and is tried again by the next checkout', async () => {
    simulator.world.faults.switchOn('splitCart', { times: 1 });
    simulator.world.faults.switchOn('groupFails', { times: 1 });
    const { body } = await cart([0, 1, 2]);
    const answer = await checkOut(body.id);
    expect(answer.body.orders).toHaveLength(2);
    expect(answer.body.orderErrors).toMatchObject([{ orderGroupId: '2', code: 900_120 }]);
    expect((await checkOut(body.id, 'r-2')).body).toMatchObject({ orders: [{}, {}, {}], orderErrors: [] });
    simulator.world.faults.switchOn('lineError', { times: 1 });
    expect(await cart([0])).toMatchObject({ status: 201, body: { lineItems: [{ error: { errorCode: 10_003 } }] } });
  });

  test('what stands before the service answers in its own shapes, and a budget of calls is kept', async () => {
    const faults = { tooManyRequests: 429, unavailable: 503, htmlBody: 502, emptyBody: 500 } as const;
    for (const [fault, status] of Object.entries(faults)) {
      simulator.world.faults.switchOn(fault as keyof typeof faults, { times: 1 });
      const answer = await get(customerAt(0));
      expect(answer.status).toBe(status);
      if (fault === 'tooManyRequests')
        expect([answer.body.statusCode, answer.response.headers.get('retry-after')]).toEqual([429, '1']);
    }
    await start({ callsPerMinute: 3 });
    for (let count = 0; count < 2; count += 1) expect((await get(customerAt(0))).status).toBe(200);
    expect((await get(customerAt(0))).body.message).toMatch(/^Rate limit is exceeded/);
    simulator.world.advance(MINUTE_MS);
    expect((await get(customerAt(0))).status).toBe(200);
  });

  test('it spells as the service does: marks, doubled headers, numbers as text, ids in capitals, no zone', async () => {
    const order = await buy([0]);
    const spelling = ['byteOrderMark', 'doubledHeaders', 'numbersAsText', 'upperCaseIds', 'timesWithoutZone'] as const;
    for (const fault of spelling) simulator.world.faults.switchOn(fault);
    const { body, raw, response } = await get(`${customerAt(0)}/orders/${order.id}`);
    expect([...raw.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    expect(response.headers.get('x-locale')).toBe('en-US,en-US');
    expect(body.lineItems[0].quantity).toBe('2');
    expect(body.creationDate).toBe('2026-11-20T12:00:00.0000000');
    expect(body.referenceCustomerId).toBe(order.referenceCustomerId.toUpperCase());
  });

  test('etags: a stale one is refused, what is left out is reset, a change may be accepted for later', async () => {
    const order = await buy([5]);
    simulator.world.advance(20 * MINUTE_MS);
    const id = (await get(`${customerAt(0)}/subscriptions?order_id=${order.id}`)).body.items[0].id;
    const path = `${customerAt(0)}/subscriptions/${id}`;
    const { etag } = (await get(path)).body.attributes;
    expect((await call('PATCH', path, { quantity: 3 }, { 'if-match': 'another' })).body.code).toBe('2055');
    simulator.world.faults.switchOn('acceptedWrites', { times: 1 });
    const answer = await call('PATCH', path, { quantity: 3 }, { 'if-match': `"${etag}"` });
    expect(answer.status).toBe(202);
    const later = await get(`/v1${answer.response.headers.get('location')}`);
    expect(later.body).toMatchObject({ quantity: 3, autoRenewEnabled: false });
  });

  test('cancelling: windows by the clock, quantities of 0, refusals by kind', async () => {
    const [perpetual, linux, licence, reservation] = [
      await buy([0, 1]),
      await buy([4]),
      await buy([5]),
      await buy([6]),
    ];
    const cancel = (order: { id: string }, lineItems?: object[]) =>
      call('PATCH', `${customerAt(0)}/orders/${order.id}`, { id: order.id, status: 'cancelled', lineItems });
    expect((await cancel(linux)).body.code).toBe('800061');
    expect((await cancel(licence)).body.code).toBe('800063');
    expect((await cancel(reservation)).body.code).toBe('800019');
    const partly = await cancel(perpetual, [{ lineItemNumber: 0 }]);
    expect(partly.body).toMatchObject({ status: 'pending', lineItems: [{ quantity: 0 }, { quantity: 2 }] });
    simulator.world.advance(31 * DAY_MS);
    token = (await ask({ grant_type: 'client_credentials' })).body.access_token;
    expect((await cancel(perpetual, [{ lineItemNumber: 1 }])).body.code).toBe('900117');
  });

  test('a credit is on the next invoice, whose export runs, comes as several files, fails and dies', async () => {
    const order = await buy([0, 1, 2]);
    await call('PATCH', `${customerAt(0)}/orders/${order.id}`, { status: 'cancelled' });
    simulator.world.advance(11 * DAY_MS);
    token = (await ask({ grant_type: 'client_credentials' })).body.access_token;
    const [invoice] = (await get('/v1/invoices?size=10')).body.items;
    expect(invoice).toMatchObject({ id: 'G000000001', totalCharges: 0 });
    token = (await ask({ grant_type: 'client_credentials' }, 2, GRAPH)).body.access_token;
    const run = async () => {
      const path = '/graph/v1.0/reports/partners/billing/reconciliation/billed/export';
      const begun = await call('POST', path, { invoiceId: invoice.id, attributeSet: 'full' });
      const location = new URL(begun.response.headers.get('location') as string).pathname;
      const seen = [];
      while (seen.at(-1)?.status !== 'succeeded' && seen.at(-1)?.status !== 'failed')
        seen.push((await get(location)).body);
      return seen;
    };
    const polled = await run();
    expect(polled.map(({ status }) => status)).toEqual(['running', 'running', 'succeeded']);
    const { rootDirectory, sasToken, blobs, eTag } = polled.at(-1).resourceLocation;
    const file = (name: string) => fetch(`${rootDirectory}/${name}?${sasToken}`);
    const lines = [];
    for (const { name } of blobs)
      lines.push(
        ...gunzipSync(Buffer.from(await (await file(name)).arrayBuffer()))
          .toString()
          .trim()
          .split('\n'),
      );
    expect([blobs.length, lines.length]).toEqual([2, 6]);
    expect(
      lines
        .map((line) => JSON.parse(line).ChargeType)
        .sort()
        .slice(0, 1),
    ).toEqual(['cancelImmediate']);
    await call('POST', `/simulator/invoices/${invoice.id}/revise`);
    expect((await run()).at(-1).resourceLocation.eTag).not.toBe(eTag);
    simulator.world.faults.switchOn('exportLinksExpired');
    expect((await file(blobs[0].name)).status).toBe(410);
    simulator.world.faults.switchOn('exportFails');
    expect((await run()).at(-1)).toMatchObject({ status: 'failed', error: { code: '5000' } });
  });

  test('the audit log: what people do in the portal, cut values, late records, limits of days', async () => {
    const order = await buy([0]);
    simulator.world.faults.switchOn('auditRecordsLate', { times: 1 });
    simulator.world.faults.switchOn('auditValuesCut', { times: 1 });
    await call('POST', '/simulator/portal', { fetch: 'key', orderId: order.id });
    const records = async (from = '2026-11-20', until = '2026-11-20') =>
      get(`/v1/auditrecords?startDate=${from}&endDate=${until}&size=500`);
    const operations = async () =>
      (await records()).body.items.map(({ operationType }: { operationType: string }) => operationType);
    expect(await operations()).toEqual(['create_order']);
    simulator.world.advance(2 * 60 * MINUTE_MS);
    token = (await ask({ grant_type: 'client_credentials' })).body.access_token;
    expect(await operations()).toEqual(['create_order', 'get_software_key']);
    const value = (await records()).body.items[1].resourceNewValue;
    expect(() => JSON.parse(value)).toThrow();
    expect((await records('2026-10-01')).status).toBe(400);
    expect((await records('2026-06-01', '2026-06-02')).status).toBe(400);
  });

  test('webhooks are signed, tried again, and come twice and out of order', async () => {
    const signer = simulator.signer();
    if (!signer) {
      console.warn('SKIPPED: signed webhooks: openssl is not on this machine.');
      return;
    }
    const received: { body: string; headers: IncomingHttpHeaders }[] = [];
    let status = 500;
    const receiver = createServer(async (request, response) => {
      received.push({ body: await text(request), headers: request.headers });
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const WebhookUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const registration = { WebhookUrl, WebhookEvents: ['subscription-updated', 'invoice-ready'] };
    expect((await call('POST', '/webhooks/v1/registration', registration)).status).toBe(201);
    expect((await call('POST', '/webhooks/v1/registration', registration)).status).toBe(409);
    simulator.world.faults.switchOn('webhookTwice', { times: 1 });
    simulator.world.hint('invoice-ready', '/v1/invoices/G000000001', 'invoice');
    expect(await simulator.deliver()).toBe(0);
    status = 200;
    simulator.world.advance(MINUTE_MS);
    expect(await simulator.deliver()).toBe(2);
    expect(received).toHaveLength(4);
    const { body, headers } = received[0] as (typeof received)[0];
    const certificate = new X509Certificate(await (await fetch(String(headers['x-ms-certificate-url']))).text());
    const verify = createVerify('rsa-sha256').update(body);
    expect(verify.verify(certificate.publicKey, headers.authorization?.replace('Signature ', '') ?? '', 'base64')).toBe(
      true,
    );
    expect(certificate.verify(new X509Certificate(signer.authority).publicKey)).toBe(true);
    const { correlationId } = (await call('POST', '/webhooks/v1/registration/validationEvents')).body;
    await simulator.deliver();
    expect((await get(`/webhooks/v1/registration/validationEvents/${correlationId}`)).body.status).toBe('completed');
    receiver.closeAllConnections();
    receiver.close();
  });

  test('a sandbox has limits', async () => {
    await start({ isSandbox: true, customers: 75 });
    const profile = { companyProfile: { domain: 'one-too-many.example' } };
    expect((await call('POST', '/v1/customers', profile)).body.code).toBe('800018');
    const { body } = await cart([3], { quantity: 26 });
    expect((await checkOut(body.id)).body.orderErrors).toMatchObject([{ code: 800_018 }]);
    await start({ isSandbox: true });
    const added = await call('POST', '/v1/customers', profile);
    expect(added).toMatchObject({ status: 201, body: { userCredentials: { password: expect.any(String) } } });
    expect((await call('DELETE', `/v1/customers/${added.body.id}`)).status).toBe(204);
  });

  test('its clock and faults are set over HTTP, and its state survives it in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'csp-graph-simulator-'));
    const stateFile = join(folder, 'state.json');
    await start({ stateFile });
    expect((await call('POST', '/simulator/clock', { advanceMs: DAY_MS })).body.now).toMatch(/^2026-11-21/);
    expect((await call('POST', '/simulator/faults', { fault: 'nonsense' })).body.description).toContain(FAULTS[0]);
    await call('POST', '/simulator/faults', { fault: 'emptyBody', times: 1 });
    expect((await get(customerAt(0))).status).toBe(500);
    await call('POST', '/simulator/faults', { off: true });
    token = (await ask({ grant_type: 'client_credentials' })).body.access_token;
    const order = await buy([0]);
    expect(existsSync(stateFile)).toBe(true);
    await start({ stateFile });
    expect((await get(`${customerAt(0)}/orders/${order.id}`)).status).toBe(200);
    rmSync(folder, { recursive: true });
  });
});
