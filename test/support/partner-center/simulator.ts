import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { auditRoutes } from './audit.js';
import { closeMonths } from './billing.js';
import { type Answer, type Call, Refusal, type Route } from './call.js';
import { cartRoutes } from './carts.js';
import { catalogRoutes } from './catalog.js';
import { controlRoutes } from './control.js';
import { customerRoutes } from './customers.js';
import { disfigure } from './disfigure.js';
import { entitlementRoutes } from './entitlements.js';
import { invoiceRoutes } from './invoices.js';
import { orderRoutes } from './orders.js';
import { subscriptionRoutes } from './subscriptions.js';
import { admitted, tokenRoutes } from './tokens.js';
import { deliverDue, makeWebhookSigner, type WebhookSigner, webhookRoutes } from './webhooks.js';
import { World, type WorldOptions } from './world.js';

const ROUTES = [
  ...tokenRoutes,
  ...customerRoutes,
  ...catalogRoutes,
  ...cartRoutes,
  ...orderRoutes,
  ...subscriptionRoutes,
  ...entitlementRoutes,
  ...auditRoutes,
  ...invoiceRoutes,
  ...webhookRoutes,
  ...controlRoutes,
].map((route) => ({ ...route, parts: route.pattern.split('/') }));

/** A Partner Center that is not there, over HTTP. */
export interface Simulator {
  url: string;
  world: World;
  /** Every call that was answered or swallowed, as `GET /v1/customers`. */
  calls: string[];
  /** What signs webhooks; null where the machine has no `openssl`. */
  signer(): WebhookSigner | null;
  /** Delivers the webhooks that are due. Answers how many were taken. */
  deliver(): Promise<number>;
  close(): Promise<void>;
}

