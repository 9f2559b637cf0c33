// Many subscribers in one process, as light as can be: it shares the machine with the server. Each is held to have got
// every message once and in order: labels are instants, and only grow.
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { now, query } from './messages.mjs';

const { PORT, COUNT, TOKEN } = process.env;
const count = Number(COUNT);
const LABEL = Buffer.from('"label":"');
const QUOTE = 34;
const latencies = new Float32Array(8_000_000);
const gotBy = new Uint32Array(count);
const lastBy = new Float64Array(count);
let got = 0;
let disordered = 0;
let within = 0;
let until = Number.POSITIVE_INFINITY;
let ready = 0;

/** A frame as clients send it; the mask is zero. */
function masked(text) {
  const body = Buffer.from(text);
  const header =
    body.length < 126
      ? Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0])
      : Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 255, 0, 0, 0, 0]);
  return Buffer.concat([header, body]);
}

function take(at, index, bytes, from, to) {
  const begin = bytes.indexOf(LABEL, from);
  if (begin < 0 || begin > to) return;
  const due = Number(bytes.latin1Slice(begin + LABEL.length, bytes.indexOf(QUOTE, begin + LABEL.length)));
  if (got < latencies.length) latencies[got] = at - due;
  got += 1;
  gotBy[index] += 1;
  // Overlapping transactions commit in another order than they began: the product's order is that of commits.
  if (due === lastBy[index]) disordered += 1;
  lastBy[index] = due;
  if (at < until) within += 1;
}

for (let index = 0; index < count; index += 1) {
  const id = randomUUID();
  const socket = connect(Number(PORT), '127.0.0.1');
  let state = 'upgrading';
  let rest = null;
  socket.setNoDelay(true);
  socket.on('error', (error) => process.send({ failed: String(error) }));
  socket.write(
    'GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
  );
  socket.on('data', (data) => {
    const at = now();
    const bytes = rest ? Buffer.concat([rest, data]) : data;
    let place = 0;
    rest = null;
    if (state === 'upgrading') {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        rest = bytes;
        return;
      }
      if (!bytes.latin1Slice(0, 12).includes('101')) process.send({ failed: bytes.latin1Slice(0, 200) });
      place = end + 4;
      state = 'greeting';
      const payload = TOKEN ? { authorization: `Bearer ${TOKEN}` } : {};
      socket.write(masked(JSON.stringify({ type: 'connection_init', payload })));
    }
    while (bytes.length - place >= 2) {
      let length = bytes[place + 1] & 127;
      let header = 2;
      if (length === 126) {
        if (bytes.length - place < 4) break;
        length = (bytes[place + 2] << 8) | bytes[place + 3];
        header = 4;
      }
      if (bytes.length - place < header + length) break;
      const from = place + header;
      place = from + length;
      if (state === 'greeting') {
        if (!bytes.latin1Slice(from, place).includes('connection_ack')) continue;
        state = 'live';
        socket.write(masked(JSON.stringify({ id, type: 'subscribe', payload: { query } })));
        ready += 1;
        if (ready === count) setTimeout(() => process.send({ ready }), 2_000);
      } else if (bytes[from] === 0x7b) take(at, index, bytes, from, place);
    }
    if (place < bytes.length) rest = bytes.subarray(place);
  });
}

process.on('message', ({ seconds, wanted }) => {
  if (seconds) until = now() + seconds * 1000;
  if (wanted === undefined) return;
  const sorted = latencies.subarray(0, Math.min(got, latencies.length)).sort();
  process.send({
    got,
    within,
    p50: sorted[sorted.length >> 1],
    p99: sorted[Math.floor(sorted.length * 0.99)],
    incomplete: gotBy.filter((its) => its !== wanted).length,
    disordered,
  });
});
setInterval(() => process.send({ so: got }), 250);
process.on('disconnect', () => process.exit(0));
