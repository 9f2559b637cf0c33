import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GraphQLError } from 'graphql';
import type { Services } from '../../context/context.js';
import { accountOf, type Payer } from '../../cost/cost-control.js';
import { costOfText, points } from '../../cost/points.js';
import { hasTooManyValues, isNestedTooDeeply, NESTED_TOO_DEEPLY, TOO_MANY_VALUES } from '../../lib/nesting.js';
import { callerOf, turnOf } from '../bounds.js';

/** Bytes from which on a body waits for its sender's turn: it keeps the process busy for half a millisecond. */
const LARGE = 16 * 1024;
const POLLUTING =
  'A key of the body is __proto__, or constructor with a prototype: it would change more than the object it stands in. Leave it out.';
const BATCH = 'A request holds one operation, an object: a list of several is not taken.';

type Done = (error: Error | null, body?: unknown) => void;

declare module 'fastify' {
  interface FastifyRequest {
    /** Bytes of its body that are paid for already. */
    paidBytes: number;
  }
}

type Paid = Pick<Services, 'costs' | 'addressOf'>;

const payerOf = ({ viewer, raw }: FastifyRequest, { addressOf }: Paid): Payer => ({
  viewer,
  user: accountOf(viewer, () => addressOf(raw)),
});

/**
 * Spends what it costs to read a body whose length is told, before it is read.
 * @returns RATE_LIMITED where fewer points are left
 */
export function payForBody(request: FastifyRequest, services: Paid): GraphQLError | null {
  const bytes = Number(request.headers['content-length'] ?? 0);
  // A larger one is refused for that.
  if (costOfText(bytes) === 0 || bytes > request.routeOptions.bodyLimit) return null;
  request.paidBytes = bytes;
  return services.costs.spend(payerOf(request, services), costOfText(bytes));
}

/**
 * Reads bodies as JSON in UTF-8 alone: what is none would lose its letters on the way, without a word. A large one is
 * paid for before it is read, and read in its sender's turn; one that is refused is paid for too.
 */
export function readJson(app: FastifyInstance, services: Paid & Pick<Services, 'turns'>): void {
  const { costs, turns } = services;
  const parse = app.getDefaultJsonParser('error', 'error');
  app.decorateRequest('paidBytes', 0);

  const read = (request: FastifyRequest, body: Buffer, done: Done) => {
    const refused = (error: Error) => {
      costs.deliver(
        payerOf(request, services),
        points.operation + body.length * points.character - costOfText(body.length),
      );
      done(Object.assign(error, { statusCode: 400 }));
    };
    // Nothing is made of what is refused whatever it holds.
    if (firstOf(body) === '[') return refused(new Error(BATCH));
    if (!isUtf8(body)) return refused(new Error('The body is not text in UTF-8.'));
    const text = body.toString('utf8');
    if (isNestedTooDeeply(text)) return refused(new Error(NESTED_TOO_DEEPLY));
    if (hasTooManyValues(text)) return refused(new Error(TOO_MANY_VALUES));
    void parse(request, text, (error, value) =>
      error ? refused(isJson(text) ? new Error(POLLUTING) : error) : done(null, value),
    );
  };

  const readLarge = async (request: FastifyRequest, body: Buffer, done: Done) => {
    const cost = costOfText(body.length) - costOfText(request.paidBytes);
    const unpaid = cost > 0 ? costs.spend(payerOf(request, services), cost) : null;
    if (unpaid) return done(unpaid);
    if (body.length > LARGE) await turns.take(turnOf(callerOf(request.viewer, request.network)));
    // Who has gone meanwhile is read no more.
    if (request.raw.destroyed && request.raw.errored) return done(request.raw.errored);
    return read(request, body, done);
  };

  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, given, done) => {
    const body = given as Buffer;
    if (costOfText(body.length) === 0) read(request, body, done as Done);
    else void readLarge(request, body, done as Done);
  });
}

/** The first character of a text that is no blank. */
function firstOf(body: Buffer): string {
  let at = 0;
  while (at < body.length && ' \t\n\r'.includes(String.fromCharCode(body[at] as number))) at += 1;
  return String.fromCharCode(body[at] ?? 0);
}

/** Whether a text is JSON, which what is refused may be all the same. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
