import type { DocumentNode } from 'graphql';
import { Lru } from '../lib/lru.js';

/** Documents kept, and their characters together: a parsed document takes many times its text. */
const MAXIMUM_DOCUMENTS = 1_000;
const MAXIMUM_CHARACTERS = 1_000_000;

/** A document that was parsed, is valid, within the limits, and was answered. */
export interface KnownDocument {
  text: string;
  /** SHA-256 of the text, in hex: clients may send it instead. */
  hash: string;
  document: DocumentNode;
}

/**
 * Documents that the gateway answered before, by text and by hash. Whether one is valid and within the limits depends
 * on its text alone: a page whose size comes by a variable counts as the largest one (`graphql/measure.ts`). Who may
 * read what is in its plans, which are kept per set of roles.
 */
export class KnownDocuments {
  private readonly byText: Lru<string, KnownDocument>;
  private readonly byHash = new Map<string, KnownDocument>();
  hits = 0;
  misses = 0;

  constructor(maximumDocuments = MAXIMUM_DOCUMENTS, maximumCharacters = MAXIMUM_CHARACTERS) {
    this.byText = new Lru(maximumDocuments, maximumCharacters, ({ hash }) => this.byHash.delete(hash));
  }

  get size(): number {
    return this.byText.size;
  }

  get characters(): number {
    return this.byText.weight;
  }

  get evictions(): number {
    return this.byText.evictions;
  }

  add(known: KnownDocument): void {
    if (this.byText.set(known.text, known, known.text.length)) this.byHash.set(known.hash, known);
  }

  /** The document with that text, that hash, or, where both are given, both. */
  find(text: string | undefined, hash: string | undefined): KnownDocument | undefined {
    const named = text ?? (hash === undefined ? undefined : this.byHash.get(hash)?.text);
    const known = named === undefined ? undefined : this.byText.get(named);
    return known && (hash === undefined || known.hash === hash) ? known : undefined;
  }
}
