import { describe, expect, test } from '@jest/globals';
import { Lanes } from '../../src/database/lanes.js';
import { AbortFlag } from '../../src/lib/abort-flag.js';

/** Work that ends when the test says so. */
function work(lanes: Lanes) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const done: Promise<unknown>[] = [];
  const ask = (name: string, user: string, cost = 0, abort?: AbortFlag) => {
    const answer = lanes.run({ users: [user], cost, abort }, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
    done.push(answer);
    return answer;
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise(setImmediate);
  };
  return { begun, ask, end, done };
}

describe('lanes', () => {
  test('let a user have a share of the connections, and serve users in turn', async () => {
    const { begun, ask, end, done } = work(new Lanes({ size: 3, perUser: 2, dear: 1, maximumWaitMs: 0 }));
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) void ask(name, 'a');
    expect(begun).toEqual(['a1', 'a2']);
    void ask('b1', 'b');
    void ask('b2', 'b');
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    await end('a1');
    expect(begun.at(-1)).toBe('a3');
    await end('a2');
    // The other's turn, though more of the first wait and came before.
    expect(begun.at(-1)).toBe('b2');
    await end('b1');
    expect(begun.at(-1)).toBe('a4');
    for (const name of ['b2', 'a3', 'a4', 'a5']) await end(name);
    await Promise.all(done);
  });

  test('keep what is dear from taking the connections of what is cheap', async () => {
    const { begun, ask, end, done } = work(new Lanes({ size: 4, perUser: 4, dear: 1, maximumWaitMs: 0 }));
    for (const name of ['d1', 'd2', 'd3']) void ask(name, 'a', 10_000);
    void ask('c1', 'a', 1);
    void ask('c2', 'b', 1);
    expect(begun).toEqual(['d1', 'c1', 'c2']);
    // Dear ones of another user come between.
    void ask('e1', 'b', 10_000);
    await end('d1');
    expect(begun.at(-1)).toBe('d2');
    await end('d2');
    expect(begun.at(-1)).toBe('e1');
    for (const name of ['e1', 'd3', 'c1', 'c2']) await end(name);
    await Promise.all(done);
  });

  test('keep a user’s dear ones from taking all of the connections for what is dear', async () => {
    const { begun, ask, end, done } = work(new Lanes({ size: 4, perUser: 4, dear: 2, maximumWaitMs: 0 }));
    for (const name of ['d1', 'd2']) void ask(name, 'a', 10_000);
    expect(begun).toEqual(['d1']);
    void ask('e1', 'b', 10_000);
    expect(begun).toEqual(['d1', 'e1']);
    await end('d1');
    expect(begun.at(-1)).toBe('d2');
    for (const name of ['d2', 'e1']) await end(name);
    await Promise.all(done);
  });

  test('refuse what has waited as long as a statement may run, and let go of who has left', async () => {
    const { ask, end } = work(new Lanes({ size: 1, perUser: 1, dear: 1, maximumWaitMs: 5 }));
    const first = ask('a1', 'a');
    await expect(ask('a2', 'a')).rejects.toMatchObject({ extensions: { code: 'TIMEOUT' } });
    const abort = new AbortFlag();
    const left = ask('a3', 'b', 0, abort);
    abort.abort();
    await expect(left).rejects.toMatchObject({ extensions: { code: 'UNAVAILABLE' } });
    await end('a1');
    await first;
  });

  test('begin nothing for who had gone before', async () => {
    const { begun, ask } = work(new Lanes({ size: 1, perUser: 1, dear: 1, maximumWaitMs: 0 }));
    const abort = new AbortFlag();
    abort.abort();
    await expect(ask('a1', 'a', 0, abort)).rejects.toMatchObject({ extensions: { code: 'UNAVAILABLE' } });
    expect(begun).toEqual([]);
  });
});
