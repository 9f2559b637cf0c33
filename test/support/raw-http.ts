import { connect } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  /** 0: the connection was closed without one. */
  status: number;
  /** Values by name in small letters; the last one where a header stands several times. */
  headers: Record<string, string>;
  body: string;
}

/**
 * Sends bytes as they are to a gateway, and answers what came back until it closed the connection: the last request
 * must ask for that.
 */
export function sendRaw(url: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk) => void chunks.push(chunk));
    // A gateway that closes while more is sent to it resets the connection.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

/** The answers in what came back, whose bodies have their length said. */
export function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const [head = '', ...others] = rest.split('\r\n\r\n');
    const [statusLine = '', ...lines] = head.split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const after = others.join('\r\n\r\n');
    const length = Number(headers['content-length'] ?? 0);
    answers.push({ status: Number(statusLine.split(' ')[1] ?? 0), headers, body: after.slice(0, length) });
    rest = after.slice(length);
  }
  return answers;
}

/** Sends one request as it is, and answers what came back. */
export async function askRaw(url: string, head: string[], body: string | Buffer = ''): Promise<RawAnswer> {
  const bytes = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
  return answersIn(await sendRaw(url, bytes))[0] ?? { status: 0, headers: {}, body: '' };
}
