import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { metricOf } from '../support/metrics.js';
import { openAcknowledged, openRaw, type RawSocket } from '../support/raw-socket.js';

/** Messages that a client sends at once. */
const MANY = 1_000;
/** Sockets of one caller: what they send together is beyond a turn of the event loop. */
const SOCKETS = 40;
const PAD = 'x'.repeat(100_000);
const LAST = 'the last of them';
const PONG = Buffer.alloc(125, 'x');

const ping = (payload: object = {}) => ({ type: 'ping', payload });
const subscribe = (id: string, payload: object) => ({ id, type: 'subscribe', payload });

describe(`floods of messages, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  const open = async (user: string) =>
    openAcknowledged(gateway, await gateway.token('GLOBAL_ADMIN', { user: `${user}@partner.example` }));

  /** Whose answer is there first: another's, or that to the flood's last message. */
  const firstAnswered = async (flood: RawSocket, send: () => void): Promise<string> => {
    const other = await open('other');
    const answered: string[] = [];
    const last = new Promise<void>((resolve) =>
      flood.socket.on('message', (text) => {
        if (!String(text).includes(LAST)) return;
        answered.push('the flood');
        resolve();
      }),
    );
    other.socket.once('message', () => answered.push('the other'));
    send();
    flood.send(ping({ LAST }));
    other.send(ping());
    await Promise.all([last, other.next()]);
    for (const { socket } of [flood, other]) socket.terminate();
    return answered[0] as string;
  };
  const times = (count: number, send: (index: number) => void) => {
    for (let index = 0; index < count; index += 1) send(index);
  };

  test.each<[string, (flood: RawSocket, index: number) => void]>([
    ['pings', (flood) => flood.send(ping({ x: 'y' }))],
    ['pongs', (flood) => flood.send({ type: 'pong' })],
    ['ends of operations that were never begun', (flood, index) => flood.send({ id: `x${index}`, type: 'complete' })],
    [
      'operations that ask for nothing',
      (flood, index) => flood.send(subscribe(`${index}`, { query: '{ __typename }' })),
    ],
    ['operations that are none', (flood, index) => flood.send(subscribe(`${index}`, { query: 7 }))],
    ['control pings', (flood) => flood.socket.ping(PONG)],
    ['control pongs', (flood) => flood.socket.pong(PONG)],
  ])('another is answered between the many messages of a socket: %s', async (_what, send) => {
    const flood = await open('many');
    expect(await firstAnswered(flood, () => times(MANY, (index) => send(flood, index)))).toBe('the other');
  });

  test('and between those of a socket that nobody has introduced', async () => {
    const flood = await openRaw(gateway);
    expect(await firstAnswered(flood, () => times(MANY, () => flood.send(ping())))).toBe('the other');
  });

  test('large messages of many sockets of a caller wait for their turn, and all are answered in their order', async () => {
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => open('large')));
    const other = await open('other');
    const before = await metricOf(gateway, 'csp_graph_sockets_delayed_frames_total');
    for (const socket of sockets) {
      socket.send(subscribe('large', { query: 7, PAD }));
      socket.send(ping({ after: 'large' }));
    }
    other.send(ping());
    let answered = 0;
    const all = Promise.all(
      sockets.map(async (socket) => {
        expect(await socket.next()).toMatchObject({ id: 'large', type: 'error' });
        answered += 1;
        expect(await socket.next()).toEqual({ type: 'pong', payload: { after: 'large' } });
      }),
    );
    await other.next();
    expect(answered).toBeLessThan(SOCKETS);
    await all;
    expect(await metricOf(gateway, 'csp_graph_sockets_delayed_frames_total')).toBeGreaterThanOrEqual(before + SOCKETS);
    for (const { socket } of [...sockets, other]) socket.terminate();
  });

  test('small ones of many sockets of a caller too, and nothing of them is lost', async () => {
    const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => open('small')));
    const before = await metricOf(gateway, 'csp_graph_sockets_delayed_frames_total');
    for (const socket of sockets) {
      times(5, (index) => socket.send(ping({ index })));
      socket.socket.ping(PONG);
    }
    for (const socket of sockets)
      for (let index = 0; index < 5; index += 1)
        expect(await socket.next()).toEqual({ type: 'pong', payload: { index } });
    expect(await metricOf(gateway, 'csp_graph_sockets_delayed_frames_total')).toBeGreaterThan(before);
    for (const { socket } of sockets) socket.terminate();
  });

  test('a control ping is answered with what it was sent with', async () => {
    const { socket } = await open('control');
    const pong = new Promise<Buffer>((resolve) => socket.once('pong', resolve));
    socket.ping(PONG);
    expect(await pong).toEqual(PONG);
    socket.terminate();
  });

  test.each([
    ['ping', { type: 'ping', payload: { PAD: PAD.slice(0, 4_096) } }],
    ['pong', { type: 'pong', payload: { PAD } }],
    ['complete', { type: 'complete', id: 'x', PAD }],
    ['deep ping', `{"type":"ping","payload":{"x":${'['.repeat(60_000)}${']'.repeat(60_000)}}}`],
  ])('a message that is no operation is small, else its socket is closed with words: %s', async (_what, message) => {
    const { counts } = gateway.gateway.services.refusals;
    const before = counts.get('messageSize') ?? 0;
    const raw = await open('large');
    raw.send(ping({ PAD: PAD.slice(0, 4_000) }));
    expect((await raw.next()).payload.PAD).toHaveLength(4_000);
    raw.send(message);
    raw.send(ping());
    await expect(raw.next()).rejects.toThrow(
      'closed with 1009 A message that is no operation may have 4096 characters.',
    );
    expect(counts.get('messageSize')).toBe(before + 1);
  });

  test.each([
    ['connection_init', { type: 'connection_init', payload: { x: [PAD] } }],
    ['ping', ping({ PAD })],
    ['whatever', PAD],
  ])('before a socket is acknowledged nothing large is taken: %s', async (_what, message) => {
    const raw = await openRaw(gateway);
    raw.send(message);
    await expect(raw.next()).rejects.toThrow('closed with 1009 connection_init may have 16384 characters.');
  });

  test.each([
    ['a named document', '{"documentId":"sha256:00","variables":{"x":DEEP}}'],
    ['extensions alone', '{"extensions":{"x":DEEP}}'],
  ])('an operation is answered on its id however deep it is: %s', async (_what, payload) => {
    const raw = await open('deep');
    const deep = payload.replace('DEEP', `${'['.repeat(60_000)}${']'.repeat(60_000)}`);
    raw.send(`{"type":"subscribe","id":"1","payload":${deep}}`);
    expect(await raw.next()).toMatchObject({
      id: '1',
      type: 'error',
      payload: [{ extensions: { code: 'BAD_REQUEST' } }],
    });
    raw.send(ping());
    expect(await raw.next()).toEqual({ type: 'pong', payload: {} });
    raw.socket.terminate();
  });
});
