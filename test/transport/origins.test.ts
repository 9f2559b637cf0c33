import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';

const PAGE = 'https://app.example.com';
const PUBLIC = 'https://graph.example.com';

describe(`who may open a socket, and from where it comes, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({
      config: { corsOrigins: [PAGE], publicUrl: PUBLIC, trustedProxies: ['loopback'] },
    });
  });
  afterAll(() => gateway.stop());

  /** Asks for a socket as a browser does, for a page of that origin; null as who is no browser. */
  const handshake = (origin: string | null) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const headers = { host: 'gateway:4000' };
      const url = `${gateway.url.replace('http', 'ws')}/graphql`;
      const socket = new WebSocket(url, 'graphql-transport-ws', origin === null ? { headers } : { headers, origin });
      socket.on('error', reject);
      socket.on('open', () => {
        socket.terminate();
        resolve({ status: 101, body: '' });
      });
      socket.on('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => void chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
    });

  test('a page of the gateway, a named one, and who is no browser', async () => {
    for (const origin of [null, 'http://gateway:4000', 'https://gateway:4000', PAGE, PUBLIC])
      expect([origin, (await handshake(origin)).status]).toEqual([origin, 101]);
  });

  test('no other page: it is told in words', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      'http://gateway',
      'http://gateway:4001',
      `${PAGE}:444`,
      'x',
    ]) {
      const { status, body } = await handshake(origin);
      expect([origin, status, body]).toEqual([origin, 403, expect.stringContaining('CORS_ORIGINS')]);
    }
  });

  test('sessions show the address that a trusted proxy tells', async () => {
    const { addressOf } = gateway.gateway.services;
    const from = (forwarded: string | undefined, remoteAddress = '127.0.0.1') =>
      addressOf({ headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress } } as never);
    expect(from(undefined)).toBe('127.0.0.1');
    expect(from('203.0.113.9')).toBe('203.0.113.9');
    expect(from('198.51.100.7, 203.0.113.9')).toBe('203.0.113.9');
    expect(from('198.51.100.7, 203.0.113.9, ::1')).toBe('203.0.113.9');
    // Some proxies add the port.
    for (const text of [
      '203.0.113.9:80',
      '[2001:db8::7]:51432',
      '[2001:db8::7]',
      '1.2.3.4:5, 203.0.113.9:80, 127.0.0.1:9',
    ])
      expect([text, from(text)]).toEqual([text, text.startsWith('[') ? '2001:db8::7' : '203.0.113.9']);
    for (const text of ['unknown', '<script>', '203.0.113.9:x', '', ',', 'x'.repeat(5_000)])
      expect([text, from(text)]).toEqual([text, '127.0.0.1']);
    expect(from('203.0.113.9', '192.0.2.1')).toBe('192.0.2.1');
  });
});
