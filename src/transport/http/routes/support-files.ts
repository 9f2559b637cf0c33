import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { diedWithAccess, holdMaker, type Made } from '../../../context/admission.js';
import { askClock } from '../../../context/clock.js';
import type { Services } from '../../../context/context.js';
import { inOwnTransaction } from '../../../context/transaction.js';
import type { Payer } from '../../../cost/cost-control.js';
import { costOfBytes, points } from '../../../cost/points.js';
import type { Role } from '../../../domain/role.js';
import { ErrorCode } from '../../../graphql/errors.js';
import {
  type AttachedFile,
  attachFile,
  hasPlace,
  lockPlaces,
  type ReceivedFile,
} from '../../../modules/support/attach-file.js';
import { type CallerBounds, isTaken } from '../../bounds.js';
import { HeldBytes } from '../../held-bytes.js';
import { attemptLink, inTurnOf, refuseLink } from './links.js';
import { BeyondMemory, filesOf, notAForm, Refusal, tooManyFiles, unpaid } from './upload-body.js';

const revoked = () => new Refusal(410, 'REVOKED', 'The access of whoever made this address was revoked.');

/** `/support-requests/TOKEN/files`: takes files of a support request as multipart/form-data (rule 21). */
export async function serveSupportFiles(app: FastifyInstance, services: Services, bounds: CallerBounds): Promise<void> {
  const { uploadBytes, uploadBytesPerUser: share } = services.config.bounds;
  const held = new HeldBytes(uploadBytes, share);
  await app.register(async (scope) => {
    // Read by the handler alone; of no other type.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('multipart/form-data', (_request, _body, done) => done(null));
    scope.setErrorHandler((thrown: Error & { statusCode?: number }, _request, reply) => {
      const error = thrown.statusCode === 415 ? notAForm() : thrown;
      if (!(error instanceof Refusal)) throw error;
      if (error.status === 415) reply.header('accept', 'multipart/form-data');
      if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter));
      return refuseLink(reply, error.status, error.code, error.message);
    });
    scope.post<{ Params: { token: string } }>(
      '/support-requests/:token/files',
      { config: { takes: 'multipart/form-data' } },
      async (request, reply) => {
        const release = await attemptLink(services, request, reply);
        if (!release) return reply;
        const address = await addressOf(services, request.params.token);
        const { id, maker, payer } = address;
        const { costs, turns } = services;
        const caller = { user: maker.identity ?? id, address: request.network };
        const place = bounds.take('uploads', caller);
        if (!isTaken(place)) throw new Refusal(429, ErrorCode.LIMIT_EXCEEDED, place.message, 1);
        const body = held.open(caller);
        try {
          const refusal = costs.spend(payer, points.upload);
          if (refusal) {
            release();
            throw unpaid(refusal);
          }
          // Before the body is read: an address that takes nothing more holds no memory.
          const isOpen = await inTurnOf(services, payer.user, reply, () => requireOpen(services, address));
          if (isOpen !== null) release();
          if (!isOpen) return reply;
          const files = await filesOf(request, {
            hold: (bytes) => body.take(bytes),
            share,
            turn: () => turns.take(payer.user),
            charge: (bytes) => costs.deliver(payer, costOfBytes(bytes), 'Send it again then.'),
          });
          const attached = await attachInTurn(services, address, files, reply);
          if (attached) services.fileAttached();
          return attached ? reply.code(201).send({ files: attached }) : reply;
        } catch (error) {
          if (error instanceof BeyondMemory) services.refusals.note(error.bound);
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
  payer: Payer;
}

/** @throws {Refusal} for an address that is over, or that we have not signed */
async function addressOf({ signer, now }: Services, token: string): Promise<UploadAddress> {
  const claims = await signer.verify('upload', token, now());
  if (claims === 'expired')
    throw new Refusal(410, 'EXPIRED', 'This address was good for 24 hours. Submit a new support request.');
  if (claims === 'invalid') throw new Refusal(404, 'NOT_FOUND', 'There is no such address.');
  const [id, maker] = [String(claims['supportRequest']), makerOf(claims)];
  const roles = Array.isArray(claims['roles']) ? (claims['roles'] as Role[]) : [];
  return { id, maker, payer: { viewer: { roles }, user: maker.identity ?? id } };
}

/** @throws {Refusal} where nothing can be attached whatever is sent */
async function requireOpen({ orm }: Services, { id, maker }: UploadAddress): Promise<true> {
  const em = orm.em.fork();
  if (await diedWithAccess(em, maker)) throw revoked();
  if (!(await hasPlace(em, id))) throw tooManyFiles();
  return true;
}

/** Attaches all files where its maker may store as much today. @returns null where they would have to wait too long */
async function attachInTurn(
  services: Services,
  address: UploadAddress,
  files: ReceivedFile[],
  reply: FastifyReply,
): Promise<AttachedFile[] | null> {
  const { costs } = services;
  const { user } = address.payer;
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  const stored = costs.uploads.take(user, bytes);
  if (!isTaken(stored)) throw unpaid(stored);
  let attached: AttachedFile[] | null = null;
  try {
    attached = await inTurnOf(services, user, reply, () => attachAll(services, address, files), costOfBytes(bytes));
    return attached;
  } finally {
    if (!attached) stored();
  }
}

/** Attaches all files of an upload or none: a refused one leaves nothing behind. */
function attachAll(services: Services, { id, maker, payer }: UploadAddress, files: ReceivedFile[]) {
  const uploader = { ...maker, role: payer.viewer.roles[0] ?? null };
  return inOwnTransaction(
    services,
    async (em) => {
      if (maker.identity !== null) await holdMaker(em, maker.identity);
      if (await diedWithAccess(em, maker)) throw revoked();
      if ((await lockPlaces(em, id)) < files.length) throw tooManyFiles();
      const at = await askClock(em, services.clock);
      const done: AttachedFile[] = [];
      // One that is written is not held any longer.
      for (let file = files.shift(); file; file = files.shift()) {
        // No turn is waited for with a connection in hand.
        await setImmediate();
        done.push(await attachFile(em, id, file, uploader, at));
      }
      return done;
      // What was written is gone here: it cannot be written again.
    },
    1,
  );
}

/** Who asked for an upload address, and when. Addresses from before identities were kept say neither, and end in a day. */
function makerOf({ by, name, at }: Record<string, unknown>): Made {
  return {
    identity: typeof by === 'string' ? by : null,
    userPrincipalName: typeof name === 'string' ? name : '',
    at: new Date(typeof at === 'number' ? at : 0),
  };
}
