import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { GraphQLError } from 'graphql';
import { ErrorCode } from '../../../graphql/errors.js';
import { MAXIMUM_FILE_BYTES, MAXIMUM_FILES, type ReceivedFile } from '../../../modules/support/attach-file.js';
import { ACCEPTED_CONTENT_TYPES, judgeFile } from '../../../modules/support/judge-file.js';
import type { Full } from '../../held-bytes.js';

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
  /** Resolves when the next piece of a file may be looked at: others are answered between two. */
  turn(): Promise<void>;
  /** Charges bytes that were received; answers why no more may be. */
  charge(bytes: number): GraphQLError | null;
}

/** The files in the body of a request, each judged by its content. @throws {Refusal} */
export async function filesOf(request: FastifyRequest, options: BodyOptions): Promise<ReceivedFile[]> {
  if (!request.isMultipart()) throw new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send files as multipart/form-data.');
  const files: ReceivedFile[] = [];
  try {
    for await (const part of request.files()) {
      const { filename: name, mimetype: contentType } = part;
      if (name.includes('\ufffd'))
        throw new Refusal(400, 'MALFORMED_BODY', `${shown(name)}: the name is not text in UTF-8.`);
      const { content, sha256 } = await contentOf(part.file, options);
      if (part.file.truncated)
        throw new Refusal(413, 'FILE_TOO_LARGE', `${shown(name)}: a file may have ${MAXIMUM_FILE_BYTES} bytes.`);
      if (content.length === 0) throw new Refusal(400, 'FILE_EMPTY', `${shown(name)}: the file is empty.`);
      const judged = await judgeFile({ name, contentType, content }, options.turn);
      if (typeof judged === 'string') {
        const accepted = ACCEPTED_CONTENT_TYPES.join(', ');
        throw new Refusal(415, 'CONTENT_TYPE_NOT_ACCEPTED', `${shown(name)}: ${judged}. Send one of: ${accepted}.`);
      }
      files.push({ ...judged, sha256 });
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const { code, message } = error as { code?: string; message: string };
    throw code === 'FST_FILES_LIMIT' ? tooManyFiles() : new Refusal(400, 'MALFORMED_BODY', message);
  }
  if (files.length === 0) throw new Refusal(400, 'NO_FILE', 'Send at least one file.');
  return files;
}

/**
 * What a part holds. It is read to its end whatever is wrong with it, so that the answer finds its way.
 * @throws {Refusal} where there is no memory for it, or its sender has nothing left to pay for it
 */
async function contentOf(
  file: Readable,
  { hold, share, turn, charge }: BodyOptions,
): Promise<Pick<ReceivedFile, 'content' | 'sha256'>> {
  const chunks: Buffer[] = [];
  const hash = createHash('sha256');
  let full: Full | null = null;
  let refusal: GraphQLError | null = null;
  let size = 0;
  for await (const chunk of file as AsyncIterable<Buffer>) {
    // As it comes: who cuts it off has had it looked at too.
    refusal ??= charge(chunk.length);
    full ??= hold(chunk.length);
    if (refusal || full) {
      chunks.length = 0;
      continue;
    }
    await turn();
    hash.update(chunk);
    size += chunk.length;
    chunks.push(chunk);
  }
  if (refusal) throw unpaid(refusal);
  if (full) throw new BeyondMemory(full, share);
  // Memory that is written for the first time costs more than the copy: it is filled a piece at a time.
  const content = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
    await turn();
    at += chunk.copy(content, at);
  }
  return { content, sha256: hash.digest('hex') };
}

/** A name as a refusal repeats it. */
const shown = (name: string) => name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '_').slice(0, 200);
