import type { FastifyReply, FastifyRequest } from 'fastify';
import { type GraphQLSchema, getOperationAST } from 'graphql';
import type { Viewer } from '../../auth/viewer.js';
import { createContext, type Services } from '../../context/context.js';
import { admitOperation, COST_HEADER, confirmOperation, costTold, tellsCost } from '../../execution/admission.js';
import { answerCompiled, stringifyResult, withDenials } from '../../execution/compiled-query.js';
import type { DocumentCache } from '../../execution/documents.js';
import { EXPLAIN_HEADER, explain } from '../../execution/explain.js';
import type { TrustedDocuments } from '../../execution/trusted-documents.js';
import type { ReportInternalError } from '../../graphql/errors.js';
import { Lru } from '../../lib/lru.js';
import { callerOf, turnOf } from '../bounds.js';
import { abortOnClose } from './abort-on-close.js';
import { httpOf } from './refusal.js';

/** Different `accept` headers remembered: clients have few. */
const MAXIMUM_ACCEPTS = 100;

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** The body of an ordinary request. */
interface Asked {
  text: string | undefined;
  hash: string | undefined;
  documentId: string | undefined;
  operationName: string | undefined;
  variables: Record<string, unknown> | undefined;
  extensions: Record<string, unknown> | undefined;
}

/** What the fast path needs. */
export interface FastPathOptions {
  schema: GraphQLSchema;
  services: Services;
  documents: DocumentCache;
  trusted: TrustedDocuments;
  report: ReportInternalError;
}

/**
 * Answers requests for documents of the cache before Apollo's pipeline: nothing is parsed and validated again, while who asks,
 * what the roles may read, arguments and variables are looked at as ever. Whatever is not quite ordinary goes to
 * `apollo`, which answers the same bytes.
 */
export function fastPath(options: FastPathOptions, apollo: Handler): Handler {
  const { schema, services, documents, trusted, report } = options;
  /** The content type that Apollo's negotiation came to, by `accept` header. */
  const contentTypes = new Lru<string, string>(MAXIMUM_ACCEPTS);

  const answer = async (request: FastifyRequest, reply: FastifyReply, asked: Asked): Promise<string | null> => {
    const began = performance.now();
    const contentType = contentTypes.get(request.headers.accept ?? '');
    const found = contentType === undefined ? undefined : findDocument(asked, request.viewer);
    if (!found) return null;
    const operation = getOperationAST(found.document, asked.operationName);
    // The rest came over a WebSocket.
    if (operation?.operation !== 'query') return null;
    const { viewer, correlationId } = request;
    const context = createContext(services, {
      viewer,
      correlationId,
      abort: abortOnClose(reply.raw),
      request: request.raw,
      tellsCost: tellsCost(request.headers[COST_HEADER], asked.extensions),
    });
    const result = await answerCompiled({
      context,
      schema,
      document: found.document,
      operation,
      variables: asked.variables,
      report,
      admit: () => admitOperation(context, found.document, operation, asked.variables) ?? confirmOperation(context),
    });
    if (!result) return null;
    if (result.data === undefined) {
      const { status, headers } = httpOf(result.errors?.[0]?.extensions ?? {});
      reply.code(status).headers(Object.fromEntries(headers));
    }
    reply.header('content-type', contentType);
    return stringifyResult({
      errors: withDenials(result.errors, context.denials),
      data: result.data,
      extensions: extended(
        explain(request.headers[EXPLAIN_HEADER], context, 'compiled', 'known', began),
        costTold(context),
      ),
    });
  };

  /** The document of the cache that may be run; whatever else is asked, Apollo's pipeline tells what is wrong with it. */
  const findDocument = ({ text, hash, documentId }: Asked, viewer: Viewer) => {
    // A text that is not known waits for its turn before anything is made of it.
    if (text !== undefined && !documents.find(text, hash)) return undefined;
    const resolved = trusted.resolve({ query: text, hash, documentId }, viewer);
    if (typeof resolved !== 'string') return undefined;
    return documents.find(resolved);
  };

  return async (request, reply) => {
    const asked = ordinary(request);
    const text = asked && (await answer(request, reply, asked));
    if (text !== null) {
      documents.hits += 1;
      return text;
    }
    documents.misses += 1;
    // A document that is not known keeps the process busy for milliseconds: others' requests are not to wait behind many.
    const [turn, query] = [turnOf(callerOf(request.viewer, request.network)), asked?.text];
    const abort = abortOnClose(reply.raw);
    if (query === undefined) await services.turns.take(turn, abort);
    else await services.turns.takeOnce(turn, query, () => documents.find(query) !== undefined, abort);
    // Who has gone meanwhile is made no answer.
    if (abort.aborted) return '';
    const answered = await apollo(request, reply);
    const contentType = reply.getHeader('content-type');
    if (reply.statusCode === 200 && typeof contentType === 'string')
      contentTypes.set(request.headers.accept ?? '', contentType);
    return answered;
  };
}

/** Both, if any. */
function extended(explained: object | undefined, told: object | undefined): Record<string, unknown> | undefined {
  return explained || told ? { ...explained, ...told } : undefined;
}

/** What an ordinary request asks, of the form that Apollo takes without a word; null for any other. */
function ordinary(request: FastifyRequest): Asked | null {
  const given = request.method === 'POST' ? givenByBody(request) : givenByAddress(request);
  if (!given) return null;
  const { query, operationName, variables, extensions, documentId } = given;
  if (query !== undefined && (typeof query !== 'string' || query === '')) return null;
  if (documentId != null && typeof documentId !== 'string') return null;
  if (operationName != null && typeof operationName !== 'string') return null;
  if (variables != null && !isRecord(variables)) return null;
  if (extensions != null && !isRecord(extensions)) return null;
  const persisted = extensions?.['persistedQuery'];
  const hash = isRecord(persisted) && persisted['version'] === 1 ? persisted['sha256Hash'] : undefined;
  if (persisted && typeof hash !== 'string') return null;
  return {
    text: query,
    hash: hash as string | undefined,
    documentId: documentId ?? undefined,
    operationName: operationName ?? undefined,
    variables: variables ?? undefined,
    extensions: extensions ?? undefined,
  };
}

function givenByBody({ headers, body }: FastifyRequest): Record<string, unknown> | null {
  // Fastify has parsed what is application/json, and nothing else.
  const isJson = headers['content-type']?.startsWith('application/json');
  return isJson && isRecord(body) ? body : null;
}

/** What a GET asks that says by a header that no other site made the browser send it: any other, Apollo refuses. */
function givenByAddress({ headers, query }: FastifyRequest): Record<string, unknown> | null {
  if (!headers['apollo-require-preflight'] && !headers['x-apollo-operation-name']) return null;
  const { variables, extensions, ...others } = query as Record<string, unknown>;
  try {
    return { ...others, variables: parseJson(variables), extensions: parseJson(extensions) };
  } catch {
    return null;
  }
}

const parseJson = (value: unknown): unknown => (typeof value === 'string' ? JSON.parse(value) : value);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
