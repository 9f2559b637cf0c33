import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer } from '../support/shop.js';

describe(`what HTTP saves, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  const get = async (query: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/graphql?${new URLSearchParams({ query })}`, {
      headers: {
        'apollo-require-preflight': 'true',
        authorization: `Bearer ${await gateway.token('GLOBAL_ADMIN')}`,
        ...headers,
      },
    });

  test('a GET carries an entity tag; whoever has it gets 304, until the answer is another', async () => {
    const query = '{ customers { totalCount } }';
    const first = await get(query);
    const tag = first.headers.get('etag') as string;
    expect([first.status, tag, first.headers.get('cache-control')]).toEqual([
      200,
      expect.stringMatching(/^W\/"[\w-]{43}"$/),
      'private, no-cache',
    ]);
    const again = await get(query, { 'if-none-match': `"other", ${tag}` });
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag]);
    await aCustomer(gateway);
    const other = await get(query, { 'if-none-match': tag });
    expect([other.status, await other.json()]).toEqual([200, { data: { customers: { totalCount: 2 } } }]);
  });

  test('a POST, and a refused GET, carry none', async () => {
    expect((await gateway.run('{ customers { totalCount } }')).headers.get('etag')).toBeNull();
    expect((await get('{ unknown }')).headers.get('etag')).toBeNull();
  });

  test('large answers are compressed for whoever takes it, small ones and for others never', async () => {
    const post = async (query: string, headers: Record<string, string>) => {
      const authorization = `Bearer ${await gateway.token('GLOBAL_ADMIN')}`;
      return new Promise<{ encoding: string | undefined; body: Buffer }>((resolve, reject) => {
        const sent = request(
          `${gateway.url}/graphql`,
          { method: 'POST', headers: { 'content-type': 'application/json', authorization, ...headers } },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => void chunks.push(chunk));
            response.on('end', () =>
              resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(chunks) }),
            );
          },
        );
        sent.on('error', reject);
        sent.end(JSON.stringify({ query }));
      });
    };
    const large = '{ __schema { types { name description fields { name } } } }';
    const plain = await post(large, {});
    expect(plain.encoding).toBeUndefined();
    const packed = await post(large, { 'accept-encoding': 'gzip' });
    expect([packed.encoding, gunzipSync(packed.body).equals(plain.body)]).toEqual(['gzip', true]);
    expect(packed.body.length).toBeLessThan(plain.body.length / 3);
    expect((await post(large, { 'accept-encoding': 'gzip, br' })).encoding).toBe('br');
    expect((await post('{ customers { totalCount } }', { 'accept-encoding': 'gzip' })).encoding).toBeUndefined();
  });
});
