/** What a verification found, in words for whoever ran it. */
export interface Verdict {
  /** The first thing that is wrong; null where nothing is. */
  problem: string | null;
  /** What was looked at. */
  facts: string[];
  /** Whether nothing could be checked: no entry is sealed yet. */
  isUnsealed?: boolean;
}

/** `1 entry`, `2 entries`. */
export const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

/** What is wrong where the chain does not come by a hash that somebody kept. */
export function withoutHead(head: string, last: string): string {
  return `The chain does not have the head ${head} in it; it ends with ${last}. Either that hash is of another log, or seals were cut off or made anew: do not trust anything after the last copy that fits.`;
}
