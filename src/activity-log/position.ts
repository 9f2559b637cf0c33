/** Where an entry lies in commit order: transaction id, then sequence. */
export interface Position {
  xid: bigint;
  seq: bigint;
}

/** Before every entry. */
export const START: Position = { xid: 0n, seq: 0n };

/** Negative: `a` comes first. */
export function comparePositions(a: Position, b: Position): number {
  if (a.xid !== b.xid) return a.xid < b.xid ? -1 : 1;
  if (a.seq !== b.seq) return a.seq < b.seq ? -1 : 1;
  return 0;
}
