import { z } from 'zod';

const number = (what: string, minimum: number, maximum: number) => {
  const error = `must be ${what} from ${minimum} to ${maximum}`;
  return z.coerce.number({ error }).int({ error }).min(minimum, { error }).max(maximum, { error });
};
const count = (fallback: number) => number('a whole number', 1, 1_000_000).default(fallback);
const milliseconds = (fallback: number, minimum: number) =>
  number('a whole number of milliseconds', minimum, 3_600_000).default(fallback);

/** Bytes of the largest upload, ten files of 10 MiB: where it is the only one it is always taken. */
const WHOLE_UPLOAD = 100 * 2 ** 20;

/** The settings that bound what one caller, and all of them together, may hold. */
export const boundSettings = {
  SOCKETS_PER_USER: count(100),
  SOCKETS_PER_ADDRESS: count(1_000),
  OPERATIONS_PER_USER: count(100),
  OPERATIONS_PER_ADDRESS: count(1_000),
  STREAMS_PER_USER: count(200),
  STREAMS_PER_ADDRESS: count(2_000),
  EVENT_STREAMS_PER_USER: count(50),
  EVENT_STREAMS_PER_ADDRESS: count(500),
  SUBSCRIPTIONS_PER_USER: count(20),
  SUBSCRIPTIONS_PER_ADDRESS: count(200),
  EXPORTS_PER_USER: count(2),
  EXPORTS_PER_ADDRESS: count(20),
  UPLOADS_PER_USER: count(2),
  UPLOADS_PER_ADDRESS: count(10),
  UPLOAD_BYTES: number('a whole number of bytes', WHOLE_UPLOAD, 2 ** 36).default(2 * WHOLE_UPLOAD),
  UPLOAD_BYTES_PER_USER: number('a whole number of bytes', WHOLE_UPLOAD, 2 ** 36).default(WHOLE_UPLOAD),
  ANSWER_BYTES: number('a whole number of bytes', 2 ** 20, 2 ** 36).default(256 * 2 ** 20),
  ANSWER_BYTES_PER_USER: number('a whole number of bytes', 2 ** 20, 2 ** 36).default(64 * 2 ** 20),
  CONNECTIONS: count(20_000),
  CONNECTIONS_PER_ADDRESS: count(5_000),
  HEADERS_TIMEOUT_MS: milliseconds(10_000, 100),
  REQUEST_TIMEOUT_MS: milliseconds(60_000, 100),
  CONNECTION_INIT_TIMEOUT_MS: milliseconds(5_000, 100),
  CLOSE_TIMEOUT_MS: milliseconds(2_000, 10),
  STALLED_TIMEOUT_MS: milliseconds(60_000, 100),
};

/** What one caller, and all of them together, may hold at once, and how long the other end may take. */
export interface Bounds {
  /** Acknowledged WebSockets; those without a token count for their address. */
  socketsPerUser: number;
  /** Open WebSockets, acknowledged or not. */
  socketsPerAddress: number;
  /** Queries, mutations and exports that run or wait, over all transports. */
  operationsPerUser: number;
  operationsPerAddress: number;
  /** Subscriptions that are open, over all transports. */
  streamsPerUser: number;
  streamsPerAddress: number;
  eventStreamsPerUser: number;
  eventStreamsPerAddress: number;
  /** Different ones among the subscriptions: each is executed for each entry. */
  subscriptionsPerUser: number;
  subscriptionsPerAddress: number;
  /** Exports and manifests that are being sent. */
  exportsPerUser: number;
  exportsPerAddress: number;
  /** Uploads of support files, by who made their address. */
  uploadsPerUser: number;
  uploadsPerAddress: number;
  /** Bytes of all uploads that the process holds. */
  uploadBytes: number;
  /** Bytes of the uploads of one user, and of those from one address. */
  uploadBytesPerUser: number;
  /** Bytes of large answers that wait for their clients, of all, and of one user; an address has half of the former. */
  answerBytes: number;
  answerBytesPerUser: number;
  /** TCP connections of the process, and of one address that is no trusted proxy. */
  connections: number;
  connectionsPerAddress: number;
  /** How long the head of a request may take to arrive, from the connection's beginning on. */
  headersTimeoutMs: number;
  /** How long a whole request may take to arrive. */
  requestTimeoutMs: number;
  /** How long a WebSocket may be open before its client introduces itself. */
  connectionInitTimeoutMs: number;
  /** How long a client may take to answer that its WebSocket is closed. */
  closeTimeoutMs: number;
  /** How long a client may take nothing of what it is sent over HTTP. */
  stalledTimeoutMs: number;
}

/** The bounds as they are set. */
export function boundsOf(values: z.infer<z.ZodObject<typeof boundSettings>>): Bounds {
  return {
    socketsPerUser: values.SOCKETS_PER_USER,
    socketsPerAddress: values.SOCKETS_PER_ADDRESS,
    operationsPerUser: values.OPERATIONS_PER_USER,
    operationsPerAddress: values.OPERATIONS_PER_ADDRESS,
    streamsPerUser: values.STREAMS_PER_USER,
    streamsPerAddress: values.STREAMS_PER_ADDRESS,
    eventStreamsPerUser: values.EVENT_STREAMS_PER_USER,
    eventStreamsPerAddress: values.EVENT_STREAMS_PER_ADDRESS,
    subscriptionsPerUser: values.SUBSCRIPTIONS_PER_USER,
    subscriptionsPerAddress: values.SUBSCRIPTIONS_PER_ADDRESS,
    exportsPerUser: values.EXPORTS_PER_USER,
    exportsPerAddress: values.EXPORTS_PER_ADDRESS,
    uploadsPerUser: values.UPLOADS_PER_USER,
    uploadsPerAddress: values.UPLOADS_PER_ADDRESS,
    uploadBytes: values.UPLOAD_BYTES,
    uploadBytesPerUser: values.UPLOAD_BYTES_PER_USER,
    answerBytes: values.ANSWER_BYTES,
    answerBytesPerUser: values.ANSWER_BYTES_PER_USER,
    connections: values.CONNECTIONS,
    connectionsPerAddress: values.CONNECTIONS_PER_ADDRESS,
    headersTimeoutMs: values.HEADERS_TIMEOUT_MS,
    requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
    connectionInitTimeoutMs: values.CONNECTION_INIT_TIMEOUT_MS,
    closeTimeoutMs: values.CLOSE_TIMEOUT_MS,
    stalledTimeoutMs: values.STALLED_TIMEOUT_MS,
  };
}

/** The bounds where nothing is set. */
export const defaultBounds = (): Bounds => boundsOf(z.object(boundSettings).parse({}));
