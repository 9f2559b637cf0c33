import { expect, test } from '@jest/globals';
import { HeldBytes } from '../../src/transport/held-bytes.js';

test('without a token an address has a share of its own: what one holds leaves another its place', () => {
  const held = new HeldBytes(1_000, 100, 200);
  const nobodyAt = (address: string) => held.open({ user: null, address });
  const one = nobodyAt('192.0.2.1');
  expect(one.take(100)).toBeNull();
  expect(nobodyAt('192.0.2.1').take(1)).toBe('user');
  expect(nobodyAt('192.0.2.2').take(100)).toBeNull();
  // A user of the same address has their own.
  expect(held.open({ user: 'somebody', address: '192.0.2.1' }).take(100)).toBeNull();
  one.release();
  expect(nobodyAt('192.0.2.1').take(100)).toBeNull();
});
