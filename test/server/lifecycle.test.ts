import { describe, expect, test } from '@jest/globals';
import { Lifecycle } from '../../src/server/lifecycle.js';

describe('the parts of a gateway', () => {
  test('are closed in the reverse order, whatever becomes of one: that which fails or never ends is named, the others are closed', async () => {
    const lifecycle = new Lifecycle(20);
    const closed: string[] = [];
    lifecycle.onClose('the database', () => closed.push('the database'));
    lifecycle.onClose('the feed', () => new Promise(() => closed.push('the feed')));
    lifecycle.onClose('the sealer', () => Promise.reject(new Error('no connection')));
    lifecycle.onClose('the doors', async () => closed.push('the doors'));
    await expect(lifecycle.close()).rejects.toThrow('the sealer could not be closed; the feed could not be closed');
    expect(closed).toEqual(['the doors', 'the feed', 'the database']);
  });
});
