import { randomUUID } from 'node:crypto';
import type { PartnerCenterConfig } from '../../config/partner-center-config.js';
import { boundedText } from '../../lib/bounded-text.js';
import { type Body, bodyOf, errorOf } from './body.js';
import { type CallBudget, type Priority, wait } from './call-budget.js';
import { handlingOf, PartnerCenterFailure } from './failure.js';
import type { Bearer, Tokens } from './tokens.js';

/** Longest answer: a page of 500 audit records has a few megabytes. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;
/** How often a call is made in all where the service is busy, or nothing was answered. */
const READ_ATTEMPTS = 5;
const WRITE_ATTEMPTS = 2;
/** The longest that a call waits for its next attempt: longer ones are its caller's to wait. */
const LONGEST_PAUSE_MS = 90_000;
const PAUSE_MS = 500;
const APPLICATION = 'csp-graph';

/** One call. */
export interface Call {
  method: 'GET' | 'POST' | 'PATCH';
  /** Such as `/v1/customers`. */
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  headers?: Record<string, string>;
  as?: Bearer;
  priority?: Priority;
  /** Names the call: a write that comes again with the same one is answered as the first time. */
  requestId?: string;
  /** Names what several calls belong to. */
  correlationId?: string | undefined;
  /** What the resource was when it was read, for a change of it. */
  etag?: string;
  signal?: AbortSignal | undefined;
}

/** An answer that is none of a failure. */
export interface Reply {
  status: number;
  value: unknown;
  requestId: string;
}

/** What calls are made with. */
export interface ClientOptions {
  config: PartnerCenterConfig;
  tokens: Tokens;
  budget: CallBudget;
  /** How to wait between attempts: tests do not. */
  pause?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Calls Partner Center: with a token, within the budget, and again only where docs/partner-center.md says so. A write is
 * made again with the same `MS-RequestId` alone, and where that gave no answer either its fate is unknown.
 */
export class Client {
  private readonly pause: NonNullable<ClientOptions['pause']>;

  constructor(private readonly options: ClientOptions) {
    this.pause = options.pause ?? wait;
  }

  /** @throws {PartnerCenterFailure} whatever is not answered with success, or not answered */
  async call(call: Call): Promise<Reply> {
    const { tokens, budget } = this.options;
    const { as: bearer = 'app', priority = 'crawl', signal } = call;
    const requestId = call.requestId ?? randomUUID();
    const attempts = call.method === 'GET' ? READ_ATTEMPTS : WRITE_ATTEMPTS;
    let hasRenewed = false;
    let mayBeDone = false;
    for (let attempt = 1; ; attempt += 1) {
      const token = await tokens.get(bearer);
      await budget.take(priority, signal);
      try {
        return await this.ask(call, requestId, token);
      } catch (error) {
        if (!(error instanceof PartnerCenterFailure)) throw error;
        error.mayBeDone = mayBeDone;
        mayBeDone ||= call.method !== 'GET' && error.handling === 'unknown';
        if (error.handling === 'token' && !hasRenewed) {
          hasRenewed = true;
          tokens.forget(bearer, token);
          continue;
        }
        const pauseMs = error.retryAfterMs ?? PAUSE_MS * 2 ** (attempt - 1);
        if (!mayComeAgain(call, error) || attempt >= attempts || pauseMs > LONGEST_PAUSE_MS || signal?.aborted)
          throw error;
        await this.pause(pauseMs, signal);
      }
    }
  }

  private async ask(call: Call, requestId: string, token: string): Promise<Reply> {
    const { serviceUrl, timeoutMs } = this.options.config;
    const address = new URL(`${serviceUrl}${call.path}`);
    for (const [name, value] of Object.entries(call.query ?? {})) address.searchParams.set(name, value);
    const ending = new Ending(timeoutMs, call.signal);
    let response: Response;
    let body: Body;
    try {
      response = await fetch(address, {
        method: call.method,
        headers: headersOf(call, requestId, token),
        body: call.body === undefined ? null : JSON.stringify(call.body),
        redirect: 'error',
        signal: ending.signal,
      });
      body = bodyOf(await boundedText(response, MAXIMUM_BYTES));
    } catch (error) {
      const text = ending.isTimeOver ? `no answer for ${timeoutMs} ms` : reasonOf(error as Error);
      throw new PartnerCenterFailure({ handling: 'unknown', status: 0, code: null, text, requestId }, { cause: error });
    } finally {
      ending.clear();
    }
    // Headers may have their value twice.
    const answeredId = response.headers.get('ms-requestid')?.split(',')[0] ?? requestId;
    const { status } = response;
    if (!response.ok) {
      const { code, text } = errorOf(body);
      const retryAfterMs = retryAfterOf(response);
      const handling = handlingOf(status, code);
      throw new PartnerCenterFailure({ handling, status, code, text, requestId: answeredId, retryAfterMs });
    }
    if (body.kind === 'other' || (body.kind === 'empty' && status === 200)) {
      const { text } = errorOf(body);
      throw new PartnerCenterFailure({ handling: 'unknown', status, code: null, text, requestId: answeredId });
    }
    return { status, value: body.kind === 'json' ? body.value : null, requestId: answeredId };
  }
}

/**
 * Ends a call that takes too long, or that nobody waits for any more. Signals of the platform would keep each call in memory
 * until its time is over, and with it what it answered: of a crawl that is thousands.
 */
class Ending {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly leave = () => this.controller.abort(this.outer?.reason);
  isTimeOver = false;

  constructor(
    timeoutMs: number,
    private readonly outer: AbortSignal | undefined,
  ) {
    this.timer = setTimeout(() => {
      this.isTimeOver = true;
      this.controller.abort();
    }, timeoutMs);
    outer?.addEventListener('abort', this.leave, { once: true });
    if (outer?.aborted) this.leave();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  clear(): void {
    clearTimeout(this.timer);
    this.outer?.removeEventListener('abort', this.leave);
  }
}

/**
 * Whether a call may be made again as it is. The service answers a write by its `MS-RequestId`: what it refused itself, it
 * would refuse again.
 */
const mayComeAgain = ({ method }: Call, { handling, code }: PartnerCenterFailure): boolean =>
  handling === 'unknown' || (handling === 'busy' && (method === 'GET' || code === null));

function headersOf({ body, etag, correlationId, headers }: Call, requestId: string, token: string) {
  return {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(etag ? { 'if-match': `"${etag.replaceAll('"', '')}"` } : {}),
    'ms-requestid': requestId,
    'ms-correlationid': correlationId ?? requestId,
    'ms-contract-version': 'v1',
    'ms-partnercenter-application': APPLICATION,
    'x-locale': 'en-US',
    ...headers,
  };
}

/** Seconds, or an instant; undefined where it says nothing. */
function retryAfterOf(response: Response): number | undefined {
  const text = response.headers.get('retry-after')?.split(',')[0]?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
