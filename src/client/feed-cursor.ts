/** Where a cursor of the feed lies in commit order: comparable, whoever made it. */
export interface CursorPosition {
  xid: bigint;
  seq: bigint;
}

/** The position that a cursor names; null where it is none of the feed's. */
export function positionOfCursor(cursor: string): CursorPosition | null {
  try {
    // Base64, of either alphabet; what follows the dot is a signature.
    const parts: unknown = JSON.parse(atob((cursor.split('.')[0] as string).replaceAll('-', '+').replaceAll('_', '/')));
    const [tag, xid, seq] = parts as [string, string, string];
    return tag.startsWith('feed:') ? { xid: BigInt(xid), seq: BigInt(seq) } : null;
  } catch {
    return null;
  }
}

/** Whether `cursor` lies after `other`. */
export function isAfter(cursor: string, other: string): boolean {
  const a = positionOfCursor(cursor);
  const b = positionOfCursor(other);
  if (!a || !b) return true;
  return a.xid === b.xid ? a.seq > b.seq : a.xid > b.xid;
}
