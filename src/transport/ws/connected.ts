import type { ExecutionArgs } from 'graphql';
import { CloseCode } from 'graphql-ws';
import type { LimitFunction } from 'p-limit';
import { ACCESS_REVOKED } from '../../auth/revocations.js';
import { type LiveSession, SESSION_ENDED } from '../../auth/sessions.js';
import { anonymous, type Viewer } from '../../auth/viewer.js';
import type { Services } from '../../context/context.js';
import { accountOf } from '../../cost/cost-control.js';
import { costOfText } from '../../cost/points.js';
import type { ClientAddress } from '../../lib/client-address.js';
import { type Caller, callerOf, turnOf } from '../bounds.js';
import type { Expiring } from './expiring.js';
import type { Pace } from './pace.js';
import type { SocketContext } from './protocol.js';

/** What is known of a socket once it is acknowledged. */
export interface Connected extends SocketContext {
  viewer: Viewer;
  /** Whether its client asked to be told what operations cost. */
  isToldCost: boolean;
  /** For whom its operations count. */
  caller: Caller;
  /** Lets its operations run a few at a time. */
  inTurn: LimitFunction;
  /** Ids of the streams that are open. */
  streams: Set<string>;
  /** Answers what runs when the viewer's token ends. */
  expiring: Expiring;
}

/** An operation, and whose it is. */
export interface SocketOperation extends ExecutionArgs {
  connected: Connected;
  operationId: string;
  /** What decides every byte of a subscription's messages. */
  key: string;
}

/** Whose turn a socket takes: until it is acknowledged, its address's. */
function turnOfSocket({ caller, request }: Partial<Connected> & SocketContext, addressOf: ClientAddress): string {
  return turnOf(caller ?? callerOf(anonymous, addressOf(request)));
}

/**
 * Takes the frames of sockets: null where one may be handled at once, else what resolves when it may. Large ones are paid
 * for before they are read, until a socket is acknowledged by its address.
 */
export function payingFrames({ costs, addressOf }: Pick<Services, 'costs' | 'addressOf'>, pace: Pace) {
  return (known: Partial<Connected> & SocketContext, bytes: number): Promise<void> | null => {
    const { viewer = anonymous, request } = known;
    const turn = turnOfSocket(known, addressOf);
    const cost = costOfText(bytes);
    if (cost === 0) return pace.take(turn, bytes);
    const unpaid = costs.deliver({ viewer, user: accountOf(viewer, () => addressOf(request)) }, cost);
    return unpaid ? pace.takeUnpaid(turn, bytes) : pace.take(turn, bytes);
  };
}

/** Closes a socket whose client is to stay away. */
export function closeForGood({ socket }: Connected, why: string): void {
  socket.close(CloseCode.Unauthorized, why);
}

/** A socket as administrators see it. */
export function sessionOf(connected: Connected, addressOf: ClientAddress): LiveSession {
  const { viewer, request, inTurn, streams } = connected;
  const { bytesWritten: before } = request.socket;
  return {
    viewer,
    transport: 'WEBSOCKET',
    address: addressOf(request),
    figures: () => ({
      operations: streams.size + inTurn.activeCount + inTurn.pendingCount,
      bytesSent: request.socket.bytesWritten - before,
    }),
    cut: () => closeForGood(connected, SESSION_ENDED),
    // Its streams say AccessChanged first, and then it goes.
    leave: () => {
      if (streams.size === 0) closeForGood(connected, ACCESS_REVOKED);
    },
  };
}
