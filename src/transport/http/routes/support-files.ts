import type { Readable } from 'node:stream';
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { diedWithAccess, type Made } from '../../../context/admission.js';
import type { Services } from '../../../context/context.js';
import { inOwnTransaction } from '../../../context/transaction.js';
import { ErrorCode } from '../../../graphql/errors.js';
import { networkOf } from '../../../lib/network.js';
import { attachFile, hasPlace, MAXIMUM_FILE_BYTES, MAXIMUM_FILES } from '../../../modules/support/attach-file.js';
import { ACCEPTED_CONTENT_TYPES, judgeFile, type SentFile } from '../../../modules/support/judge-file.js';
import { type CallerBounds, isTaken } from '../../bounds.js';
import { HeldBytes } from '../../held-bytes.js';
import { attemptLink, inTurnOf, refuseLink } from './links.js';

/** Why an upload is not taken. Inside a transaction it rolls back. */
class Refusal extends Error {
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

/** All uploads together hold as much as they may. */
class BeyondMemory extends Refusal {
  constructor() {
    const message = 'Other uploads hold all the memory that there is for them. Send it again in a few seconds.';
    super(503, ErrorCode.LIMIT_EXCEEDED, message, 5);
  }
}

const revoked = () => new Refusal(410, 'REVOKED', 'The access of whoever made this address was revoked.');
const tooManyFiles = () => new Refusal(409, 'TOO_MANY_FILES', `A support request may have ${MAXIMUM_FILES} files.`);

/** `/support-requests/TOKEN/files`: takes files of a support request as multipart/form-data (rule 21). */
export async function serveSupportFiles(app: FastifyInstance, services: Services, bounds: CallerBounds): Promise<void> {
  const held = new HeldBytes(services.config.bounds.uploadBytes);
  await app.register(async (scope) => {
    await scope.register(multipart, {
      limits: { fileSize: MAXIMUM_FILE_BYTES, files: MAXIMUM_FILES, fields: 5 },
      throwFileSizeLimit: false,
    });
    scope.setErrorHandler((error, _request, reply) => {
      if (!(error instanceof Refusal)) throw error;
      if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter));
      return refuseLink(reply, error.status, error.code, error.message);
    });
    scope.post<{ Params: { token: string } }>(
      '/support-requests/:token/files',
      { bodyLimit: MAXIMUM_FILES * (MAXIMUM_FILE_BYTES + 4_096), config: { takes: 'multipart/form-data' } },
      async (request, reply) => {
        const release = await attemptLink(services, request, reply);
        if (!release) return reply;
        const address = await addressOf(services, request.params.token);
        const { id, maker } = address;
        const place = bounds.take('uploads', { user: maker.identity ?? id, address: networkOf(request.ip) });
        if (!isTaken(place)) throw new Refusal(429, ErrorCode.LIMIT_EXCEEDED, place.message, 1);
        const body = held.open();
        try {
          // Before the body is read: an address that takes nothing more holds no memory.
          const isOpen = await inTurnOf(services, id, reply, () => requireOpen(services, address));
          if (isOpen !== null) release();
          if (!isOpen) return reply;
          const files = await filesOf(request, (bytes) => body.take(bytes));
          const attached = await inTurnOf(services, id, reply, () => attachAll(services, address, files));
          return attached ? reply.code(201).send({ files: attached }) : reply;
        } catch (error) {
          if (error instanceof BeyondMemory) services.refusals.note('uploadBytes');
          throw error;
        } finally {
          body.release();
          place();
        }
      },
    );
  });
}

/** What an upload address is for, and who made it. */
interface UploadAddress {
  /** The support request's. */
  id: string;
  maker: Made;
}

/** @throws {Refusal} for an address that is over, or that we have not signed */
async function addressOf({ signer, now }: Services, token: string): Promise<UploadAddress> {
  const claims = await signer.verify('upload', token, now());
  if (claims === 'expired')
    throw new Refusal(410, 'EXPIRED', 'This address was good for 24 hours. Submit a new support request.');
  if (claims === 'invalid') throw new Refusal(404, 'NOT_FOUND', 'There is no such address.');
  return { id: String(claims['supportRequest']), maker: makerOf(claims) };
}

/** @throws {Refusal} where nothing can be attached whatever is sent */
async function requireOpen({ orm }: Services, { id, maker }: UploadAddress): Promise<true> {
  const em = orm.em.fork();
  if (await diedWithAccess(em, maker)) throw revoked();
  if (!(await hasPlace(em, id))) throw tooManyFiles();
  return true;
}

/** Attaches all files of an upload or none: a refused one leaves nothing behind. */
function attachAll(services: Services, { id, maker }: UploadAddress, files: SentFile[]) {
  return inOwnTransaction(services, async (em) => {
    if (await diedWithAccess(em, maker)) throw revoked();
    const done = [];
    for (const file of files) {
      const kept = await attachFile(em, id, file, services.now());
      if (!kept) throw tooManyFiles();
      await em.flush();
      done.push({ name: kept.name, contentType: kept.contentType, size: kept.size, sha256: kept.sha256 });
    }
    return done;
  });
}

/** Who asked for an upload address, and when. Addresses from before identities were kept say neither, and end in a day. */
function makerOf({ by, name, at }: Record<string, unknown>): Made {
  return {
    identity: typeof by === 'string' ? by : null,
    userPrincipalName: typeof name === 'string' ? name : '',
    at: new Date(typeof at === 'number' ? at : 0),
  };
}

/**
 * The files in the body of a request, each judged by its content.
 * @param hold takes bytes of memory; answers whether they may be held
 */
async function filesOf(request: FastifyRequest, hold: (bytes: number) => boolean): Promise<SentFile[]> {
  if (!request.isMultipart()) throw new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send files as multipart/form-data.');
  const files: SentFile[] = [];
  try {
    for await (const part of request.files()) {
      const { filename: name, mimetype: contentType } = part;
      if (name.includes('\ufffd'))
        throw new Refusal(400, 'MALFORMED_BODY', `${shown(name)}: the name is not text in UTF-8.`);
      const content = await contentOf(part.file, hold);
      if (part.file.truncated)
        throw new Refusal(413, 'FILE_TOO_LARGE', `${shown(name)}: a file may have ${MAXIMUM_FILE_BYTES} bytes.`);
      if (content.length === 0) throw new Refusal(400, 'FILE_EMPTY', `${shown(name)}: the file is empty.`);
      const judged = await judgeFile({ name, contentType, content });
      if (typeof judged === 'string') {
        const accepted = ACCEPTED_CONTENT_TYPES.join(', ');
        throw new Refusal(415, 'CONTENT_TYPE_NOT_ACCEPTED', `${shown(name)}: ${judged}. Send one of: ${accepted}.`);
      }
      files.push(judged);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const { code, message } = error as { code?: string; message: string };
    throw code === 'FST_FILES_LIMIT' ? tooManyFiles() : new Refusal(400, 'MALFORMED_BODY', message);
  }
  if (files.length === 0) throw new Refusal(400, 'NO_FILE', 'Send at least one file.');
  return files;
}

/** @throws {BeyondMemory} once the part has been read to its end, so that the answer finds its way */
async function contentOf(file: Readable, hold: (bytes: number) => boolean): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let isHeld = true;
  for await (const chunk of file) {
    isHeld &&= hold(chunk.length);
    if (isHeld) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (!isHeld) throw new BeyondMemory();
  return Buffer.concat(chunks);
}

/** A name as a refusal repeats it. */
const shown = (name: string) => name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '_').slice(0, 200);
