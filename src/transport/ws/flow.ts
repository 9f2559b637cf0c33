import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { limits } from '../../graphql/limits.js';
import type { Release } from '../bounds.js';
import { flushed } from '../flushed.js';

/** Bytes of answers that may wait for a client before its socket is read no further. */
const MAXIMUM_BACKLOG = 64 * 1024;
/** Characters of operations that may wait for their turn before the socket is read no further. */
const MAXIMUM_WAITING = limits.bodyBytes;
/** What an operation takes beside its text. */
const OF_AN_OPERATION = 1_024;

/**
 * How fast a socket is read: not on while answers wait for its client, or what it has sent for its turn. Whatever the
 * client sends stays on its own side of the line then, and not in our memory.
 */
export class Flow {
  private waiting = 0;
  private isResting = false;
  private released = Promise.withResolvers<void>();
  /** Frames that wait for their turn. */
  private inTurn = 0;
  /** What is to be given back when an operation has ended, by its id. */
  private readonly ofOperation = new Map<string, { characters: number; begun: Release; ended: Release[] }>();
  /** Bytes that the client had taken when it was last looked at. */
  private taken = 0;

  constructor(
    private readonly socket: WebSocket,
    private readonly connection: Socket,
    /** Takes a frame of that many bytes: null where it may be handled at once, else what resolves when it may. */
    private readonly pace: (bytes: number) => Promise<void> | null,
  ) {}

  /** Waits until a frame may be handled; nothing is read meanwhile. */
  turn(bytes: number): Promise<void> | null {
    const turn = this.pace(bytes);
    return turn && this.restUntil(turn);
  }

  /** Looks whether to read on; called after each message. */
  look(): void {
    if (!this.isResting && this.mustRest) void this.rest();
  }

  /** Notes a text that waits. @returns how to note that it does no longer */
  hold(characters: number): Release {
    const size = characters + OF_AN_OPERATION;
    this.waiting += size;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.waiting -= size;
      this.release();
    };
  }

  /** An operation has come. */
  begin(id: string, characters: number): void {
    this.ofOperation.set(id, { characters, begun: this.hold(characters), ended: [] });
  }

  /** Characters of the message that began the operation. */
  sizeOf(id: string): number {
    return this.ofOperation.get(id)?.characters ?? 0;
  }

  /** The operation waits no longer: it is a stream. */
  goesOn(id: string): void {
    this.ofOperation.get(id)?.begun();
  }

  /** Has something given back when the operation has ended. */
  onceEnded(id: string, release: Release): void {
    const operation = this.ofOperation.get(id);
    if (operation) operation.ended.push(release);
    else release();
  }

  /** The operation has ended. */
  end(id: string): void {
    const operation = this.ofOperation.get(id);
    this.ofOperation.delete(id);
    operation?.begun();
    for (const release of operation?.ended ?? []) release();
  }

  /**
   * Whether the client is known to be there though it was not heard: it takes what it is sent, or is not read because
   * its operations wait.
   */
  isThere(): boolean {
    if (!this.isResting) return false;
    const before = this.taken;
    this.taken = this.connection.bytesWritten - this.connection.writableLength;
    return !this.isBacklogged || this.taken > before;
  }

  private get isBacklogged(): boolean {
    return this.connection.writableLength > MAXIMUM_BACKLOG;
  }

  private get mustRest(): boolean {
    if (this.connection.destroyed || this.socket.readyState !== this.socket.OPEN) return false;
    return this.isBacklogged || this.inTurn > 0 || this.waiting > MAXIMUM_WAITING;
  }

  private async restUntil(turn: Promise<void>): Promise<void> {
    this.inTurn += 1;
    this.look();
    await turn;
    this.inTurn -= 1;
    this.release();
  }

  /** Something waits no longer. */
  private release(): void {
    this.released.resolve();
    this.released = Promise.withResolvers();
  }

  private async rest(): Promise<void> {
    this.isResting = true;
    this.taken = this.connection.bytesWritten - this.connection.writableLength;
    this.socket.pause();
    while (this.mustRest) await (this.isBacklogged ? flushed(this.connection) : this.released.promise);
    this.isResting = false;
    this.socket.resume();
  }
}
