import { createHash } from 'node:crypto';
import type { DocumentNode } from 'graphql';
import { Lru } from '../lib/lru.js';

/** Documents kept, and their characters together: a parsed document takes many times its text. */
const MAXIMUM_DOCUMENTS = 1_000;
const MAXIMUM_CHARACTERS = 1_000_000;

/** A document that was parsed, is valid and within the limits. */
export interface CachedDocument {
  text: string;
  /** SHA-256 of the text, in hex: clients may send it instead. */
  hash: string;
  document: DocumentNode;
}

/** SHA-256 of a text, in hex. */
export const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * The documents that are not parsed and validated again, by text and by hash, whichever transport they came by: when a
 * gateway ends, thousands of subscribers come back with the same few. Whether one is valid and within the limits
 * depends on its text alone: a page whose size comes by a variable counts as the largest one (`graphql/measure.ts`).
 * Who may read what is in its plans, which are kept per set of roles.
 */
export class DocumentCache {
  private readonly byText: Lru<string, CachedDocument>;
  private readonly byHash = new Map<string, CachedDocument>();
  /** Documents that stay, whatever else comes. */
  private readonly pinned = new Map<string, CachedDocument>();
  /** Requests over HTTP that were answered by a document of the cache, and those that were not. */
  hits = 0;
  misses = 0;

  constructor(maximumDocuments = MAXIMUM_DOCUMENTS, maximumCharacters = MAXIMUM_CHARACTERS) {
    this.byText = new Lru(maximumDocuments, maximumCharacters, ({ hash }) => this.byHash.delete(hash));
  }

  get size(): number {
    return this.byText.size + this.pinned.size;
  }

  get characters(): number {
    return this.byText.weight + [...this.pinned.keys()].reduce((sum, { length }) => sum + length, 0);
  }

  get evictions(): number {
    return this.byText.evictions;
  }

  /** Keeps a valid document. @param hash of its text, where somebody has made it already */
  add(text: string, document: DocumentNode, hash = hashOf(text)): void {
    if (this.pinned.has(text)) return;
    const cached = { text, hash, document };
    if (this.byText.set(text, cached, text.length)) this.byHash.set(hash, cached);
  }

  /** Keeps a valid document for as long as the process runs, beside those that come and go. */
  pin(text: string, document: DocumentNode): void {
    const cached = { text, hash: hashOf(text), document };
    this.pinned.set(text, cached);
    this.byHash.set(cached.hash, cached);
  }

  /** The document with that text, that hash, or, where both are given, both. */
  find(text: string | undefined, hash?: string): CachedDocument | undefined {
    const named = text ?? (hash === undefined ? undefined : this.byHash.get(hash)?.text);
    const cached = named === undefined ? undefined : (this.pinned.get(named) ?? this.byText.get(named));
    return cached && (hash === undefined || cached.hash === hash) ? cached : undefined;
  }
}
