import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Batch, RenderedMessage, Sink } from '../../feed/delivery/sink.js';
import { flushed } from '../flushed.js';

const END = Buffer.from('}');
/** FIN and "text" of a WebSocket frame. */
const TEXT_FRAME = 0x81;

/** Frames of a batch with room for the beginning that differs by subscriber. */
interface Template {
  bytes: Buffer;
  /** Where the beginnings go. */
  holes: number[];
}

/**
 * One subscription on a WebSocket. Messages of a batch are framed once for all subscriptions whose ids are equally
 * long, and written to the connection in one piece: framing and writing each by itself is what costs. `ws` writes whole frames too, so theirs and ours never mix; it must not compress.
 */
export class SocketSink implements Sink {
  private readonly beginning: Buffer;

  constructor(
    private readonly socket: WebSocket,
    private readonly connection: Socket,
    /** Id that the client gave the operation. */
    id: string,
  ) {
    this.beginning = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  }

  get backlog(): number {
    return this.connection.writableLength;
  }

  write(batch: Batch): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    const { length } = this.beginning;
    const { bytes, holes } = batch.memo(length, () => template(batch.messages, length));
    const copy = Buffer.from(bytes);
    for (const hole of holes) this.beginning.copy(copy, hole);
    this.connection.write(copy);
  }

  flushed(): Promise<void> {
    return flushed(this.connection);
  }
}

function template(messages: readonly RenderedMessage[], beginning: number): Template {
  const holes: number[] = [];
  const parts: Buffer[] = [];
  let size = 0;
  for (const { text } of messages) {
    const header = headerOf(beginning + text.length + END.length);
    holes.push(size + header.length);
    size += header.length + beginning + text.length + END.length;
    parts.push(header, Buffer.alloc(beginning), text, END);
  }
  return { bytes: Buffer.concat(parts, size), holes };
}

/** Header of an unmasked frame, as servers send it (RFC 6455, 5.2). */
function headerOf(length: number): Buffer {
  if (length < 126) return Buffer.from([TEXT_FRAME, length]);
  if (length < 65_536) return Buffer.from([TEXT_FRAME, 126, length >> 8, length & 0xff]);
  const header = Buffer.alloc(10);
  header[0] = TEXT_FRAME;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}
