import { type FeedEntry } from '../../activity-log/entry.js';
import type { Position } from '../../activity-log/position.js';

/** An entry on its way, with the position of the entry before it: who does not stand there has missed some. */
export interface RelayedEntry {
  previous: Position;
  entry: FeedEntry;
}

/** What the relay says twice a second, and when it leaves. */
export interface Heartbeat {
  /** Everything up to it is in the stream, or was. */
  position: Position;
  /** Number of the stream's last message. */
  sequence: number;
  /** It relays no longer: whoever can should take over. */
  isLast: boolean;
}

/** Names on the NATS server, of one incarnation of the database: another incarnation is another log. */
export function namesOf(incarnation: string): { stream: string; entries: string; heartbeat: string; notice: string } {
  const id = incarnation.replaceAll('-', '');
  const base = `csp_graph.${id}`;
  return {
    stream: `csp_graph_${id}`,
    entries: `${base}.entries`,
    heartbeat: `${base}.heartbeat`,
    notice: `${base}.notice`,
  };
}

/** `xid.seq`: what a message is known by. */
export const textOf = ({ xid, seq }: Position): string => `${xid}.${seq}`;

function positionOf(text: string): Position {
  const [xid = '', seq = ''] = text.split('.');
  return { xid: BigInt(xid), seq: BigInt(seq) };
}

export function encodeEntry({ previous, entry }: RelayedEntry): string {
  return JSON.stringify({
    previous: textOf(previous),
    entry: { ...entry, xid: String(entry.xid), seq: String(entry.seq) },
  });
}

/** @throws where it is none */
export function decodeEntry(text: string): RelayedEntry {
  const { previous, entry } = JSON.parse(text);
  return { previous: positionOf(previous), entry: { ...entry, xid: BigInt(entry.xid), seq: BigInt(entry.seq) } };
}

export function encodeHeartbeat({ position, sequence, isLast }: Heartbeat): string {
  return JSON.stringify({ position: textOf(position), sequence, isLast });
}

/** Null where it is none: no heartbeat counts as silence. */
export function decodeHeartbeat(text: string): Heartbeat | null {
  try {
    const { position, sequence, isLast } = JSON.parse(text);
    return { position: positionOf(position), sequence, isLast };
  } catch {
    return null;
  }
}
