import { type GraphQLError, type GraphQLSchema, parse } from 'graphql';
import type { Viewer } from '../auth/viewer.js';
import { ConfigError } from '../config/config-error.js';
import { ANONYMOUS, type TrustedDocumentsConfig } from '../config/trusted-documents-config.js';
import type { Context } from '../context/context.js';
import { codedError, ErrorCode } from '../graphql/errors.js';
import { Lru } from '../lib/lru.js';
import { canonicalOperations } from './canonical-document.js';
import { refusals } from './check-documents.js';
import { type DocumentProblem, type FiledDocument, readDocumentFiles } from './document-files.js';
import { type DocumentCache, hashOf } from './documents.js';

/** Texts whose judgement is remembered, and their characters together. */
const MAXIMUM_TEXTS = 1_000;
const MAXIMUM_CHARACTERS = 1_000_000;

/** Problems told at the start; more of them seldom say more. */
const TOLD_PROBLEMS = 20;

/** How a request says which document it means. */
export interface AskedDocument {
  query?: string | null | undefined;
  /** The appendix on persisted documents of GraphQL over HTTP has it. */
  documentId?: unknown;
  /** `persistedHash` of its extensions: the SHA-256 of the text, or the id that a manifest gives it. */
  hash?: unknown;
}

/** What the trusted documents are of. */
export interface TrustedDocumentsOptions {
  config: TrustedDocumentsConfig | null;
  schema: GraphQLSchema;
  /** Keeps them for as long as the process runs. */
  documents: DocumentCache;
  /** Texts of the gateway's own pages, which are trusted too. */
  pages?: readonly string[];
}

/**
 * The documents that the settings trust. Callers who are bound run these and nothing else; for everybody they are what a
 * `documentId` names.
 *
 * A text counts by what it asks for, not by its letters, because clients print their documents: each of its operations,
 * with its fragments, must be one of the trusted ones (`canonicalOperations`). What runs is the text as it was sent, and
 * it is parsed, validated and measured like any other.
 */
export class TrustedDocuments {
  private readonly texts = new Map<string, string>();
  private readonly operations = new Set<string>();
  /** Whether texts ask for what is trusted alone. */
  private readonly judged = new Lru<string, boolean>(MAXIMUM_TEXTS, MAXIMUM_CHARACTERS);
  private readonly documents: DocumentCache;
  private readonly bound: ReadonlySet<string>;

  /** @throws {ConfigError} naming what does not hold, by file, operation and reason */
  constructor({ config, schema, documents, pages = [] }: TrustedDocumentsOptions) {
    this.documents = documents;
    this.bound = new Set(config?.roles);
    if (!config) return;
    const { documents: filed, problems } = readDocumentFiles(config.paths);
    problems.push(...filed.flatMap((one) => refusals(schema, one)));
    for (const one of filed) problems.push(...this.trust(one));
    if (problems.length > 0) throw new ConfigError(toldProblems(problems));
    for (const text of pages) this.keep(text);
  }

  /** Whether a viewer runs trusted documents only: every one of their roles is bound. Who has none is `ANONYMOUS`. */
  binds({ roles }: Pick<Viewer, 'roles'>): boolean {
    return roles.length === 0 ? this.bound.has(ANONYMOUS) : roles.every((role) => this.bound.has(role));
  }

  /**
   * The text that a request asks to run, or why it may not; undefined where it names none that is known here.
   * To who is bound a hash that is not trusted is unknown, whoever else may have sent it.
   */
  resolve(
    { query, documentId, hash }: AskedDocument,
    viewer: Pick<Viewer, 'roles'>,
  ): string | undefined | GraphQLError {
    const text = query || undefined;
    if (documentId !== undefined && documentId !== null) return this.named(documentId, text);
    const isBound = this.binds(viewer);
    if (text !== undefined) return !isBound || this.trusts(text) ? text : notTrusted();
    if (hash === undefined) return undefined;
    const known = typeof hash === 'string' ? this.byHash(hash) : undefined;
    if (!isBound) return known;
    return known !== undefined && this.trusts(known) ? known : hashNotFound();
  }

