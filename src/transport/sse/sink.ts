import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Viewer } from '../../auth/viewer.js';
import type { Batch, RenderedMessage, Sink } from '../../feed/delivery/sink.js';
import { codedError, ErrorCode } from '../../graphql/errors.js';
import { flushed } from '../flushed.js';
import { onceClosed } from '../http/once-closed.js';
import { atExpiry, tokenExpired } from '../token-expiry.js';

/** How long a client that was told goodbye may take to read it. */
const FAREWELL_MS = 30_000;

/** What an event stream is made of. */
export interface EventStreamOptions {
  viewer: Viewer;
  response: ServerResponse;
  /** Headers that every answer of the gateway has. */
  headers: Record<string, string>;
  log: Logger;
}

/**
 * A response that is an event stream. graphql-sse speaks the protocol around it (`send`); the messages of the feed are
 * written by the shared delivery (`write`), framed once for all event streams that get the same.
 */
export class EventStream implements Sink {
  private isOver = false;

  constructor(private readonly options: EventStreamOptions) {
    this.onceClosed(() => {
      this.isOver = true;
    });
  }

  get backlog(): number {
    return this.options.response.writableLength;
  }

  write(batch: Batch): void {
    if (this.isOver) return;
    this.open();
    this.options.response.write(batch.memo(EventStream, () => framesOf(batch.messages)));
  }

  flushed(): Promise<void> {
    return flushed(this.options.response);
  }

  /** Hears that the response is closed, by whichever end. */
  onceClosed(closed: () => void): void {
    onceClosed(this.options.response, closed);
  }

  /** Sends what graphql-sse writes, at the reader's pace, until it ends or either side leaves. */
  async send(body: AsyncGenerator<string, void, undefined>): Promise<void> {
    const { viewer, response, log } = this.options;
    const release = () => {
      body.return().catch((error) => log.error({ err: error }, 'an event stream could not be cleared away'));
    };
    const callOff = atExpiry(viewer, () => {
      this.sayExpired();
      release();
    });
    this.onceClosed(() => {
      callOff();
      release();
    });
    response.on('error', (error) => log.debug({ err: error }, 'an event stream broke'));
    this.open();
    try {
      for await (const text of body) {
        if (this.isOver) break;
        if (!response.write(text)) await this.flushed();
      }
    } catch (error) {
      log.error({ err: error }, 'an event stream failed');
    }
    this.end();
  }

  /** Ends it after a while, without `complete`: a client that is told so stays away, one that is cut off comes back. */
  async leave(afterMs: number): Promise<void> {
    await wait(afterMs, undefined, { ref: false });
    this.end();
  }

  /** Ends it for good: an error and `complete`, after which clients stay away. */
  endForGood(why: string): void {
    if (this.isOver) return;
    this.open();
    const error = codedError(ErrorCode.UNAUTHENTICATED, why);
    this.options.response.write(
      `event: next\ndata: ${JSON.stringify({ errors: [error] })}\n\nevent: complete\ndata:\n\n`,
    );
    this.end();
  }

  /** Ends it, read or not. */
  cut(): void {
    this.options.response.destroy();
  }

  private open(): void {
    const { response, headers } = this.options;
    if (response.headersSent) return;
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      // A connection that has been a stream serves nothing else, and so does not hold up a gateway that stops.
      connection: 'close',
    });
  }

  /** Without `complete` too, so that the client comes back, with a new token. */
  private sayExpired(): void {
    if (this.isOver) return;
    this.options.response.write(`event: next\ndata: ${JSON.stringify({ errors: [tokenExpired()] })}\n\n`);
    this.end();
  }

  private end(): void {
    const { response } = this.options;
    this.isOver = true;
    if (response.writableEnded) return;
    response.end();
    const timer = setTimeout(() => this.cut(), FAREWELL_MS);
    timer.unref();
    this.onceClosed(() => clearTimeout(timer));
  }
}

const AFTER_TEXT = Buffer.from('\n\n');

/** Messages as events: `next`, whose id is the cursor at which to resume. */
function framesOf(messages: readonly RenderedMessage[]): Buffer {
  return Buffer.concat(
    messages.flatMap(({ text, cursor }) => [Buffer.from(`id: ${cursor}\nevent: next\ndata: `), text, AFTER_TEXT]),
  );
}
