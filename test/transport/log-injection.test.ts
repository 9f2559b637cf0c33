import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { askRaw } from '../support/raw-http.js';
import { openRaw } from '../support/raw-socket.js';

/** What would begin a line of its own, turn a terminal's colours, or end a JSON text, where it were written as it is. */
const FORGED = 'x\r\n{"level":30,"msg":"forged"}\n\u001b[2J\u001b]0;forged\u0007\u2028\u0085\u202e"}';

describe(`what callers send, in the log, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ config: { logLevel: 'debug' } });
  });
  afterAll(() => gateway.stop());

  test('every line stays one JSON object, and no control character reaches it as it is', async () => {
    await gateway.sql('alter table support_requests rename to support_requests_gone');
    const query =
      'query Q($search: String) { customers(filter: { search: $search }) { totalCount } supportRequests { totalCount } }';
    // Fails inside, so that what was asked for is near the log.
    const failed = await gateway.run(query, { search: FORGED });
    expect(failed.errors?.[0].extensions.code).toBeDefined();
    await gateway.run(`{ unknown_${'x'.repeat(50)} }`, { [FORGED]: FORGED });
    await gateway.run(`# ${FORGED.replace('"', '')}\n{ viewer { roles } }`);
    await fetch(`${gateway.url}/${encodeURIComponent(FORGED)}?${encodeURIComponent(FORGED)}`);
    await fetch(`${gateway.url}/downloads/${encodeURIComponent(FORGED)}`);
    for (const name of ['user-agent', 'referer', 'x-correlation-id', 'x-forwarded-for', 'origin', 'authorization'])
      await askRaw(gateway.url, [
        'GET /exports/activity.csv HTTP/1.1',
        'host: x',
        `${name}: \x1b[2J{"forged":1}\t"`,
        'connection: close',
      ]);
    await askRaw(gateway.url, ['BREW /\x1b[2Jforged HTTP/1.1', 'host: x']);
    await askRaw(gateway.url, ['GET / HTTP/1.1', 'authorization: Bearer s3cret', 'x-a: forged\nx-b: 1']);
    const raw = await openRaw(gateway);
    raw.send(FORGED);
    await raw.closed;
    const named = await openRaw(gateway);
    named.send({ type: FORGED, id: FORGED, payload: { query: FORGED } });
    await named.closed;

    expect(gateway.log.length).toBeGreaterThan(2);
    expect(gateway.log.join('')).not.toMatch(/s3cret|rawPacket/);
    for (const line of gateway.log) {
      expect(line.endsWith('\n')).toBe(true);
      expect(line.slice(0, -1)).not.toMatch(/[\0-\x1f]/);
      const { msg, level } = JSON.parse(line);
      expect([typeof msg, typeof level, msg]).toEqual(['string', 'number', expect.not.stringContaining('forged')]);
    }
  });
});
