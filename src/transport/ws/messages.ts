import { isUtf8 } from 'node:buffer';
import { CloseCode, MessageType, validateMessage } from 'graphql-ws';
import type { RawData, WebSocket } from 'ws';
import type { Refusals } from '../../graphql/refusals.js';
import { hasTooManyValues, isNestedTooDeeply, NESTED_TOO_DEEPLY, TOO_MANY_VALUES } from '../../lib/nesting.js';
import type { Release } from '../bounds.js';
import type { Flow } from './flow.js';
import { beyondIntroduction, beyondMessage } from './refusals.js';

/** Messages that nothing is asked by. */
const OF_NO_OPERATION = new Set<unknown>([MessageType.Ping, MessageType.Pong, MessageType.Complete]);
/** RFC 6455's code, as `ws` closes for a frame that is too large. */
const MESSAGE_TOO_LARGE = 1009;

/** What the messages of a socket come by. */
export interface MessagesOptions {
  socket: WebSocket;
  flow: Flow;
  refusals: Refusals;
  /** Whether it is known who asks. */
  isAcknowledged: () => boolean;
  /** Takes a message; `id` is its operation's where it begins one, `malformed` says why it is none. */
  take: (text: string, id?: string, malformed?: string) => Promise<void>;
}

/**
 * Hands messages on, in their order, each when it is its turn. graphql-ws keeps its books by id, and forgets an id when
 * its client completes it, though the operation is still being cleared away: one that begins with that id meanwhile would
 * be taken for it, and neither would ever be released. It therefore waits until the one before is gone.
 */
export function oneAfterAnother(options: MessagesOptions): (data: RawData, isBinary: boolean) => void {
  const { socket, flow, refusals, isAcknowledged, take } = options;
  const running = new Set<string>();
  /** What begins after an operation that its client has completed, if anything, by the operation's id. */
  const next = new Map<string, { text: string; release: Release } | null>();

  const begin = (id: string, text: string) => {
    if (running.has(id)) return void take(text);
    running.add(id);
    flow.begin(id, text.length);
    void take(text, id).then(() => {
      running.delete(id);
      flow.end(id);
      const waiting = next.get(id);
      next.delete(id);
      waiting?.release();
      if (waiting && socket.readyState === socket.OPEN) begin(id, waiting.text);
    });
  };

  const handOn = (given: string) => {
    const tooLong = isAcknowledged() ? null : beyondIntroduction(given.length, refusals);
    if (tooLong) return socket.close(MESSAGE_TOO_LARGE, tooLong);
    const { type, id, text, malformed } = operationOf(given);
    const tooLarge = OF_NO_OPERATION.has(type) && beyondMessage(given.length, refusals);
    if (tooLarge) return socket.close(MESSAGE_TOO_LARGE, tooLarge);
    // It is answered and never begun. Of an id that is in use no other operation is told anything: the socket closes.
    if (malformed !== undefined && id !== undefined && !running.has(id)) return void take(text, id, malformed);
    if (id === undefined || (type !== MessageType.Subscribe && type !== MessageType.Complete)) return void take(text);
    const waiting = next.get(id);
    if (type === MessageType.Complete) {
      if (running.has(id)) next.set(id, null);
      waiting?.release();
      if (waiting === undefined) void take(text);
    } else if (waiting) socket.close(CloseCode.SubscriberAlreadyExists, 'Subscriber already exists');
    else if (waiting === null) next.set(id, { text, release: flow.hold(text.length) });
    else begin(id, text);
  };

  /** What has come and is not handed on yet, the one that waits for its turn first. */
  const waiting: string[] = [];
  const handOnWaiting = async () => {
    for (let text = waiting[0]; text !== undefined; text = waiting[0]) {
      const turn = flow.turn(text.length);
      if (turn) await turn;
      // Nobody waits for an answer, and what graphql-ws began for a socket that is gone, nobody would end.
      if (socket.readyState !== socket.OPEN) return void waiting.splice(0);
      handOn(text);
      waiting.shift();
      flow.look();
    }
  };

  return (data, isBinary) => {
    // ws has looked at what comes as text: the letters of anything else would be lost.
    if (isBinary && !isUtf8(data as Buffer)) return socket.close(CloseCode.BadRequest, 'Invalid message received');
    waiting.push(String(data));
    if (waiting.length === 1) void handOnWaiting();
  };
}

/** An operation's message. */
interface OperationMessage {
  type?: unknown;
  id?: string;
  text: string;
  /** Why it is no operation, where something of it is of another form than the protocol asks for. */
  malformed?: string;
}

/**
 * Which operation a message is about. What is no message graphql-ws refuses; it wants a `query` also where the operation
 * names its document by something else.
 */
function operationOf(text: string): OperationMessage {
  let found: OperationMessage = { text };
  try {
    const message = JSON.parse(text) ?? {};
    const { type, id, payload } = message;
    if (typeof id !== 'string') return { type, text };
    found = { type, id, text };
    if (isNestedTooDeeply(text)) return { ...found, malformed: NESTED_TOO_DEEPLY };
    if (hasTooManyValues(text)) return { ...found, malformed: TOO_MANY_VALUES };
    const isNamed = payload?.query === undefined && (payload?.documentId ?? payload?.extensions) !== undefined;
    const whole = isNamed ? { ...message, payload: { ...payload, query: '' } } : message;
    const malformed = type === MessageType.Subscribe && id !== '' ? whyMalformed(whole) : undefined;
    return { ...found, text: isNamed ? JSON.stringify(whole) : text, ...(malformed && { malformed }) };
  } catch {
    return found;
  }
}

/** Why graphql-ws would close the socket of a client for the form of its operation; undefined where it would not. */
function whyMalformed(message: unknown): string | undefined {
  try {
    validateMessage(message);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
