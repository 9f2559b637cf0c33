import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import Negotiator from 'negotiator';
import { z } from 'zod';
import { ActivityAction } from '../../../activity-log/activity-action.js';
import { exportFormats } from '../../../activity-log/export-format.js';
import { cursorExpired } from '../../../activity-log/feed-cursors.js';
import { type Position, START } from '../../../activity-log/position.js';
import { lastPosition } from '../../../activity-log/read-entries.js';
import type { Authenticate } from '../../../auth/tokens.js';
import type { Services } from '../../../context/context.js';
import { accountOf } from '../../../cost/cost-control.js';
import type { Turn } from '../../../database/execute.js';
import { parseGlobalId } from '../../../domain/global-id.js';
import { ownTenantScope } from '../../../feed/delivery/subscription.js';
import { ErrorCode } from '../../../graphql/errors.js';
import { DateTimeScalar } from '../../../graphql/scalars.js';
import { exportRights } from '../../../modules/activity/export-rights.js';
import { type CallerBounds, callerOf, isTaken } from '../../bounds.js';
import { abortOnClose } from '../abort-on-close.js';
import { refuseBeyond } from '../connections.js';
import { enter } from '../enter.js';
import { onceClosed } from '../once-closed.js';
import { refuse, varyBy } from '../refusal.js';
import { CHALLENGE, challengeFor } from '../require-token.js';
import { bodyOf, type Export, manifestOf } from './export-body.js';

