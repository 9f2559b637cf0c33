import { Readable } from 'node:stream';
import { create as contentDisposition } from 'content-disposition';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import type { Authenticate } from '../../../auth/tokens.js';
import type { Viewer } from '../../../auth/viewer.js';
import { createContext, type Services } from '../../../context/context.js';
import { inTransaction } from '../../../context/transaction.js';
import { accountOf, type Payer } from '../../../cost/cost-control.js';
import { costOfDownload, points } from '../../../cost/points.js';
import { DEAR } from '../../../database/lanes.js';
import { parseGlobalId } from '../../../domain/global-id.js';
import { ErrorCode } from '../../../graphql/errors.js';
import type { AbortFlag } from '../../../lib/abort-flag.js';
import { contentOf, findSupportFile, recordFileDownload } from '../../../modules/support/download-file.js';
import { ScanVerdict, type SupportFile } from '../../../modules/support/support-request.entity.js';
import type { CallerBounds } from '../../bounds.js';
import { abortOnClose } from '../abort-on-close.js';
import { enter } from '../enter.js';
import { type Asked, askedOf, type ByteRange } from '../preconditions.js';
import { httpOf, refuse, varyBy } from '../refusal.js';
import { CHALLENGE, challengeFor } from '../require-token.js';

/** Seconds after which to ask again for a file that is being judged. */
const RETRY_AFTER = 5;

/** Why a file is not given, and the points that it costs to give it. */
type Judged = { file: SupportFile; asked: Asked; refusal: GraphQLError | null } | null;

/**
 * `/support-files/ID`: the content of a file of a support request, for who serves it (rule 21), by the token of the graph.
 * Files are strangers': a browser saves them, and neither shows nor runs nor keeps them.
 */
export function serveSupportFileDownloads(
  app: FastifyInstance,
  services: Services,
  authenticate: Authenticate,
  bounds: CallerBounds,
): void {
  app.route<{ Params: { id: string } }>({
    method: ['GET', 'HEAD'],
    url: '/support-files/:id',
    onRequest: enter(services, authenticate, bounds),
    handler: async (request, reply) => {
      const { viewer } = request;
      varyBy(reply, 'authorization');
      if (!viewer.identity) {
        reply.header('www-authenticate', CHALLENGE);
        return refuse(reply, 401, ErrorCode.UNAUTHENTICATED, 'Send a token: Authorization: Bearer …');
      }
      if (services.accessTable.for(viewer.roles).denies('SupportFile')) {
        const message = 'Files of support requests are not for your roles.';
        reply.header('www-authenticate', challengeFor('insufficient_scope', message));
        return refuse(reply, 403, ErrorCode.FORBIDDEN, message);
      }
      // Whether there is such a file or not, it is looked for.
      const payer = { viewer, user: accountOf(viewer, () => services.addressOf(request.raw)) };
      const unpaid = services.costs.spend(payer, points.fileDownload);
      if (unpaid) return refuseFor(reply, unpaid);
      const id = parseGlobalId(request.params.id);
      const judged = id?.type === 'SupportFile' ? await judge(services, request, payer, id.id) : null;
      if (!judged) return refuse(reply, 404, ErrorCode.BAD_REQUEST, 'There is no such file.');
      const { file, asked, refusal } = judged;
      if (refusal) return refuseFor(reply, refusal);
      if (request.method === 'HEAD') return answer(reply, file, asked, null);
      const inTurn = piecesInTurn(services, payer, abortOnClose(reply.raw));
      return answer(reply, file, asked, (part) => contentOf(services.batchReads, file.id, part, inTurn));
    },
  });
}

