import { describe, expect, test } from '@jest/globals';
import { type Committed, checkHistory, type Observation, type Seen } from '../support/history/check-history.js';

/** Five entries of three transactions; c revokes somebody. */
const log: Committed[] = [
  { xid: 9n, seq: 3n, label: 'a', action: 'X' },
  { xid: 10n, seq: 1n, label: 'b', action: 'Y' },
  { xid: 10n, seq: 2n, label: 'c', action: 'X' },
  { xid: 100n, seq: 4n, label: 'd', action: 'Y' },
  { xid: 100n, seq: 5n, label: 'e', action: 'X' },
];
const START = { xid: 0n, seq: 0n };
const entries = (labels: string): Seen[] => [...labels].map((label) => log.find((row) => row.label === label) as Seen);
const observed = (labels: string, more: Partial<Observation> = {}): Observation => ({
  subscriber: labels,
  after: START,
  seen: entries(labels),
  ...more,
});
const kinds = (...observations: Observation[]) =>
  checkHistory(log, observations).map(({ kind, what }) => `${kind}: ${what}`);

describe('the history checker', () => {
  test('finds nothing in what is right: all, filtered, from the middle, cut short by a revocation', () => {
    const fromTheMiddle = observed('cde', { after: { xid: 10n, seq: 1n } });
    const filtered = observed('ace', { wants: (row) => row.action === 'X' });
    const revoked = observed('a', { revokedBy: 'c' });
    expect(kinds(observed('abcde'), fromTheMiddle, filtered, revoked, observed('', { revokedBy: 'a' }))).toEqual([]);
  });

  test('finds what is missing, in the middle and at the end', () => {
    expect(kinds(observed('abde'))).toEqual(['missing: c at 10/2']);
    expect(kinds(observed('abcd'))).toEqual(['missing: e at 100/5, where it had not come yet']);
    expect(kinds(observed('b', { revokedBy: 'd' }))).toEqual(['missing: a at 9/3']);
  });

  test('finds what is invented: an unknown entry, a wrong place, one not asked for, one from before', () => {
    const unknown = { xid: 200n, seq: 9n, label: 'z' };
    expect(kinds(observed('abcde', { seen: [...entries('abcde'), unknown] }))).toEqual(['invented: z at 200/9']);
    const moved = { xid: 9n, seq: 4n, label: 'b' };
    expect(kinds(observed('', { seen: [...entries('a'), moved, ...entries('cde')] }))).toEqual([
      'invented: b at 9/4',
      'missing: b at 10/1',
    ]);
    expect(kinds(observed('abce', { wants: (row) => row.action === 'X' }))).toEqual(['invented: b was not asked for']);
    expect(kinds(observed('bcde', { after: { xid: 10n, seq: 1n } }))).toEqual(['invented: b was not asked for']);
    expect(kinds(observed('a', { revokedBy: 'z' }))).toEqual(['invented: revoked by z, which is not there']);
  });

  test('finds what is repeated by cursor', () => {
    expect(kinds(observed('abcbcde'))).toEqual(['repeated: b at 10/1', 'repeated: c at 10/2']);
  });

  test('finds what is out of order', () => {
    expect(kinds(observed('acbde'))).toEqual(['out of order: b after 10/2']);
  });

  test('finds two subscribers with different orders', () => {
    expect(kinds(observed('abcde'), observed('abced')).filter((kind) => kind.startsWith('orders'))).toEqual([
      'orders differ: e comes earlier at abced',
    ]);
  });

  test('finds what was delivered after a revocation, and the revocation itself', () => {
    expect(kinds(observed('abcd', { revokedBy: 'c' }))).toEqual([
      'delivered after revocation: c',
      'delivered after revocation: d',
    ]);
  });

  test('finds a write that was acknowledged and is not there', () => {
    expect(checkHistory(log, [], ['a', 'lost']).map(({ kind, what }) => [kind, what])).toEqual([
      ['acknowledged but not there', 'lost'],
    ]);
  });

  test('refuses a truth that is none: labels twice, rows out of order', () => {
    const [a, b] = log as [Committed, Committed];
    expect(checkHistory([b, a], []).map(({ what }) => what)).toEqual(['a is not after b']);
    expect(checkHistory([a, { ...b, label: 'a' }], []).map(({ what }) => what)).toEqual(['labels are not unique']);
  });
});
