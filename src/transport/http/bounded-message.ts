import { IncomingMessage, ServerResponse } from 'node:http';
import { lingers } from './lingering.js';

/** Pieces that any body may come in, and the bytes for each of which it may come in one more. */
const MAXIMUM_PIECES = 1_024;
const BYTES_OF_A_PIECE = 256;

/** Why a body is cut off that comes in too many pieces. */
export const TOO_MANY_PIECES = `A body may come in ${MAXIMUM_PIECES} pieces, and one more for each ${BYTES_OF_A_PIECE} bytes of it.`;

/** A request, with its answer. */
export interface BoundedMessage extends IncomingMessage {
  answer: ServerResponse | null;
}

/**
 * The class of requests whose bodies are bounded by the pieces that they come in. Each chunk is an event, however small:
 * a megabyte of single bytes keeps the process busy for half a second. What is beyond is looked at no more.
 * @param cut closes the connection of a request that is beyond the bound
 */
export function boundedMessages(cut: (request: BoundedMessage) => void): typeof IncomingMessage {
  return class extends IncomingMessage implements BoundedMessage {
    answer: ServerResponse | null = null;
    private pieces = 0;
    private bytes = 0;

    override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
      if (chunk === null) return super.push(chunk, encoding);
      const allowed = MAXIMUM_PIECES + this.bytes / BYTES_OF_A_PIECE;
      this.pieces += 1;
      this.bytes += chunk.length;
      if (this.pieces <= allowed) return super.push(chunk, encoding);
      // Told once: of what was read already more pieces come.
      if (this.pieces <= allowed + 1) cut(this);
      return false;
    }
  };
}

/** An answer. The connection of one that is given before the whole request is there is closed after it. */
export class BoundedAnswer<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  // Node hands on options that its types do not name.
  constructor(request: Request, options?: object) {
    // @ts-expect-error: the second is left out there
    super(request, options);
    (request as unknown as BoundedMessage).answer = this;
  }

  override writeHead(...head: unknown[]): this {
    if (!this.req.complete && hasBody(this.req)) {
      this.shouldKeepAlive = false;
      lingers(this.req.socket);
    }
    return super.writeHead(...(head as Parameters<ServerResponse['writeHead']>)) as this;
  }
}

/** Whether a request has a body at all: of one without, Node does not know yet that it is complete. */
function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers;
  return coding !== undefined || length !== '0';
}