/** Starts it. @param port where to listen; 0: anywhere */
export async function startSimulator(options: WorldOptions = {}, port = 0): Promise<Simulator> {
  const world = new World(options);
  const calls: string[] = [];
  const minute = { at: 0, count: 0 };
  let madeSigner: WebhookSigner | null | undefined;
  const signer = () => {
    madeSigner ??= makeWebhookSigner();
    return madeSigner;
  };
  const server = createServer((request, response) => {
    void serve(request, response).catch((error: Error) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(error.stack);
    });
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', url);
    const at = `${request.method} ${path}`;
    const raw = await text(request);
    if (path === '/simulator/webhooks.pem') {
      response.end(signer()?.certificate);
      return;
    }
    const isControl = path.startsWith('/simulator/');
    if (!isControl) calls.push(at);
    closeMonths(world);
    const header = (name: string) => request.headers[name]?.toString();
    const call: Call = { world, method: request.method ?? 'GET', path, ids: {}, query, header, body: {}, base: url };
    const found = routeOf(call);
    if (!isControl && isTurnedAway(world, at, minute, response)) return;
    if (call.method !== 'GET' && world.faults.strikes('hangBeforeWrite', at)) return;
    const answer = await answered(call, found, raw, header('content-type') ?? '');
    if (call.method !== 'GET') world.save();
    if (call.method !== 'GET' && world.faults.strikes('hangAfterWrite', at)) return;
    if (call.method !== 'GET' && world.faults.strikes('cutAfterWrite', at)) {
      request.socket.destroy();
      return;
    }
    send(call, answer, response, isControl || found?.wants === 'nobody');
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    world,
    calls,
    signer,
    deliver: async () => {
      const by = signer();
      return by ? deliverDue(world, url, by) : 0;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Finds who handles a call, and what its path names. Paths are compared without case. */
function routeOf(call: Call): Route | undefined {
  const parts = call.path.replace(/^\/webhooks\/v1$/, '').split('/');
  return ROUTES.find((route) => {
    if (route.method !== call.method || route.parts.length !== parts.length) return false;
    const ids: Record<string, string> = {};
    for (const [index, part] of route.parts.entries()) {
      const given = parts[index] as string;
      if (part.startsWith(':')) ids[part.slice(1)] = decodeURIComponent(given);
      else if (part.toLowerCase() !== given.toLowerCase()) return false;
    }
    call.ids = ids;
    return true;
  });
}

/** Answers of what stands before the service: none of it reaches it. */
function isTurnedAway(
  world: World,
  at: string,
  minute: { at: number; count: number },
  response: ServerResponse,
): boolean {
  const { faults, options } = world;
  const nowMinute = Math.floor(world.now() / 60_000);
  if (minute.at !== nowMinute) Object.assign(minute, { at: nowMinute, count: 0 });
  minute.count += 1;
  const isOver = options.callsPerMinute > 0 && minute.count > options.callsPerMinute;
  const json = { 'content-type': 'application/json' };
  if (isOver || faults.strikes('tooManyRequests', at)) {
    const seconds = isOver ? 60 - Math.floor((world.now() % 60_000) / 1_000) : options.retryAfterSeconds;
    const message = `Rate limit is exceeded. Try again in ${seconds} seconds.`;
    response
      .writeHead(429, { ...json, 'retry-after': String(seconds) })
      .end(JSON.stringify({ statusCode: 429, message }));
  } else if (faults.strikes('unavailable', at))
    response.writeHead(503, json).end(JSON.stringify({ statusCode: 503, message: 'The service is unavailable.' }));
  else if (faults.strikes('htmlBody', at))
    response.writeHead(502, { 'content-type': 'text/html' }).end('<html><body><h1>502 Bad Gateway</h1></body></html>');
  else if (faults.strikes('emptyBody', at)) response.writeHead(500).end();
  else if (faults.strikes('frontRefuses', at))
    response.writeHead(403, { 'content-type': 'text/html' }).end('<html><body>The request is blocked.</body></html>');
  else return false;
  return true;
}

/** What is answered. A write that comes again with the same `MS-RequestId` gets its first answer, and does nothing. */
async function answered(call: Call, route: Route | undefined, raw: string, type: string): Promise<Answer> {
  const { world, header } = call;
  const key = `${call.method} ${call.path.toLowerCase()} ${header('ms-requestid')}`;
  const remembers = call.method !== 'GET' && header('ms-requestid') && route?.wants !== 'nobody';
  try {
    if (!route) throw new Refusal(404, '2000', 'There is no such resource.');
    call.body = bodyOf(raw, type);
    admitted(call, route);
  } catch (error) {
    return refusalOf(error);
  }
  const first = remembers ? world.state.answers[key] : undefined;
  if (first && !world.faults.strikes('requestIdsForgotten', call.path)) return first;
  // What was refused is refused again.
  const answer = await Promise.resolve(call).then(route.handle).catch(refusalOf);
  if (remembers) world.state.answers[key] = answer;
  return answer;
}

function refusalOf(error: unknown): Answer {
  if (!(error instanceof Refusal)) throw error;
  const { status, code, message } = error;
  return { status, body: { code, description: message, data: [], source: 'PartnerFD' } };
}

function bodyOf(raw: string, type: string): Record<string, unknown> {
  if (raw === '') return {};
  if (type.includes('form') && !raw.startsWith('{')) return Object.fromEntries(new URLSearchParams(raw));
  try {
    return JSON.parse(raw.replace(/^\uFEFF/, '')) as Record<string, unknown>;
  } catch {
    throw new Refusal(400, '2000', 'The body is no JSON.');
  }
}

function send(call: Call, { status, body, headers }: Answer, response: ServerResponse, isPlain: boolean): void {
  const { world, path, header } = call;
  const id = (name: string) => header(name) ?? world.guid();
  const twice = (value: string) => (world.faults.strikes('doubledHeaders', path) ? `${value},${value}` : value);
  response.statusCode = status;
  if (!isPlain) {
    response.setHeader('MS-RequestId', twice(id('ms-requestid')));
    response.setHeader('MS-CorrelationId', twice(id('ms-correlationid')));
    response.setHeader('X-Locale', twice('en-US'));
  }
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (body === undefined || Buffer.isBuffer(body)) {
    response.end(body);
    return;
  }
  response.setHeader('content-type', 'application/json; charset=utf-8');
  const json = JSON.stringify(isPlain ? body : disfigure(world, path, body));
  response.end(!isPlain && world.faults.strikes('byteOrderMark', path) ? `\uFEFF${json}` : json);
}
