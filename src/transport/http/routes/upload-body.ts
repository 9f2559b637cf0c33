import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import type { GraphQLError } from 'graphql';
import { ErrorCode } from '../../../graphql/errors.js';
import { MAXIMUM_FILE_BYTES, MAXIMUM_FILES, type ReceivedFile } from '../../../modules/support/attach-file.js';
import { ACCEPTED_CONTENT_TYPES, judgeFile } from '../../../modules/support/judge-file.js';
import type { Full } from '../../held-bytes.js';

/** Parts of a form: its files, and a few others, which are passed over. */
const MAXIMUM_PARTS = MAXIMUM_FILES + 5;
/** Headers of a part. */
const MAXIMUM_HEADERS = 16;
/** Bytes of a whole form: its files, and what stands between them. */
const MAXIMUM_BODY_BYTES = MAXIMUM_FILES * (MAXIMUM_FILE_BYTES + 4_096);

/** Bytes that are looked at in one turn: what looks like a boundary and is none takes ten times as long as what does not. */
const SLICE_BYTES = 16 * 1024;

/** Why an upload is not taken. Inside a transaction it rolls back. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds after which to try again. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** Too much memory is held: by the uploads of the same user or address, or by all together. */
export class BeyondMemory extends Refusal {
  constructor(
    readonly full: Full,
    /** Bytes of a user, and of an address. */
    share: number,
  ) {
    const [status, message] =
      full === 'all'
        ? [503, 'Other uploads hold all the memory that there is for them. Send it again in a few seconds.']
        : [429, `${holders[full]} may have ${share} bytes on their way at once. Wait until one has ended.`];
    super(status, ErrorCode.LIMIT_EXCEEDED, message, 5);
  }

  /** Name of the bound, as refusals are counted by it. */
  get bound(): string {
    return { user: 'uploadBytesPerUser', address: 'uploadBytesPerAddress', all: 'uploadBytes' }[this.full];
  }
}
const holders = { user: 'The uploads of a user', address: 'The uploads from an address' };

/** What was sent is no form. */
export const notAForm = () => new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send files as multipart/form-data.');

/** A request has as many files as it may have. */
export const tooManyFiles = () =>
  new Refusal(409, 'TOO_MANY_FILES', `A support request may have ${MAXIMUM_FILES} files.`);

/** The refusal of somebody whose budget is spent. */
export function unpaid({ message, extensions: { code, retryAfter } }: GraphQLError): Refusal {
  return new Refusal(429, String(code), message, Number(retryAfter));
}

/** What taking a body needs of the process. */
export interface BodyOptions {
  /** Takes bytes of memory; answers null, or what is full. */
  hold(bytes: number): Full | null;
  /** Bytes that a user, and an address, may hold at once. */
  share: number;
  /** Resolves when the next piece may be looked at: others are answered between two. */
  turn(): Promise<void>;
  /** Charges bytes that were received, whatever they are; answers why no more may be. */
  charge(bytes: number): GraphQLError | null;
}

/**
 * The files in the body of a request, each judged by its content. What is wrong ends it at once: nothing more of the body
 * is read.
 * @throws {Refusal}
 */
export async function filesOf({ raw }: FastifyRequest, options: BodyOptions): Promise<ReceivedFile[]> {
  if (!/^multipart\/form-data\b/i.test(raw.headers['content-type'] ?? '')) throw notAForm();
  if (Number(raw.headers['content-length'] ?? 0) > MAXIMUM_BODY_BYTES) throw bodyTooLarge();
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const parser = parserOf(raw.headers);
  const files: Promise<ReceivedFile>[] = [];
  const finished = new Promise<void>((resolve) => parser.once('finish', resolve));
  const fail = (error: unknown) =>
    reject(error instanceof Refusal ? error : new Refusal(400, 'MALFORMED_BODY', (error as Error).message));
  parser.on('file', (_field, stream, name, _encoding, contentType) => {
    stream.once('limit', () => fail(tooLarge(name)));
    const file = fileOf(stream, name, contentType, options);
    file.catch(fail);
    files.push(file);
  });
  parser.on('filesLimit', () => fail(tooManyFiles()));
  parser.on('partsLimit', () =>
    fail(new Refusal(400, 'MALFORMED_BODY', `A form may have ${MAXIMUM_PARTS} parts, files and others.`)),
  );
  parser.on('error', fail);
  const body = new Body(raw, parser, options);
  try {
    await Promise.race([failed, body.feed(), finished]);
    const received = await Promise.race([failed, finished.then(() => Promise.all(files))]);
    if (received.length === 0) throw new Refusal(400, 'NO_FILE', 'Send at least one file.');
    return received;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'MALFORMED_BODY', (error as Error).message);
  } finally {
    body.stop();
  }
}