/** The file with what is asked of it; one whose content will be sent is written down before. */
async function judge(services: Services, request: FastifyRequest, payer: Payer<Viewer>, id: string): Promise<Judged> {
  const { viewer, correlationId } = request;
  const context = createContext(services, { viewer, correlationId, request: request.raw });
  try {
    return await inTransaction(context, async (unit) => {
      const file = await findSupportFile(unit, id);
      if (!file) return null;
      const asked = askedOf(request, tagOf(file), file.size);
      const isSent = request.method === 'GET' && (asked === 'WHOLE' || typeof asked === 'object');
      const bytes = isSent ? (typeof asked === 'object' ? asked.end - asked.start + 1 : file.size) : 0;
      const refusal = unavailable(services, file) ?? services.costs.spend(payer, costOfDownload(bytes));
      if (isSent && !refusal) recordFileDownload(unit, file);
      return { file, asked, refusal };
    });
  } catch (error) {
    if (!(error instanceof GraphQLError) || error.extensions['code'] === ErrorCode.INTERNAL_SERVER_ERROR) throw error;
    return { file: null as never, asked: 'WHOLE', refusal: error };
  }
}

/** Why nobody may have a file; null where they may. */
function unavailable({ config }: Services, { name, scanVerdict, scanReason }: SupportFile): GraphQLError | null {
  if (scanVerdict === ScanVerdict.REFUSED)
    return new GraphQLError(`${name} was refused: ${scanReason}`, {
      extensions: { code: ErrorCode.FORBIDDEN, state: 'REFUSED' },
    });
  if (scanVerdict === null && config.fileScan !== null)
    return new GraphQLError(`${name} has not been scanned yet. Ask again in a moment.`, {
      extensions: { code: ErrorCode.UNAVAILABLE, state: 'UNSCANNED', retryAfter: RETRY_AFTER },
    });
  return null;
}

const statuses: Partial<Record<string, number>> = {
  [ErrorCode.FORBIDDEN]: 403,
  [ErrorCode.UNAUTHENTICATED]: 401,
  [ErrorCode.UNAVAILABLE]: 503,
};

function refuseFor(reply: FastifyReply, { message, extensions }: GraphQLError): FastifyReply {
  const { code, ...rest } = extensions;
  if (rest['retryAfter'] !== undefined) reply.header('retry-after', String(rest['retryAfter']));
  return refuse(reply, statuses[String(code)] ?? httpOf(extensions).status, code as ErrorCode, message, rest);
}

const tagOf = ({ sha256 }: SupportFile) => `"${sha256}"`;

/**
 * Reads the pieces of what a user downloads in that user's turn: however many files are asked for at once, others wait for
 * one piece.
 */
function piecesInTurn({ turns, batchLanes }: Services, { user }: Payer, abort: AbortFlag) {
  return async <Result>(read: () => Promise<Result>): Promise<Result> => {
    await turns.take(user);
    return batchLanes.run({ users: [user], cost: DEAR, abort }, read);
  };
}

/** @param piecesOf the content; null: nobody asks for it */
function answer(
  reply: FastifyReply,
  file: SupportFile,
  asked: Asked,
  piecesOf: ((part: ByteRange) => AsyncIterable<Buffer>) | null,
): FastifyReply {
  const { name, contentType, size } = file;
  reply.headers({
    etag: tagOf(file),
    'cache-control': 'private, no-store',
    'accept-ranges': 'bytes',
    'last-modified': file.uploadedAt.toUTCString(),
  });
  if (asked === 'FAILED')
    return refuse(reply, 412, ErrorCode.BAD_REQUEST, 'The file is not the one that If-Match names.');
  if (asked === 'NOT_MODIFIED') return reply.code(304).send();
  if (asked === 'NOT_SATISFIABLE') {
    reply.header('content-range', `bytes */${size}`);
    return refuse(reply, 416, ErrorCode.BAD_REQUEST, `The file has ${size} bytes.`);
  }
  const part = asked === 'WHOLE' ? { start: 0, end: size - 1 } : asked;
  if (asked !== 'WHOLE') reply.code(206).header('content-range', `bytes ${part.start}-${part.end}/${size}`);
  reply.headers({
    'content-type': contentType.startsWith('text/') ? `${contentType}; charset=utf-8` : contentType,
    'content-length': part.end - part.start + 1,
    'content-disposition': contentDisposition(name),
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  });
  return reply.send(piecesOf ? Readable.from(piecesOf(part), { highWaterMark: 1 }) : undefined);
}
