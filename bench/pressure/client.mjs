import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import WebSocket from 'ws';

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** Posts an operation. @returns status, and the answer as it was understood */
export function post(url, token, body, signal) {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = request(
      `${url}/graphql`,
      {
        method: 'POST',
        agent,
        signal,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          ...(token && { authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.once('error', reject);
        response.once('end', () => {
          try {
            resolve({ status: response.statusCode, ...JSON.parse(Buffer.concat(parts).toString('utf8')) });
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    asked.once('error', reject);
    asked.end(text);
  });
}

/** The code of the first refusal in an answer, or null where it was served. */
export const refusalOf = ({ status, errors }) =>
  errors?.[0]?.extensions?.code ?? (status === 200 ? null : String(status));

/** A socket that the gateway has acknowledged. `heard` gets every later message. */
export function openSocket(url, token, heard = () => undefined) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', (code, reason) => reject(new Error(`${code} ${reason}`)));
    socket.once('open', () =>
      socket.send(
        JSON.stringify({ type: 'connection_init', ...(token && { payload: { authorization: `Bearer ${token}` } }) }),
      ),
    );
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'connection_ack') {
        socket.removeAllListeners('error').removeAllListeners('close');
        socket.on('error', () => undefined);
        resolve(socket);
      } else if (message.type === 'ping') socket.send('{"type":"pong"}');
      else heard(message);
    });
  });
}

/** A TCP connection on which nothing is read. */
export function rawConnection(url) {
  const { hostname, port } = new URL(url);
  const connection = connect(Number(port), hostname);
  connection.on('error', () => undefined);
  return connection;
}