/** Hands a body to the parser of its form, a piece at a time, each counted and paid for whatever it is. */
class Body {
  private isOver = false;

  constructor(
    private readonly raw: IncomingMessage,
    private readonly parser: BusboyInstance,
    private readonly options: BodyOptions,
  ) {}

  async feed(): Promise<void> {
    const { charge, turn } = this.options;
    let bytes = 0;
    for await (const piece of this.raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (this.isOver) return;
      const refusal = charge(piece.length);
      if (refusal) throw unpaid(refusal);
      bytes += piece.length;
      if (bytes > MAXIMUM_BODY_BYTES) throw bodyTooLarge();
      for (let at = 0; at < piece.length; at += SLICE_BYTES) {
        await turn();
        if (this.isOver) return;
        const slice = piece.subarray(at, at + SLICE_BYTES);
        await new Promise<void>((resolve) => this.parser.write(slice, () => resolve()));
      }
    }
    if (!this.isOver) this.parser.end();
  }

  stop(): void {
    this.isOver = true;
  }
}

/** @throws {Refusal} where the form cannot be read at all */
function parserOf(headers: IncomingMessage['headers']): BusboyInstance {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits: {
        fileSize: MAXIMUM_FILE_BYTES,
        files: MAXIMUM_FILES,
        parts: MAXIMUM_PARTS,
        headerPairs: MAXIMUM_HEADERS,
        // They are passed over.
        fields: 0,
      },
    });
  } catch (error) {
    throw new Refusal(400, 'MALFORMED_BODY', (error as Error).message);
  }
}

/** A file of the form, as it comes. @throws {Refusal} */
async function fileOf(
  stream: BusboyFileStream,
  name: string,
  contentType: string,
  options: BodyOptions,
): Promise<ReceivedFile> {
  if (name.includes('\ufffd'))
    throw new Refusal(400, 'MALFORMED_BODY', `${shown(name)}: the name is not text in UTF-8.`);
  const { content, sha256 } = await contentOf(stream, options);
  if (stream.truncated) throw tooLarge(name);
  if (content.length === 0) throw new Refusal(400, 'FILE_EMPTY', `${shown(name)}: the file is empty.`);
  const judged = await judgeFile({ name, contentType, content }, options.turn);
  if (typeof judged === 'string') {
    const accepted = ACCEPTED_CONTENT_TYPES.join(', ');
    throw new Refusal(415, 'CONTENT_TYPE_NOT_ACCEPTED', `${shown(name)}: ${judged}. Send one of: ${accepted}.`);
  }
  return { ...judged, sha256 };
}

/** What a part holds. @throws {Refusal} where there is no memory for it */
async function contentOf(
  file: Readable,
  { hold, share, turn }: BodyOptions,
): Promise<Pick<ReceivedFile, 'content' | 'sha256'>> {
  const chunks: Buffer[] = [];
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of file as AsyncIterable<Buffer>) {
    const full = hold(chunk.length);
    if (full) throw new BeyondMemory(full, share);
    hash.update(chunk);
    size += chunk.length;
    chunks.push(chunk);
  }
  // Memory that is written for the first time costs more than the copy: it is filled a piece at a time.
  const content = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
    await turn();
    at += chunk.copy(content, at);
  }
  return { content, sha256: hash.digest('hex') };
}

const tooLarge = (name: string) =>
  new Refusal(413, 'FILE_TOO_LARGE', `${shown(name)}: a file may have ${MAXIMUM_FILE_BYTES} bytes.`);

const bodyTooLarge = () =>
  new Refusal(413, ErrorCode.LIMIT_EXCEEDED, `An upload may have ${MAXIMUM_BODY_BYTES} bytes.`);

/** A name as a refusal repeats it. */
const shown = (name: string) => name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '_').slice(0, 200);
