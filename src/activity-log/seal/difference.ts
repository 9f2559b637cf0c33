/** Where a list of hashes first departs from what it should be, and how. */
export interface Difference {
  /** In both lists, from 0. */
  index: number;
  kind: 'changed' | 'missing' | 'inserted' | 'moved';
}

/** The first difference of two lists of hashes; null where they are the same. */
export function firstDifference(expected: readonly string[], actual: readonly string[]): Difference | null {
  const index = expected.findIndex((hash, place) => hash !== actual[place]);
  if (index < 0) return actual.length > expected.length ? { index: expected.length, kind: 'inserted' } : null;
  const [wanted, found] = [expected[index] as string, actual[index]];
  if (found === undefined) return { index, kind: 'missing' };
  const isElsewhere = expected.includes(found, index + 1);
  const comesLater = actual.includes(wanted, index + 1);
  if (isElsewhere) return { index, kind: comesLater ? 'moved' : 'missing' };
  return { index, kind: comesLater ? 'inserted' : 'changed' };
}

/** Hashes of `bytes` each, as text that can be compared. */
export function hashesIn(packed: Buffer, bytes: number): string[] {
  return Array.from({ length: packed.length / bytes }, (_, place) =>
    packed.toString('hex', place * bytes, (place + 1) * bytes),
  );
}