/** A parameter that is given once, as text. */
const once = z.string({ error: 'must be given once' });
const instant = once.transform((text, context) => {
  try {
    return DateTimeScalar.parseValue(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});
const idOf = (type: 'Customer' | 'Order') =>
  once.transform((globalId, context) => {
    const parsed = parseGlobalId(globalId);
    if (parsed?.type === type) return parsed.id;
    context.addIssue({ code: 'custom', message: `must be an id of type ${type}, as the graph gives it` });
    return z.NEVER;
  });
const text = once.regex(/^[^\0]{1,200}$/, 'must be 1 to 200 characters').transform((value) => value.normalize('NFC'));

/** A list: several names joined by commas, the parameter several times, or both. */
const listed = z.preprocess((given) => (given === undefined ? given : String(given).split(',')), z.array(z.string()));

/** The same filter as `Query.activity` takes, as query parameters. */
const parameters = z.strictObject({
  from: instant.optional(),
  to: instant.optional(),
  actions: listed
    .pipe(z.array(z.enum(ActivityAction, { error: `must be some of ${Object.keys(ActivityAction).join(',')}` })))
    .optional(),
  actor: text.optional(),
  actorObjectId: text.optional(),
  customerId: idOf('Customer').optional(),
  orderId: idOf('Order').optional(),
  productId: text.optional(),
  /** Cursors: entries after the one, up to and with the other. */
  after: once.optional(),
  until: once.optional(),
  manifest: z.literal('1', { error: 'must be 1, given once' }).optional(),
});

const mediaTypes = { csv: 'text/csv; charset=utf-8', jsonl: 'application/x-ndjson; charset=utf-8' };

/**
 * `/exports/activity.csv` and `.jsonl`: the activity log as a file, by the same filter and rights as `Query.activity`, up
 * to the last entry that was committed when it began (`x-export-until`). The manifest (`manifest=1`) is an answer of its
 * own rather than trailers, which proxies drop and browsers do not show; the `link` header of an export names it.
 */
export function serveExports(
  app: FastifyInstance,
  services: Services,
  authenticate: Authenticate,
  bounds: CallerBounds,
): void {
  for (const format of exportFormats) {
    app.get(
      `/exports/activity.${format}`,
      {
        onRequest: enter(services, authenticate, bounds),
        config: { produces: [mediaTypes[format], 'application/json'] },
      },
      async (request, reply) => {
        const { viewer } = request;
        if (!viewer.identity) {
          reply.header('www-authenticate', CHALLENGE);
          return refuse(reply, 401, ErrorCode.UNAUTHENTICATED, 'Send a token: Authorization: Bearer …');
        }
        if (services.accessTable.for(viewer.roles).denies('Query', 'activity')) {
          const message = 'The activity log is not for your roles.';
          reply.header('www-authenticate', challengeFor('insufficient_scope', message));
          return refuse(reply, 403, ErrorCode.FORBIDDEN, message);
        }
        const parsed = parameters.safeParse(request.query);
        if (!parsed.success) {
          return refuse(
            reply,
            400,
            ErrorCode.BAD_USER_INPUT,
            parsed.error.issues.map((issue) => `${issue.path.join('.') || 'query'}: ${issue.message}`).join('; '),
          );
        }
        const place = bounds.take('exports', callerOf(viewer, request.network));
        if (!isTaken(place)) return refuseBeyond(reply, place);
        onceClosed(reply.raw, place);
        const payer = { viewer, user: accountOf(viewer, () => services.addressOf(request.raw)) };
        const unpaid = services.costs.beginExport(payer, Object.keys(parsed.data));
        if (unpaid) return refuseUnpaid(reply, unpaid);
        let wanted: Export;
        try {
          wanted = await exportOf(services, request, { payer, abort: abortOnClose(reply.raw), format }, parsed.data);
        } catch (error) {
          if (!(error instanceof GraphQLError)) throw error;
          const code = error.extensions['code'] as ErrorCode;
          return refuse(reply, code === ErrorCode.CURSOR_EXPIRED ? 410 : 400, code, error.message);
        }
        const isManifest = parsed.data.manifest !== undefined;
        const until = services.feedCursors.encode(wanted.until);
        reply.headers({
          'content-type': isManifest ? 'application/json; charset=utf-8' : mediaTypes[format],
          'content-disposition': `attachment; filename="activity.${format}${isManifest ? '.manifest.json' : ''}"`,
          'x-export-until': until,
          ...(isManifest ? {} : { link: `<${manifestAddress(request, until)}>; rel="describedby"` }),
        });
        varyBy(reply, 'authorization, accept-encoding');
        // The log is not read for it.
        if (request.method === 'HEAD') return reply.send(Readable.from([]));
        const { socket } = request.raw;
        const before = socket.bytesWritten;
        const isOver = services.sessions.add({
          viewer,
          transport: 'EXPORT',
          address: services.addressOf(request.raw),
          figures: () => ({ operations: 1, bytesSent: socket.bytesWritten - before }),
          cut: () => reply.raw.destroy(),
          leave: () => reply.raw.destroy(),
        });
        onceClosed(reply.raw, isOver);
        const text = Readable.from((isManifest ? manifestOf : bodyOf)(services, wanted), { highWaterMark: 1 });
        if (new Negotiator(request.raw).encoding(['gzip', 'identity']) !== 'gzip') return reply.send(text);
        // Ends with the other where the client leaves or the log cannot be read; the reply sees the error.
        return reply.header('content-encoding', 'gzip').send(pipeline(text, createGzip(), () => undefined));
      },
    );
  }
}

async function exportOf(
  services: Services,
  { viewer, query }: FastifyRequest,
  begun: Pick<Export, 'payer' | 'abort' | 'format'>,
  given: z.infer<typeof parameters>,
): Promise<Export> {
  const { after, until, manifest: _, from, to, ...rest } = given;
  const turn = { users: [begun.payer.user], cost: 0, abort: begun.abort };
  const scope = await ownTenantScope(services, viewer, turn);
  const { after: _after, until: _until, manifest: _manifest, ...asked } = query as Record<string, unknown>;
  const filter = Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, String(value)]));
  const rights = exportRights(services.accessTable.for(viewer.roles));
  return {
    ...begun,
    rights,
    filter: { ...rest, from: from ?? null, to: to ?? null, ...scope },
    after: after === undefined ? null : await decodeKnown(services, after, 'after', turn),
    until: until === undefined ? await lastSeen(services) : await decodeKnown(services, until, 'until', turn),
    asked: { filter, after: after ?? null },
    isWhole: rights.isWhole && Object.keys(filter).length === 0 && after === undefined && scope.own === undefined,
  };
}

/** Asked of the database: this process's feed may be behind, and whoever asks has seen what the log shows. */
async function lastSeen({ batchReads }: Services): Promise<Position> {
  return (await lastPosition(batchReads)) ?? START;
}

/** @throws BAD_USER_INPUT for a cursor that does not hold, CURSOR_EXPIRED for one that is not of this log */
async function decodeKnown(
  { feed, feedCursors }: Services,
  cursor: string,
  parameter: string,
  turn: Turn,
): Promise<Position> {
  const position = feedCursors.decode(cursor, parameter);
  if (!(await feed.isKnown(position, turn))) throw cursorExpired(parameter);
  return position;
}

function refuseUnpaid(reply: FastifyReply, { message, extensions }: GraphQLError): FastifyReply {
  const { limit, retryAfter, cost } = extensions;
  reply.header('retry-after', String(retryAfter));
  return refuse(reply, 429, ErrorCode.RATE_LIMITED, message, { limit, retryAfter, cost });
}

/** The address of the manifest of exactly the entries that are being sent. */
function manifestAddress({ url }: FastifyRequest, until: string): string {
  const address = new URL(url, 'http://gateway');
  address.searchParams.set('until', until);
  address.searchParams.set('manifest', '1');
  return `${address.pathname}${address.search}`;
}
