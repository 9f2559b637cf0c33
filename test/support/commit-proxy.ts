import type { Socket } from 'node:net';
import { openLines } from './proxy.js';

/** When something happens to a commit: before the server has it, or after, before its client knows. */
export type Moment = 'BEFORE' | 'AFTER';

/** A line to PostgreSQL on which commits are seen. */
export interface CommitProxy {
  port: number;
  /** Does something at the n-th commit from now on, the first being 1: nothing of that connection passes any more. */
  at(nth: number, moment: Moment, act: () => void): void;
  /** How many commits there were since `at`. */
  commits(): number;
  close(): Promise<void>;
}

/** What the gateway does by itself, whatever is bought: it is no part of the story. */
const OWN = /"(gateway_processes|sessions|rate_limits|known_users|activity_seals|feed_incarnation|migrations)"/i;
const WRITES = /^\s*(with\b[\s\S]*\b(insert|update|delete)\b|insert|update|delete)/i;
const ENQUEUES = /insert into[\s\S]*pgboss[\s\S]*job/i;
const CLAIM = /pgboss[\s\S]*skip locked/i;

/** Texts of the statements in what a client sent: simple queries, and those that are parsed. */
function* statementsIn(chunk: Buffer): Generator<string> {
  for (let at = 0; at + 5 <= chunk.length; ) {
    const type = String.fromCharCode(chunk[at] as number);
    const end = at + 1 + chunk.readUInt32BE(at + 1);
    const body = chunk.subarray(at + 5, end).toString();
    if (type === 'Q') yield body.split('\0')[0] as string;
    if (type === 'P') yield body.split('\0')[1] as string;
    at = Math.max(end, at + 5);
  }
}

/** Starts one in front of a server of this machine. */
export async function startCommitProxy(target: number): Promise<CommitProxy> {
  let armed: { nth: number; moment: Moment; act: () => void } | null = null;
  let commits = 0;
  /** Whether a job was enqueued that nobody has claimed: other looks for jobs find none, and commit nothing. */
  let isEnqueued = false;
  const join = (client: Socket, database: Socket) => {
    let isOpen = false;
    let hasWritten = false;
    /** Set once nothing passes any more. */
    let isCut = false;
    let awaited: (() => void) | null = null;
    /** Whether a statement commits something of the story. */
    const commitsBy = (text: string): boolean => {
      const word = text.trim().toLowerCase();
      if (word.startsWith('begin') || word.startsWith('start transaction')) [isOpen, hasWritten] = [true, false];
      else if (word === 'rollback') isOpen = false;
      else if (word === 'commit') {
        isOpen = false;
        return hasWritten;
      } else if (isOpen) {
        hasWritten ||= WRITES.test(text) && !OWN.test(text);
        isEnqueued ||= ENQUEUES.test(text);
      } else if (isEnqueued && CLAIM.test(text)) {
        isEnqueued = false;
        return true;
      }
      return false;
    };
    client.on('data', (chunk) => {
      if (isCut) return;
      let isCommit = false;
      for (const text of statementsIn(chunk)) isCommit ||= commitsBy(text);
      if (isCommit) {
        commits += 1;
        if (armed && commits === armed.nth) {
          const { moment, act } = armed;
          armed = null;
          isCut = true;
          if (moment === 'BEFORE') return act();
          awaited = act;
        }
      }
      database.write(chunk);
    });
    database.on('data', (chunk) => {
      if (!isCut) client.write(chunk);
      // ReadyForQuery ends an answer: the server has done it.
      else if (chunk.length >= 6 && chunk[chunk.length - 6] === 0x5a) {
        awaited?.();
        awaited = null;
      }
    });
  };
  const { port, close } = await openLines(target, () => join);
  return {
    port,
    at: (nth, moment, act) => {
      commits = 0;
      armed = { nth, moment, act };
    },
    commits: () => commits,
    close,
  };
}
