import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Services } from '../../../context/context.js';
import { inOwnTransaction } from '../../../context/transaction.js';
import {
  type DeadLink,
  type Download,
  downloadSoftware,
  inspectDownload,
  type LinkUse,
} from '../../../modules/entitlements/download-software.js';
import { varyBy } from '../refusal.js';
import { isSent, sendContent } from '../send-content.js';
import { type Image, ImageMissing, imageFinder } from './download-images.js';
import { sendDownloadPage, sendRefusalPage, wantsPage } from './download-page.js';
import { attemptLink, inTurnOf, refuseLink } from './links.js';

const reasons: Record<DeadLink, string> = {
  REVOKED: 'The purchase was cancelled, or the access of whoever made this link was revoked: it is dead.',
  CANCELLATION_PENDING:
    'The purchase is being cancelled: this link gives nothing, unless the provider refuses to cancel.',
  EXPIRED: 'This link was good for 14 days, and no longer than its licence, and they are over. Ask for a new one.',
  USED_UP: 'This link was good for 50 downloads, and they are used up. Ask for a new one.',
};

const NO_SUCH_LINK = 'There is no such link.';
const NOT_THERE = 'This image is not there yet. Try again later; this time did not count.';

type LinkRequest = FastifyRequest<{ Params: { token: string }; Querystring: { download?: string } }>;

/**
 * `/downloads/TOKEN`: opens without any other token, so that it can be sent to the customer (rule 11). A browser gets a
 * page whose button asks again with `?download=1`; a program the image, or the part of it that it asks for. A HEAD is
 * no download, nor is what sends nothing of the image.
 */
export function serveDownloads(app: FastifyInstance, services: Services): void {
  const findImage = imageFinder(services.config);
  app.route<{ Params: { token: string }; Querystring: { download?: string } }>({
    method: ['GET', 'HEAD'],
    url: '/downloads/:token',
    handler: async (request, reply) => {
      varyBy(reply, 'accept');
      const isPage = request.query.download === undefined && wantsPage(request);
      const refuse = (status: number, code: string, message: string) =>
        isPage ? sendRefusalPage(reply.code(status), message) : refuseLink(reply, status, code, message);
      const release = await attemptLink(services, request, reply);
      if (!release) return reply;
      const use = await useOf(services, request);
      // What we have not signed is no question to the database.
      if (!use) return refuse(404, 'NOT_FOUND', NO_SUCH_LINK);
      const seen = await inTurnOf(services, use.linkId, reply, () =>
        orNotFound(inspectDownload(services.orm.em.fork(), use, services.clock)),
      );
      if (seen === 'NOT_FOUND') return refuse(404, seen, NO_SUCH_LINK);
      if (typeof seen === 'string') return refuse(410, seen, reasons[seen]);
      release();
      if (seen === null) return reply;
      if (isPage) return sendDownloadPage(reply, seen);
      const image = await findImage(seen).catch((error: unknown) => {
        if (!(error instanceof ImageMissing)) throw error;
        request.log.warn({ correlationId: request.correlationId }, error.message);
        return null;
      });
      if (!image) return refuse(503, 'IMAGE_NOT_AVAILABLE', NOT_THERE);
      const { correlationId } = request;
      const taken =
        isDownload(request, image) && !seen.isCounted ? await take(services, use, correlationId, reply) : seen;
      if (taken === null) return reply;
      if (taken === 'NOT_FOUND') return refuse(404, taken, NO_SUCH_LINK);
      if (typeof taken === 'string') return refuse(410, taken, reasons[taken]);
      return sendImage(request, reply, taken, image);
    },
  });
}

/** Who uses which link; null where we have not signed it. */
async function useOf({ signer, now }: Services, { params, network }: LinkRequest): Promise<LinkUse | null> {
  const claims = await signer.verify('download', params.token, now());
  return typeof claims === 'string' ? null : { linkId: String(claims['link']), address: network };
}

const orNotFound = async (found: Promise<Download | DeadLink | null>) => (await found) ?? ('NOT_FOUND' as const);

/** Whether something of the image goes out by the answer; of what a store sends nobody here knows. */
const isDownload = (request: FastifyRequest, image: Image) =>
  image.kind === 'stored' ? request.method === 'GET' : isSent(request, image.content);

/**
 * Counts a download. A dead link was found by reading; only a good one begins a transaction, in which it is looked at
 * again.
 */
function take(services: Services, use: LinkUse, correlationId: string, reply: FastifyReply) {
  return inTurnOf(services, use.linkId, reply, () =>
    inOwnTransaction(services, (em) => orNotFound(downloadSoftware(em, use, services.clock, correlationId))),
  );
}

async function sendImage(
  request: FastifyRequest,
  reply: FastifyReply,
  download: Download,
  image: Image,
): Promise<FastifyReply> {
  const name = fileName(download);
  reply.header('x-remaining-downloads', download.remainingDownloads);
  if (image.kind === 'stored' && request.method === 'GET') return reply.redirect(await image.address(name), 302);
  reply
    .header('content-type', 'application/octet-stream')
    .header('content-disposition', `attachment; filename="${name}"`);
  if (image.kind === 'content') return sendContent(request, reply, image.content);
  const { size, etag, modified } = image;
  if (etag) reply.header('etag', etag);
  if (modified) reply.header('last-modified', modified.toUTCString());
  return reply.header('accept-ranges', 'bytes').header('content-length', size).send();
}

function fileName({ productId, skuId, version, language, architecture }: Download): string {
  return `${productId}-${skuId}-${version}-${language}-${architecture}.iso`.replace(/[^\w.-]/g, '_');
}
