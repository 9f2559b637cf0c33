import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Viewer } from '../../auth/viewer.js';
import { atExpiry, TOKEN_EXPIRED } from '../../execution/prepare.js';
import type { FeedMessage } from '../../feed/delivery/subscription.js';
import { codedError, ErrorCode } from '../../graphql/errors.js';

/** How long a client that was told goodbye may take to read it. */
const GOODBYE_MS = 30_000;

/**
 * A response that is an event stream. graphql-sse writes the events and would read its source as fast as it can: `admit`
 * makes it wait until the reader has taken the one before, and `pour` gives each event its id.
 */
export class EventStream {
  /** Whose it is, across their streams. */
  readonly user: string;
  /** Resolves when the next result may be told. */
  private taken: Promise<void> = Promise.resolve();
  private take: () => void = () => undefined;
  private event: FeedMessage | undefined;
  private isOver = false;

  constructor(
    private readonly viewer: Viewer,
    private readonly response: ServerResponse,
    private readonly log: Logger,
  ) {
    this.user = `${viewer.tenantId} ${viewer.subject}`;
    this.onceClosed(() => {
      this.isOver = true;
      this.take();
    });
  }

  /** Hears that the response is closed, by whichever end. */
  onceClosed(closed: () => void): void {
    if (this.response.closed) closed();
    else this.response.once('close', closed);
  }

  /** Waits until the reader has taken what was told before. @param event what stands behind the next result */
  async admit(event: FeedMessage | undefined): Promise<void> {
    await this.taken;
    this.event = event;
    if (!this.isOver) {
      this.taken = new Promise((resolve) => {
        this.take = resolve;
      });
    }
  }

  /** Sends what graphql-sse writes, at the reader's pace, until it ends, drains, or either side leaves. */
  async pour(
    body: AsyncGenerator<string, void, undefined>,
    headers: Record<string, string>,
    stagger: () => number,
  ): Promise<void> {
    const { response } = this;
    const release = () => {
      body.return().catch((error) => this.log.error({ err: error }, 'an event stream could not be cleared away'));
    };
    const callOff = atExpiry(this.viewer, () => {
      this.sayExpired();
      release();
    });
    this.onceClosed(() => {
      callOff();
      release();
    });
    response.on('error', (error) => this.log.debug({ err: error }, 'an event stream broke'));
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      // A line that has been a stream serves nothing else, and so does not hold up a gateway that stops.
      connection: 'close',
    });
    try {
      for await (const text of body) {
        if (this.isOver) break;
        const isResult = text.startsWith('event: next');
        const { event } = this;
        const id = isResult && event && 'cursor' in event ? `id: ${event.cursor}\n` : '';
        if (!response.write(id + text)) await this.drained();
        if (!isResult) continue;
        if (event?.type === 'FeedDraining') {
          // Without `complete`: a client that is told so stays away, one that is cut off comes back.
          await wait(stagger());
          break;
        }
        this.take();
      }
    } catch (error) {
      this.log.error({ err: error }, 'an event stream failed');
    }
    this.end();
  }

  /** Ends it, read or not. */
  cut(): void {
    this.response.destroy();
  }

  /** Again without `complete`, so that the client comes back, with a new token. */
  private sayExpired(): void {
    if (this.isOver) return;
    const error = codedError(ErrorCode.UNAUTHENTICATED, TOKEN_EXPIRED, { extensions: { expired: true } });
    this.response.write(`event: next\ndata: ${JSON.stringify({ errors: [error] })}\n\n`);
    this.end();
  }

  private end(): void {
    this.isOver = true;
    this.take();
    if (this.response.writableEnded) return;
    this.response.end();
    const patience = setTimeout(() => this.cut(), GOODBYE_MS);
    patience.unref();
    this.onceClosed(() => clearTimeout(patience));
  }

  private async drained(): Promise<void> {
    if (this.isOver) return;
    const gone = new AbortController();
    const stop = () => gone.abort();
    this.response.once('close', stop);
    await once(this.response, 'drain', { signal: gone.signal }).catch(() => undefined);
    this.response.off('close', stop);
  }
}
