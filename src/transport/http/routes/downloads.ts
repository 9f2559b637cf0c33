import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Services } from '../../../context/context.js';
import { inOwnTransaction } from '../../../context/transaction.js';
import {
  type DeadLink,
  type Download,
  downloadSoftware,
  inspectDownload,
} from '../../../modules/entitlements/download-software.js';
import { attemptLink, inTurnOf, refuseLink } from './links.js';

const reasons: Record<DeadLink, string> = {
  REVOKED: 'The purchase was cancelled, or the access of whoever made this link was revoked: it is dead.',
  EXPIRED: 'This link was good for 14 days, and they are over. Ask for a new one.',
  USED_UP: 'This link was good for 50 downloads, and they are used up. Ask for a new one.',
};

const NO_SUCH_LINK = 'There is no such link.';

/** The operator's folder has no such image. Rolls the download back: it is neither counted nor written down. */
class ImageMissing extends Error {}

/** An image of the operator's folder. */
interface Image {
  path: string;
  size: number;
}

/**
 * `/downloads/TOKEN`: opens without any other token, so that it can be sent to the customer (rule 11). A HEAD is no
 * download. Nor is there part of one: each request is counted and sent whole.
 */
export function serveDownloads(app: FastifyInstance, services: Services): void {
  app.route<{ Params: { token: string } }>({
    method: ['GET', 'HEAD'],
    url: '/downloads/:token',
    handler: async (request, reply) => {
      const isTaken = request.method === 'GET';
      const release = await attemptLink(services, request, reply);
      if (!release) return reply;
      // What we have not signed is no question to the database.
      const claims = await services.signer.verify('download', request.params.token, services.now());
      if (typeof claims === 'string') return refuseLink(reply, 404, 'NOT_FOUND', NO_SUCH_LINK);
      const link = String(claims['link']);
      const found = await inTurnOf(services, link, reply, () => findDownload(services, link, request));
      if (found === null) {
        release();
        return reply;
      }
      if (found === 'NOT_FOUND') return refuseLink(reply, 404, found, NO_SUCH_LINK);
      if (typeof found === 'string') return refuseLink(reply, 410, found, reasons[found]);
      release();
      if (found instanceof ImageMissing) {
        request.log.warn({ correlationId: request.correlationId }, found.message);
        const message = 'This image is not there yet. Try again later; this time did not count.';
        return refuseLink(reply, 503, 'IMAGE_NOT_AVAILABLE', message);
      }
      const { image, remainingDownloads } = found;
      reply
        .header('content-type', 'application/octet-stream')
        .header('content-disposition', `attachment; filename="${fileName(found)}"`)
        .header('accept-ranges', 'none')
        .header('x-remaining-downloads', remainingDownloads);
      if (image) reply.header('content-length', image.size);
      if (!isTaken) return reply.send();
      return reply.send(image ? createReadStream(image.path) : demonstrationImage(found));
    },
  });
}

/**
 * What a link gives: a GET takes it, a HEAD looks only. A dead link is found by reading; only a good one begins a
 * transaction, in which it is looked at again.
 */
async function findDownload(
  services: Services,
  link: string,
  { method, correlationId }: FastifyRequest,
): Promise<(Download & { image: Image | null }) | DeadLink | 'NOT_FOUND' | ImageMissing> {
  const withImage = async (download: Download | DeadLink | null) => {
    if (download === null) return 'NOT_FOUND';
    if (typeof download === 'string') return download;
    return { ...download, image: await imageOf(download, services.config.downloadsDir) };
  };
  try {
    const seen = await withImage(await inspectDownload(services.orm.em.fork(), link, services.now()));
    if (method !== 'GET' || typeof seen === 'string') return seen;
    return await inOwnTransaction(services, async (em) =>
      withImage(await downloadSoftware(em, link, services.now(), correlationId)),
    );
  } catch (error) {
    if (error instanceof ImageMissing) return error;
    throw error;
  }
}

function fileName({ productId, skuId, version, language, architecture }: Download): string {
  return `${productId}-${skuId}-${version}-${language}-${architecture}.iso`.replace(/[^\w.-]/g, '_');
}

/**
 * The operator's file of an installation image; null where there is no folder of them.
 * @throws {ImageMissing} where the folder lacks it
 */
async function imageOf(download: Download, folder: string | null): Promise<Image | null> {
  if (folder === null) return null;
  const { productId, skuId, version, language, architecture } = download;
  const path = resolve(join(folder, productId, skuId, version, language, architecture));
  const file = path.startsWith(folder + sep) ? await stat(path).catch(() => null) : null;
  if (file?.isFile()) return { path, size: file.size };
  throw new ImageMissing(`DOWNLOADS_DIR has no ${join(productId, skuId, version, language, architecture)}`);
}

/** A text that says it stands for an installation image. */
function demonstrationImage({ title, version, language, architecture }: Download): Readable {
  return Readable.from([
    `Demonstration image. Set DOWNLOADS_DIR to serve real ones.\n${title}\nversion ${version}, ${language}, ${architecture}\n`,
  ]);
}
