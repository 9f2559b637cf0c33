import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { diedWithAccess, type Made } from '../../../context/admission.js';
import type { Services } from '../../../context/context.js';
import { inOwnTransaction } from '../../../context/transaction.js';
import { attachFile, MAXIMUM_FILE_BYTES, MAXIMUM_FILES } from '../../../modules/support/attach-file.js';
import { ACCEPTED_CONTENT_TYPES, judgeFile, type SentFile } from '../../../modules/support/judge-file.js';

/** Why an upload is not taken. Inside a transaction it rolls back. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const tooManyFiles = () => new Refusal(409, 'TOO_MANY_FILES', `A support request may have ${MAXIMUM_FILES} files.`);

/** `/support-requests/TOKEN/files`: takes files of a support request as multipart/form-data (rule 21). */
export async function serveSupportFiles(app: FastifyInstance, services: Services): Promise<void> {
  await app.register(async (scope) => {
    await scope.register(multipart, {
      limits: { fileSize: MAXIMUM_FILE_BYTES, files: MAXIMUM_FILES, fields: 5 },
      throwFileSizeLimit: false,
    });
    scope.setErrorHandler((error, _request, reply) => {
      if (!(error instanceof Refusal)) throw error;
      return reply.code(error.status).send({ code: error.code, message: error.message });
    });
    scope.post<{ Params: { token: string } }>(
      '/support-requests/:token/files',
      { bodyLimit: MAXIMUM_FILES * (MAXIMUM_FILE_BYTES + 4_096), config: { takes: 'multipart/form-data' } },
      async (request, reply) => {
        const claims = await services.signer.verify('upload', request.params.token, services.now());
        if (claims === 'expired')
          throw new Refusal(410, 'EXPIRED', 'This address was good for 24 hours. Submit a new support request.');
        if (claims === 'invalid') throw new Refusal(404, 'NOT_FOUND', 'There is no such address.');
        const files = await filesOf(request);
        // All files of a request or none: a refused one leaves nothing behind.
        const attached = await inOwnTransaction(services, async (em) => {
          if (await diedWithAccess(em, makerOf(claims)))
            throw new Refusal(410, 'REVOKED', 'The access of whoever made this address was revoked.');
          const done = [];
          for (const file of files) {
            const kept = await attachFile(em, String(claims['supportRequest']), file, services.now());
            if (!kept) throw tooManyFiles();
            await em.flush();
            done.push({ name: kept.name, contentType: kept.contentType, size: kept.size, sha256: kept.sha256 });
          }
          return done;
        });
        return reply.code(201).send({ files: attached });
      },
    );
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

/** The files in the body of a request, each judged by its content. */
async function filesOf(request: FastifyRequest): Promise<SentFile[]> {
  if (!request.isMultipart()) throw new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send files as multipart/form-data.');
  const files: SentFile[] = [];
  try {
    for await (const part of request.files()) {
      const { filename: name, mimetype: contentType } = part;
      if (name.includes('\ufffd'))
        throw new Refusal(400, 'MALFORMED_BODY', `${shown(name)}: the name is not text in UTF-8.`);
      const content = await part.toBuffer();
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

/** A name as a refusal repeats it. */
const shown = (name: string) => name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '_').slice(0, 200);