  private named(documentId: unknown, text: string | undefined): string | GraphQLError {
    if (typeof documentId !== 'string') return badRequest('documentId must be a text.');
    const found = this.texts.get(documentId);
    if (found === undefined) return documentNotFound();
    if (text === undefined || text === found) return found;
    const isSame = JSON.stringify(canonicalOperations(text)) === JSON.stringify(canonicalOperations(found));
    return isSame ? text : badRequest('documentId and query are different documents. Send one of them.');
  }

  private byHash(hash: string): string | undefined {
    return this.texts.get(hash) ?? this.documents.find(undefined, hash)?.text;
  }

  private trusts(text: string): boolean {
    const judged = this.judged.get(text);
    if (judged !== undefined) return judged;
    const operations = canonicalOperations(text) ?? [];
    const isTrusted = operations.length > 0 && operations.every((one) => this.operations.has(one));
    this.judged.set(text, isTrusted, text.length);
    return isTrusted;
  }

  /** Trusts a document by its id, by its hash and by what it asks for. @returns why it cannot be */
  private trust({ file, id, name, text }: FiledDocument): DocumentProblem[] {
    const former = this.texts.get(id);
    if (former !== undefined && former !== text)
      return [{ file, id, name, at: null, reason: 'Another document has the same id.' }];
    this.texts.set(id, text);
    return this.keep(text) ? [] : [{ file, id, name, at: null, reason: 'It is nested too deeply.' }];
  }

  private keep(text: string): boolean {
    const hash = hashOf(text);
    this.texts.set(hash, text).set(`sha256:${hash}`, text);
    this.documents.pin(text, parse(text));
    const operations = canonicalOperations(text);
    for (const one of operations ?? []) this.operations.add(one);
    return operations !== null;
  }
}

/** Problems of documents as the start tells them. */
function toldProblems(problems: readonly DocumentProblem[]): string[] {
  const told = problems.slice(0, TOLD_PROBLEMS).map(({ file, id, name, at, reason }) => {
    const place = at ? `:${at.line}:${at.column}` : '';
    const which = [name, id && `id ${id}`].filter(Boolean).join(', ');
    return `TRUSTED_DOCUMENTS: ${file}${place}${which && ` (${which})`}: ${reason}`;
  });
  const others = problems.length - told.length;
  return others > 0 ? [...told, `TRUSTED_DOCUMENTS: and ${others} more; npm run documents -- check tells all`] : told;
}

const notTrusted = () =>
  codedError(
    ErrorCode.DOCUMENT_NOT_TRUSTED,
    'Your roles run only documents that the gateway trusts, and this is none of them. Send one of those, by its text, its hash or its documentId, or ask whoever runs the gateway to add yours to TRUSTED_DOCUMENTS.',
    { extensions: { http: { status: 400 } } },
  );

const documentNotFound = () =>
  codedError(
    ErrorCode.PERSISTED_QUERY_NOT_FOUND,
    'The gateway trusts no document with this documentId. Send one that it does, or the text of the document.',
    { extensions: { http: { status: 400 } } },
  );

/** As Apollo Server tells it: clients go by its message. */
export const hashNotFound = () =>
  codedError(ErrorCode.PERSISTED_QUERY_NOT_FOUND, 'PersistedQueryNotFound', { extensions: { http: { status: 200 } } });

const badRequest = (message: string) =>
  codedError(ErrorCode.BAD_REQUEST, message, { extensions: { http: { status: 400 } } });

/**
 * What stands for a hash in Apollo's `extensions.persistedQuery`, which may be anything; undefined where there is no such
 * extension, or of another version than the only one there is: Apollo refuses that.
 */
export function persistedHash(extensions: Record<string, unknown> | null | undefined): unknown {
  const persisted = extensions?.['persistedQuery'] as { version?: unknown; sha256Hash?: unknown } | null | undefined;
  return persisted?.version === 1 ? (persisted.sha256Hash ?? null) : undefined;
}

/** A refusal, counted where it is because of what its caller is bound to. */
export function noted(refusal: GraphQLError, { services }: Pick<Context, 'services'>): GraphQLError {
  if (refusal.extensions['code'] === ErrorCode.DOCUMENT_NOT_TRUSTED) services.refusals.note('trustedDocuments');
  return refusal;
}
