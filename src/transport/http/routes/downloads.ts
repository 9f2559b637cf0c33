import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Services } from '../../../context/context.js';
import { inOwnTransaction } from '../../../context/transaction.js';
import { type DeadLink, type Download, downloadSoftware } from '../../../modules/entitlements/download-software.js';

const reasons: Record<DeadLink, string> = {
  REVOKED: 'The purchase was cancelled, or the access of whoever made this link was revoked: it is dead.',
  EXPIRED: 'This link was good for 14 days, and they are over. Ask for a new one.',
  USED_UP: 'This link was good for 50 downloads, and they are used up. Ask for a new one.',
};

/** The operator's folder has no such image. Rolls the download back: it is neither counted nor written down. */
class ImageMissing extends Error {}

/** `/downloads/TOKEN`: opens without any other token, so that it can be sent to the customer (rule 11). */
export function serveDownloads(app: FastifyInstance, services: Services): void {
  app.get<{ Params: { token: string } }>('/downloads/:token', { exposeHeadRoute: false }, async (request, reply) => {
    const claims = await services.signer.verify('download', request.params.token, services.now());
    const found =
      typeof claims === 'string'
        ? null
        : await inOwnTransaction(services, async (em) => {
            const download = await downloadSoftware(em, String(claims['link']), services.now(), request.correlationId);
            if (download === null || typeof download === 'string') return download;
            return { ...download, file: await imageOf(download, services.config.downloadsDir) };
          }).catch((error: unknown) => {
            if (error instanceof ImageMissing) return error;
            throw error;
          });
    if (found === null) return reply.code(404).send({ code: 'NOT_FOUND', message: 'There is no such link.' });
    if (typeof found === 'string') return reply.code(410).send({ code: found, message: reasons[found] });
    if (found instanceof ImageMissing) {
      request.log.warn({ correlationId: request.correlationId }, found.message);
      const message = 'This image is not there yet. Try again later; this time did not count.';
      return reply.code(503).send({ code: 'IMAGE_NOT_AVAILABLE', message });
    }
    return reply
      .header('content-type', 'application/octet-stream')
      .header('content-disposition', `attachment; filename="${fileName(found)}"`)
      .header('cache-control', 'no-store')
      .header('x-remaining-downloads', found.remainingDownloads)
      .send(found.file === null ? demonstrationImage(found) : createReadStream(found.file));
  });
}

function fileName({ productId, skuId, version, language, architecture }: Download): string {
  return `${productId}-${skuId}-${version}-${language}-${architecture}.iso`.replace(/[^\w.-]/g, '_');
}

/**
 * Where the operator's file of an installation image is; null where there is no folder of them.
 * @throws {ImageMissing} where the folder lacks it
 */
async function imageOf(download: Download, folder: string | null): Promise<string | null> {
  if (folder === null) return null;
  const { productId, skuId, version, language, architecture } = download;
  const file = resolve(join(folder, productId, skuId, version, language, architecture));
  if (file.startsWith(folder + sep) && (await stat(file).catch(() => null))?.isFile()) return file;
  throw new ImageMissing(`DOWNLOADS_DIR has no ${join(productId, skuId, version, language, architecture)}`);
}

/** A text that says it stands for an installation image. */
function demonstrationImage({ title, version, language, architecture }: Download): Readable {
  return Readable.from([
    `Demonstration image. Set DOWNLOADS_DIR to serve real ones.\n${title}\nversion ${version}, ${language}, ${architecture}\n`,
  ]);
}
