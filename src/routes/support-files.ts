import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import type { Services } from '../context.js';
import {
  ACCEPTED_CONTENT_TYPES,
  attachFile,
  MAXIMUM_FILE_BYTES,
  MAXIMUM_FILES,
} from '../modules/support/attach-file.js';
import { committing } from '../transaction.js';

/** Rolls the transaction back. */
class TooManyFiles extends Error {}

/** `/support-requests/TOKEN/files`: takes files of a support request as multipart/form-data (rule 21). */
export async function serveSupportFiles(app: FastifyInstance, services: Services): Promise<void> {
  await app.register(async (scope) => {
    await scope.register(multipart, {
      limits: { fileSize: MAXIMUM_FILE_BYTES, files: MAXIMUM_FILES, fields: 5 },
      throwFileSizeLimit: false,
    });
    scope.post<{ Params: { token: string } }>(
      '/support-requests/:token/files',
      { bodyLimit: MAXIMUM_FILES * (MAXIMUM_FILE_BYTES + 4_096) },
      async (request, reply) => {
        const refuse = (status: number, code: string, message: string) => reply.code(status).send({ code, message });
        const claims = await services.signer.verify('upload', request.params.token, services.now());
        if (claims === 'expired')
          return refuse(410, 'EXPIRED', 'This address was good for 24 hours. Submit a new support request.');
        if (claims === 'invalid') return refuse(404, 'NOT_FOUND', 'There is no such address.');
        if (!request.isMultipart()) return refuse(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send files as multipart/form-data.');
        const files: { name: string; contentType: string; content: Buffer }[] = [];
        for await (const part of request.files()) {
          if (!ACCEPTED_CONTENT_TYPES.includes(part.mimetype)) {
            return refuse(
              415,
              'CONTENT_TYPE_NOT_ACCEPTED',
              `${part.filename}: ${part.mimetype} is not accepted. Send one of: ${ACCEPTED_CONTENT_TYPES.join(', ')}.`,
            );
          }
          const content = await part.toBuffer();
          if (part.file.truncated)
            return refuse(413, 'FILE_TOO_LARGE', `${part.filename}: a file may have ${MAXIMUM_FILE_BYTES} bytes.`);
          if (content.length === 0) return refuse(400, 'FILE_EMPTY', `${part.filename}: the file is empty.`);
          files.push({
            name: part.filename.replace(/[\0-\x1f\x7f/\\]/g, '_').slice(0, 200),
            contentType: part.mimetype,
            content,
          });
        }
        if (files.length === 0) return refuse(400, 'NO_FILE', 'Send at least one file.');
        // All files of a request or none: a refused one leaves nothing behind.
        const attached = await committing(services, async (em) => {
          const done = [];
          for (const file of files) {
            const kept = await attachFile(em, String(claims['supportRequest']), file, services.now());
            if (!kept) throw new TooManyFiles();
            await em.flush();
            done.push({ name: kept.name, contentType: kept.contentType, size: kept.size, sha256: kept.sha256 });
          }
          return done;
        }).catch((error: unknown) => {
          if (error instanceof TooManyFiles) return null;
          throw error;
        });
        if (!attached) return refuse(409, 'TOO_MANY_FILES', `A support request may have ${MAXIMUM_FILES} files.`);
        return reply.code(201).send({ files: attached });
      },
    );
  });
}
